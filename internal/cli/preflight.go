// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"justnews/internal/check/host"
	checkorchestrator "justnews/internal/check/orchestrator"
	"justnews/internal/check/store"
	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/preflight"
	"justnews/internal/probe/orchestrator"
	"justnews/internal/probe/systemd"
	"justnews/internal/requirement"
)

type preflightCommand struct {
	Timeout span `name:"timeout" placeholder:"TIME" help:"How long to wait for what is not ready yet: 300, 300s, 5min. Overrides GATE_TIMEOUT."`
	Stop    bool `name:"stop" help:"First stop the units of ours that hold the instances' ports. Anything else that holds one is named and left alone."`
}

// afterSurvey is what a preflight keeps of its time for what it looks at last.
const afterSurvey = time.Second

// Run makes every check of this host and reports every finding.
func (c *preflightCommand) Run(a *app) error {
	var cfg *config.Config
	return a.waitFor(errand{
		name: "preflight", timeout: c.Timeout, survey: true,
		require: func(loaded *config.Config) (requirement.Run, []diag.Problem) {
			cfg = loaded
			w, problems := requirement.ForHost(loaded, a.Lookup, requirement.Flags{Timeout: c.Timeout.pointer()})
			w.RequireBus = slices.ContainsFunc(loaded.Instances, func(i config.Instance) bool { return i.RequireBus })
			w.RequireMPS = len(mpsInstances(loaded)) > 0
			w.Needs = everyProbe(loaded)
			if len(loaded.Instances) == 0 { // then nothing serves the models, and nothing waits for them
				w.RequireModels, problems = false, append(problems, host.NoInstance(loaded)...)
			}
			return w, problems
		},
		run: func(ctx context.Context, w requirement.Run, x gate.World) gate.Result {
			freed := append(notStarted(ctx, cfg, &w, x.Units), a.free(ctx, c.Stop, cfg, &w, x)...)
			around := a.lookAround(ctx, cfg, x)
			// What follows has to fit into the budget as well.
			look := w
			look.Timeout.Value -= min(afterSurvey, w.Timeout.Value/10)
			res := gate.Survey(ctx, look, x)
			res.Timeout = w.Timeout
			if w.RequireMPS {
				res.Problems = append(res.Problems, gate.Opinion(ctx, w, x, res.MPS.Reached)...)
			}
			res.Problems = slices.Concat(freed, res.Problems, <-around, a.registered(ctx, cfg, w))
			res.Problems = append(res.Problems, store.MapInstances(x.Map.Models, w.Models.Map, instanceNames(cfg))...)
			if x.Units == nil {
				res.Problems = append(res.Problems, noUnits(res.Problems)...)
			}
			res.Elapsed = time.Since(a.Began)
			return res
		},
	})
}

// host is how the machine around the gates is looked at.
func (a *app) host() preflight.Host {
	if a.Host != nil {
		return *a.Host
	}
	return preflight.Real(string(a.Root), a.inUnit())
}

// lookAround looks at everything but the servers while those are waited for.
func (a *app) lookAround(ctx context.Context, cfg *config.Config, x gate.World) <-chan []diag.Problem {
	job := preflight.Job{Config: cfg, Host: a.host(), Marks: a.marks(cfg)}
	if conn, ok := x.Units.(*systemd.Conn); ok {
		job.Units = conn
	}
	if a.ConfigFile == "" && a.Root == "" { // else the generator reads another configuration
		job.Generated = func(env []facts.EnvFile) []facts.Generated {
			return preflight.Generated(cfg, env, os.Getenv)
		}
	}
	found := make(chan []diag.Problem, 1)
	go func() { found <- preflight.Look(ctx, job) }()
	return found
}

// free stops what holds the instances' ports. What was stopped on purpose is
// not waited for then.
func (a *app) free(ctx context.Context, asked bool, cfg *config.Config, w *requirement.Run, x gate.World) []diag.Problem {
	conn, ok := x.Units.(*systemd.Conn)
	switch {
	case !asked:
		return nil
	case !ok:
		return []diag.Problem{unit.NoSystemd(diag.Warning, "--stop", "no unit can be stopped")}
	}
	freed := preflight.FreePorts(ctx, cfg, a.host(), conn, conn)
	if slices.Contains(freed.Stopped, w.Orchestrator.Unit) {
		w.RequireModels = false
	}
	if slices.Contains(freed.Stopped, w.Bus.Unit) {
		w.RequireBus = false
	}
	return freed.Problems
}

