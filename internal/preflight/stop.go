// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"context"
	"fmt"
	"slices"
	"time"

	"justnews/internal/check/host"
	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/unitname"
)

// Stopper stops a unit and follows the job.
type Stopper interface {
	Stop(ctx context.Context, unit string) (facts.Start, error)
}

// stopLimit bounds all stops together: a unit has TimeoutStopSec= to end.
const stopLimit = 3 * time.Minute

// Freed is the result of freeing the ports.
type Freed struct {
	Stopped  []string // units
	Problems []diag.Problem
}

// FreePorts stops every instance of ours that holds an instance's port, its own
// or another's. What else holds one is named and left alone: no process is ever
// killed.
func FreePorts(ctx context.Context, cfg *config.Config, h Host, units Units, s Stopper) Freed {
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	l := &look{Job: Job{Config: cfg, Host: h, Units: units}, ctx: ctx}
	l.units()
	if l.unasked != nil {
		return Freed{Problems: []diag.Problem{unit.SystemdSilent("systemd", unlooked, l.unasked.Error())}}
	}
	l.ports(l.instances)()
	var f Freed
	for _, i := range l.instances {
		if i.port.Known && len(i.port.UIDs) > 0 {
			f.free(ctx, i, s)
		}
	}
	return f
}

func (f *Freed) free(ctx context.Context, i instance, s Stopper) {
	unit := holder(i)
	if unitname.Instance(unit) == "" {
		f.Problems = append(f.Problems, host.NotOurs(i.Name, i.port))
		return
	}
	if slices.Contains(f.Stopped, unit) {
		return
	}
	how, err := s.Stop(ctx, unit)
	if err != nil || how.Refused != "" {
		seen := how.Detail
		if err != nil {
			seen = err.Error()
		}
		f.Problems = append(f.Problems, host.NotStopped(unit, i.Name, i.Port, seen))
		return
	}
	f.Stopped = append(f.Stopped, unit)
	f.Problems = append(f.Problems, diag.Problem{
		Code: diag.PortFreed, Severity: diag.Notice, Subject: fmt.Sprintf("port %d", i.Port),
		Message: "stopped " + unit + ", which held the port of " + i.Name,
		Fix:     diag.Do(diag.Retry()),
	})
}

// holder returns the unit that holds an instance's port, "" where there is none
// or it is unknown. A user who may not see the processes goes by their user.
func holder(i instance) string {
	for _, q := range i.port.Processes {
		if q.Unit != "" {
			return q.Unit
		}
	}
	if len(i.port.Processes) == 0 && i.unit.MainPID > 0 && len(host.Port(i.unit, i.port)) == 0 {
		return i.unit.Name
	}
	return ""
}
