// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
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
	Timeout span `name:"timeout" placeholder:"TIME" help:"How long to wait for what is not ready yet: 300, 300s, 5min. Overrides GATE_TIMEOUT."`
}

// Run makes every check of this host and reports every finding.
func (c *preflightCommand) Run(a *app) error {
	var cfg *config.Config
	return a.waitFor(errand{
		name: "preflight", survey: true,
		wish: func(loaded *config.Config) (wish.Wish, []diag.Problem) {
			cfg = loaded
			w, problems := wish.ForHost(loaded, a.Lookup, wish.Flags{Timeout: c.Timeout.pointer()})
			w.RequireBus = slices.ContainsFunc(loaded.Instances, func(i config.Instance) bool { return i.RequireBus })
			w.RequireMPS = len(mpsInstances(loaded)) > 0
			w.Needs = everyProbe(loaded)
			return w, problems
		},
		run: func(ctx context.Context, w wish.Wish, x gate.World) gate.Result {
			res := gate.Survey(ctx, w, x)
			if w.RequireMPS {
				res.Problems = append(res.Problems, gate.Opinion(ctx, w, x, res.MPS.Reached)...)
			}
			res.Problems = append(res.Problems, unitFindings(ctx, cfg, x.Units)...)
			res.Problems = append(res.Problems, check.MapInstances(x.Map.Models, w.Models.Map, instanceNames(cfg))...)
			return res
		},
	})
}

func instanceNames(cfg *config.Config) []string {
	var names []string
	for _, i := range cfg.Instances {
		names = append(names, i.Name)
	}
	return names
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
			return append(problems, noSystemd(wish.InstanceUnit(i.Name), err))
		}
		problems = append(problems, check.Gated(unit)...)
	}
	return problems
}

// noSystemd is the warning of a question that systemd did not answer. It is
// asked no further: the next one would wait as long.
func noSystemd(unit string, err error) diag.Problem {
	return diag.Problem{
		Code: diag.NoSystemd, Severity: diag.Warning, Subject: unit,
		Message: "systemd cannot be asked", Seen: err.Error(), Fix: "systemctl start dbus.socket",
	}
}

// settleSurvey puts the worst findings first, those of one code together, and
// reduces the exit status to the three of preflight: 0 nothing, 1 critical
// findings, 2 warnings only. A run that a broken configuration or environment
// ended before it began keeps its own, 78: nothing was checked. Its status 2
// opens nothing, so that its unit may take it for a success.
func settleSurvey(r *gate.Result) {
	first := map[diag.Code]int{}
	for i, p := range r.Problems {
		if _, seen := first[p.Code]; !seen {
			first[p.Code] = i
		}
	}
	slices.SortStableFunc(r.Problems, func(a, b diag.Problem) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(first[a.Code], first[b.Code]))
	})
	r.Settle()
	warned := slices.ContainsFunc(r.Problems, func(p diag.Problem) bool { return p.Severity == diag.Warning })
	switch {
	case r.Refused:
	case len(diag.Errors(r.Problems)) > 0:
		r.Status = diag.StatusFailed
	case r.Passed() && warned:
		r.Status = diag.StatusWarnings
	}
}
