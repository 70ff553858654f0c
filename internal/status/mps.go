// SPDX-License-Identifier: Apache-2.0

package status

import (
	"strings"

	"justnews/internal/config"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/probe/host"
	"justnews/internal/report"
	"justnews/internal/requirement"
)

// MPS is what one look at NVIDIA MPS found.
func MPS(cfg *config.Config, w requirement.Run, found gate.MPSGlance) *report.MPSStatus {
	s := &report.MPSStatus{
		PipeDirectory: w.MPS.PipeDirectory, Require: found.Required.String(), Reached: found.Reached.String(),
		Instances: requirement.MPSInstances(cfg), Server: found.Server, Elsewhere: append([]string{}, found.Look.Elsewhere...), Others: []report.MPSProcess{},
	}
	for _, line := range found.Partitions {
		s.Partitions = append(s.Partitions, report.Brief(line))
	}
	for _, line := range found.MLOPart {
		s.MLOPart = append(s.MLOPart, report.Brief(line))
	}
	if found.Unit != nil {
		s.Unit = new(unitStatus("", *found.Unit, true, host.Monotonic()))
	}
	if found.Look.Daemon != nil {
		s.Daemon, s.Static = new(mpsProcess(*found.Look.Daemon)), found.Look.Daemon.Static()
	}
	for _, other := range found.Look.Others {
		if other.Parent != "justnews-gate" { // another gate's question
			s.Others = append(s.Others, mpsProcess(other))
		}
	}
	return s
}

func mpsProcess(p facts.MPSProcess) report.MPSProcess {
	return report.MPSProcess{
		PID: p.PID, UID: p.UID, Unit: report.Brief(p.Unit), State: p.State,
		Command: report.Brief(strings.Join(p.Args, " ")), PipeDirectory: report.Brief(p.PipeDirectory),
	}
}
