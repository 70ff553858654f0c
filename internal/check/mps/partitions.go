// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

const partitionVariable = "CUDA_MPS_SM_PARTITION"

// AskPartitions and AskDevices show what a daemon since CUDA 13.1 divides: its
// static partitions, and the devices that it shows to clients, with MLOPart among
// them the halves of a GPU. An earlier daemon calls them unknown commands.
const (
	AskPartitions = "lspart"
	AskDevices    = "device_query"
)

// Named returns the lines of an answer that are for a person, nil for a daemon that
// does not know the question.
func Named(a facts.MPSAnswer, about string) []string {
	var lines []string
	for _, line := range a.Lines {
		if strings.HasPrefix(line, "Unknown command") {
			return nil
		}
		if strings.Contains(line, about) && strings.TrimSpace(line) != "" {
			lines = append(lines, diag.Clean(strings.TrimSpace(line)))
		}
	}
	return lines
}

// Partitions judges an instance under a daemon with static partitions (-S): then
// each client has to name its partition, or fails with
// CUDA_ERROR_INVALID_RESOURCE_CONFIGURATION, and percentages of threads are ignored
// (NVIDIA, Multi-Process Service, "Static SM Partitioning").
func Partitions(m facts.MPS, a Audit) []diag.Problem {
	if m.Daemon == nil || len(m.Daemon.Args) == 0 || a.Lookup == nil {
		return nil
	}
	value, set := a.Lookup(partitionVariable)
	if !set {
		value = ""
	}
	var problems []diag.Problem
	switch static := m.Daemon.Static(); {
	case static && value == "" && !a.Files:
		problems = append(problems, a.problem(diag.MPSPartition, "the MPS control daemon divides the GPUs into static partitions, and the instance names none: its CUDA programs fail",
			partitionVariable+" is not set; the daemon runs with "+strings.Join(m.Daemon.Args, " "), partitionVariable+" with one of the daemon's partitions",
			"set mps.partition of the instance in /etc/justnews/justnews.toml, or start the daemon without -S"))
	case !static && value != "":
		p := a.problem(diag.MPSPartition, "the instance names a static partition, and the MPS control daemon has none",
			partitionVariable+"="+value+"; the daemon runs with "+strings.Join(m.Daemon.Args, " "), "a daemon that runs with -S",
			"remove mps.partition of the instance from /etc/justnews/justnews.toml, or start the daemon with -S")
		p.Severity = diag.Warning // what CUDA does with it is documented nowhere
		problems = append(problems, p)
	}
	if m.Daemon.Static() && a.Limits.Threads > 0 {
		p := a.problem(diag.MPSPartition, "the MPS control daemon divides the GPUs into static partitions, and ignores mps.threads",
			threadsVariable+" is set; the daemon runs with "+strings.Join(m.Daemon.Args, " "), "no mps.threads", "remove mps.threads of the instance from /etc/justnews/justnews.toml")
		p.Severity = diag.Warning
		problems = append(problems, p)
	}
	return problems
}