// notStarted says once that justnews.target is stopped and every instance with
// it: what their servers do not say then is no finding, nor waited for.
func notStarted(ctx context.Context, cfg *config.Config, w *requirement.Run, units gate.Units) []diag.Problem {
	if units == nil {
		return nil
	}
	g := nothingSeen()
	if lookAtUnits(ctx, &g, cfg, *w, units, nil); !g.stopped() {
		return nil
	}
	w.RequireModels = w.RequireModels && w.Orchestrator.Unit == ""
	w.RequireBus = w.RequireBus && w.Bus.Unit == ""
	return []diag.Problem{unit.TargetStopped()}
}

// registered asks the bus whether it knows the orchestrator, where both are
// units of this host and the bus was to be asked at all.
func (a *app) registered(ctx context.Context, cfg *config.Config, w requirement.Run) []diag.Problem {
	if !w.RequireBus || !w.RequireModels || cfg.Orchestrator.Instance == "" || cfg.Bus.Instance == "" {
		return nil
	}
	bus, err := orchestrator.NewBus(w.Bus.URL)
	if err != nil {
		return nil // said before
	}
	defer bus.Close()
	return checkorchestrator.Registered(bus.Agents(ctx), cfg.Orchestrator.Instance, w.Bus.URL)
}

// noUnits says once that units were not asked for, unless that was said.
func noUnits(problems []diag.Problem) []diag.Problem {
	if slices.ContainsFunc(problems, func(p diag.Problem) bool { return p.Code == diag.NoSystemd }) {
		return nil
	}
	return []diag.Problem{unit.NoSystemd(diag.Notice, "preflight", "units, users, paths and ports are left out")}
}

func everyProbe(cfg *config.Config) []config.Probe {
	var all []config.Probe
	for _, p := range cfg.Probes {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b config.Probe) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// consequences is the group of the errors that follow from others.
const consequences = "consequences"

// followsIn returns what groups findings: by area, and those errors that only
// say what the others lead to by themselves. Where there are no others, none
// follows.
func followsIn(problems []diag.Problem) func(diag.Problem) string {
	follows := func(p diag.Problem) bool {
		return p.Severity == diag.Error && (p.Code == diag.UnitFailed || p.Code == diag.RestartLoop || consequential(p.Code))
	}
	cause := slices.ContainsFunc(problems, func(p diag.Problem) bool { return p.Severity == diag.Error && !follows(p) })
	return func(p diag.Problem) string {
		if cause && follows(p) {
			return consequences
		}
		return p.Code.Area()
	}
}

// settleSurvey groups the findings by what they are about, the area with the
// worst first, and in each the worst first; then it reduces the exit status to
// the three of preflight: 0 nothing, 1 critical findings, 2 warnings only. A run
// that a broken configuration or environment ended before it began keeps its
// own, 78: nothing was checked. Its status 2 opens nothing, so that its unit may
// take it for a success.
func settleSurvey(r *gate.Result) {
	first, worst := map[diag.Code]int{}, map[string]diag.Severity{}
	begun := map[string]int{}
	group := followsIn(r.Problems)
	for i, p := range r.Problems {
		area := group(p)
		if _, seen := first[p.Code]; !seen {
			first[p.Code] = i
		}
		if s, seen := worst[area]; !seen {
			worst[area], begun[area] = p.Severity, i
		} else {
			worst[area] = min(s, p.Severity)
		}
	}
	last := func(area string) int {
		if area == consequences {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(r.Problems, func(a, b diag.Problem) int {
		x, y := group(a), group(b)
		return cmp.Or(cmp.Compare(worst[x], worst[y]), cmp.Compare(last(x), last(y)), cmp.Compare(begun[x], begun[y]),
			cmp.Compare(a.Severity, b.Severity), cmp.Compare(first[a.Code], first[b.Code]))
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
