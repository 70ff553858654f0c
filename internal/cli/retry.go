// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"os"
	"slices"
	"strings"

	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/requirement"
	"justnews/internal/status"
	"justnews/internal/unitname"
)

type retryCommand struct {
	Instances []string `arg:"" optional:"" name:"instance" help:"Instances to start; default: all enabled ones."`
	timeoutFlag
}

// Run resets failed units and starts enabled ones.
func (c *retryCommand) Run(a *app) error {
	_ = a.sweepMetrics() // of instances that were removed: their units do not run again
	var units gate.Again
	conn := a.openSystemd(a.ctx)
	if conn != nil {
		defer conn.Close()
		a.withSaid(func(s *said) bool { // the next refusal of every cause is logged completely
			*s = said{}
			return true
		})
	}
	return a.waitFor(waitingRun{
		name: "retry",
		require: func(cfg *config.Config) (requirement.Run, []diag.Problem) {
			if conn == nil {
				return requirement.Run{}, []diag.Problem{unit.NoSystemd(diag.Error, "systemd", "no unit can be started")}
			}
			w, problems := requirement.ForHost(cfg, a.lookup(cfg, ""), requirement.Flags{Timeout: c.Timeout.duration()})
			again, wrong := retried(cfg, w, c.Instances, failedGuards(a.ctx, cfg, conn))
			units = again
			return w, append(problems, wrong...)
		},
		run: func(ctx context.Context, w requirement.Run, x gate.World) gate.Result {
			r := gate.Retry(ctx, w, x, units, conn)
			r.Problems = status.Fold(r.Problems) // what refuses one gate often refuses them all
			return r
		},
	})
}

// retried lists the units to reset and to start.
func retried(cfg *config.Config, w requirement.Run, named, failed []string) (gate.Again, []diag.Problem) {
	var units gate.Again
	var problems []diag.Problem
	named = slices.Clone(named)
	for n, name := range named {
		if _, guarded := cfg.Guard(name); guarded {
			continue
		}
		named[n] = strings.TrimSuffix(bareInstance(name), ".service")
		if _, listed := cfg.Instance(named[n]); !listed {
			problems = append(problems, requirement.UnknownInstance(cfg, named[n]))
		}
	}
	add := func(unit string) {
		if unit != "" && !slices.Contains(units.Reset, unit) {
			units.Reset = append(units.Reset, unit)
		}
	}
	if cfg.UsesMPS() && w.MPS.Unit != "" {
		add(w.MPS.Unit)
		units.Start = append(units.Start, w.MPS.Unit) // also where the instances run on
	}
	add(w.Orchestrator.Unit)
	add(w.Bus.Unit)
	add(unitname.Preload)
	if len(named) == 0 && w.Orchestrator.Unit != "" {
		units.Start = append(units.Start, unitname.Preload)
	}
	for _, i := range cfg.Instances {
		unit, chosen := unitname.Of(i.Name), slices.Contains(named, i.Name)
		if len(named) == 0 || chosen {
			add(unit)
		}
		if chosen || len(named) == 0 && i.Enabled {
			units.Start = append(units.Start, unit)
		}
	}
	for _, g := range cfg.Guards {
		if slices.Contains(named, g.Unit) || len(named) == 0 && slices.Contains(failed, g.Unit) {
			add(g.Unit)
			units.Start = append(units.Start, g.Unit)
		}
	}
	return units, problems
}

// failedGuards are the guarded units that failed or are being restarted: whether the others
// should run is up to their own packages. An operator's polkit rule does not cover them, so
// systemd decides whether they may be started.
func failedGuards(ctx context.Context, cfg *config.Config, units gate.Units) []string {
	var failed []string
	for _, g := range cfg.Guards {
		u, err := units.Unit(ctx, g.Unit)
		if word := unit.WordOf(u, true); os.Geteuid() == 0 && err == nil && (word == unit.Failed || word == unit.Refused) {
			failed = append(failed, g.Unit)
		}
	}
	return failed
}
