// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"slices"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/plan"
	"justnews/internal/probe/systemd"
	"justnews/internal/unitname"
)

// unitMark returns how a gate compares its unit with the configuration, of which cfg
// is what the run has read; nil for a
// run that opens no unit of ours: by hand, or as a command of another unit.
func (a *app) unitMark(e waitingRun, cfg *config.Config, own *facts.Unit, conn *systemd.Conn) *gate.Mark {
	if !e.mayBeOff || !(slices.Contains(a.Groups, e.unit) || own != nil && own.Name == e.unit) {
		return nil
	}
	if _, guarded := cfg.Guard(e.unit); e.guard && !guarded {
		return nil // ready, by a line of the unit's own: nothing is generated for it
	}
	read, _ := wantedMark(cfg, e.instance)
	if own != nil && own.Name != e.unit {
		own = nil
	}
	traceback, _ := a.Lookup("GOTRACEBACK")
	return &gate.Mark{
		Own:    own,
		Read:   read,
		Aborts: traceback == "crash",
		Unit: func(ctx context.Context) (facts.Unit, error) {
			if conn != nil {
				return conn.Unit(ctx, e.unit, compared...)
			}
			late, err := systemd.Open(ctx, a.busAddress())
			if err != nil {
				return facts.Unit{}, err
			}
			defer late.Close()
			return late.Unit(ctx, e.unit, compared...)
		},
		Wanted: func() (facts.Mark, []diag.Problem) {
			cfg, problems := config.Load(a.source())
			if cfg == nil {
				return facts.Mark{}, problems
			}
			return wantedMark(cfg, e.instance)
		},
	}
}

// compared are the properties that a unit is compared with its configuration by.
var compared = []string{"UnsetEnvironment", "DropInPaths", "SuccessExitStatus"}

// wantedMark derives the mark of an instance's unit, or of a guarded one.
func wantedMark(cfg *config.Config, instance string) (facts.Mark, []diag.Problem) {
	derive := plan.Mark
	if unitname.IsUnit(instance) {
		derive = plan.GuardMark
	}
	want, err := derive(cfg, instance)
	if err != nil {
		return facts.Mark{}, []diag.Problem{diag.New(diag.UnitText, instance, err.Error(),
			diag.Advise("change the value in /etc/justnews/justnews.toml", diag.Run("justnews-gate", "config", "check"), diag.Reload()))}
	}
	return want, nil
}

// marks are those of all instances and guarded units, none where the generator reads
// another configuration than this run.
func (a *app) marks(cfg *config.Config) map[string]facts.Mark {
	if a.ConfigFile != "" || a.Root != "" {
		return nil
	}
	all := make(map[string]facts.Mark, len(cfg.Instances))
	for _, i := range cfg.Instances {
		all[i.Name], _ = wantedMark(cfg, i.Name)
	}
	for _, g := range cfg.Guards {
		all[g.Unit], _ = wantedMark(cfg, g.Unit)
	}
	return all
}
