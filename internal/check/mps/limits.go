// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/lists"
)

// MemoryLimits are the default limits that the daemon is given, each "DEVICE SIZE".
// A device is its position among those that the daemon serves: a daemon before 590
// reads a UUID as device 0 and removes its limit (measured with 535 and 550).
func MemoryLimits(c config.MPS) []string {
	return lists.Map(c.DefaultMemory.ByOrdinal(c.Devices), func(l config.Limit) string { return l.GPU + " " + l.Size })
}

// AskMemoryLimits are the questions to which Defaults reads the answers: the
// default memory limit of each device that has one. No line at all means that none
// is set.
func AskMemoryLimits(c config.MPS) []string {
	return lists.Map(c.DefaultMemory.ByOrdinal(c.Devices), func(l config.Limit) string { return "get_default_device_pinned_mem_limit " + l.GPU })
}

// sameLimit compares two limits as MPS reads them: a number, or a size for each
// device, in any order and unit.
func sameLimit(a, b string) bool {
	if a == b {
		return true
	}
	x, ok := limitsOf(a)
	y, _ := limitsOf(b) // nil is not equal to any limit
	return ok && maps.Equal(x, y)
}

// limitsOf reads "0=4G,1=512M": sizes by device. A value without a device has "".
func limitsOf(s string) (map[string]float64, bool) {
	all := map[string]float64{}
	for part := range strings.SplitSeq(s, ",") {
		device, size, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found {
			device, size = "", device
		}
		size = strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(size)), "B")
		unit := 1.0
		for i, letter := range []string{"K", "M", "G", "T"} {
			if number, is := strings.CutSuffix(size, letter); is {
				size, unit = number, float64(uint64(1)<<(10*(1+i)))
				break
			}
		}
		n, err := strconv.ParseFloat(size, 64)
		if err != nil {
			return nil, false
		}
		all[strings.TrimSpace(device)] = n * unit
	}
	return all, true
}

// LimitsWanted reports whether the daemon has to be given default limits.
func LimitsWanted(c config.MPS) bool { return c.DefaultMemory != "" || c.DefaultThreads > 0 }

// Defaults compares the daemon's default limits with the configuration; nil if they are
// the same or none is configured. A value that the daemon rejected has silently removed
// the limit.
func Defaults(a facts.MPSAnswer, w Wanted) *diag.Problem {
	var seen, expected []string
	if want := w.DefaultMemory.ByOrdinal(w.Devices); !sameLimits(a.Lines, want) {
		got := strings.Join(a.Lines, ", ")
		if strings.TrimSpace(got) == "" {
			got = "none"
		}
		seen = append(seen, "memory limit "+diag.Clean(got))
		expected = append(expected, "memory limit "+sizesOf(want))
	}
	if w.DefaultThreads > 0 && a.Percentage != float64(w.DefaultThreads) {
		seen = append(seen, "thread percentage "+strconv.FormatFloat(a.Percentage, 'g', -1, 64))
		expected = append(expected, fmt.Sprintf("thread percentage %d", w.DefaultThreads))
	}
	if len(seen) == 0 {
		return nil
	}
	return new(diag.Found(diag.MPSLimit, w.PipeDirectory, "the default limits of the MPS control daemon differ from the configuration",
		strings.Join(seen, ", "), strings.Join(expected, ", "), diag.Do(w.restart()...)))
}

// sameLimits compares the answers with the limits that were set, one line for each.
func sameLimits(lines []string, want []config.Limit) bool {
	if len(want) == 0 {
		return true
	}
	return slices.EqualFunc(lines, want, func(line string, l config.Limit) bool { return sameLimit(strings.TrimSpace(line), l.Size) })
}

// sizesOf writes limits for a person: "4G", or "0=4G, 1=8G".
func sizesOf(want []config.Limit) string {
	if len(want) == 1 && want[0].GPU == "0" {
		return want[0].Size
	}
	return strings.Join(lists.Map(want, func(l config.Limit) string { return l.GPU + "=" + l.Size }), ", ")
}

const partitionVariable = "CUDA_MPS_SM_PARTITION"

// AskPartitions and AskDevices show what a daemon since CUDA 13.1 divides: its
// static partitions, and the devices that it shows to clients, with MLOPart among
// them the halves of a GPU. An earlier daemon calls them unknown commands.
const (
	AskPartitions = "lspart"
	AskDevices    = "device_query"
)

// Named returns the lines of an answer to display, nil for a daemon that does not support
// the query.
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
