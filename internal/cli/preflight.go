// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"slices"
	"strings"

	"justnews/internal/check"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/wish"
)

type preflightCommand struct {
	Timeout span `name:"timeout" placeholder:"TIME" help:"Total budget of the run: 300, 300s, 5min. Overrides GATE_TIMEOUT."`
}

// Run makes every check of this host and reports every finding.
func (c *preflightCommand) Run(a *app) error {
	var cfg *config.Config
	return a.waitFor(errand{
		name: "preflight",
		wish: func(loaded *config.Config) (wish.Wish, []diag.Problem) {
			cfg = loaded
			w, problems := wish.ForHost(loaded, a.Lookup, wish.Flags{Timeout: c.Timeout.pointer()})
			w.RequireBus = slices.ContainsFunc(loaded.Instances, func(i config.Instance) bool { return i.RequireBus })
			w.Needs = everyProbe(loaded)
			return w, problems
		},
		run: func(ctx context.Context, w wish.Wish, x gate.World) gate.Result {
			res := gate.Survey(ctx, w, x)
			res.Problems = append(res.Problems, unitFindings(ctx, cfg, x.Units)...)
			return worstFirst(res)
		},
	})
}

func everyProbe(cfg *config.Config) []config.Probe {
	var all []config.Probe
	for _, p := range cfg.Probes {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b config.Probe) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// unitFindings looks at the unit of every instance: is it there, is it gated,
// does systemd know its latest files.
func unitFindings(ctx context.Context, cfg *config.Config, units gate.Units) []diag.Problem {
	if units == nil {
		return nil
	}
	var problems []diag.Problem
	for _, i := range cfg.Instances {
		unit, err := units.Unit(ctx, wish.InstanceUnit(i.Name))
		if err != nil {
			return append(problems, diag.Problem{
				Code: diag.NoSystemd, Severity: diag.Warning, Subject: wish.InstanceUnit(i.Name),
				Message: "systemd cannot be asked", Seen: err.Error(), Fix: "systemctl start dbus.socket",
			})
		}
		problems = append(problems, check.Gated(unit)...)
	}
	return problems
}

// worstFirst sorts the findings of a survey, and reduces its status to the
// three of preflight: 0 nothing, 1 critical findings, 2 warnings only. A
// configuration that can't be used keeps its own, 78: nothing was checked.
func worstFirst(r gate.Result) gate.Result {
	slices.SortStableFunc(r.Problems, func(a, b diag.Problem) int { return int(a.Severity) - int(b.Severity) })
	r.Settle()
	return r
}
