// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"justnews/internal/check/host"
	checkorchestrator "justnews/internal/check/orchestrator"
	"justnews/internal/check/store"
	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/requirement"
	"justnews/internal/status"
	"justnews/internal/unitname"
)

// afterSurvey is how much of its time a preflight reserves for what it looks at last.
const afterSurvey = time.Second

// Require returns what a preflight has to verify: everything that any instance waits for.
func Require(cfg *config.Config, env requirement.Lookup, flags requirement.Flags) (requirement.Run, []diag.Problem) {
	w, problems := requirement.ForHost(cfg, env, flags)
	w.RequireBus = slices.ContainsFunc(cfg.Instances, func(i config.Instance) bool { return i.RequireBus }) ||
		cfg.AnyGuard(func(g config.Guard) bool { return g.RequireBus })
	w.RequireMPS = cfg.UsesMPS()
	for _, name := range slices.Sorted(maps.Keys(cfg.Probes)) {
		w.Needs = append(w.Needs, cfg.Probes[name])
	}
	if len(cfg.Instances) == 0 { // then nothing of ours serves the models
		w.RequireModels = cfg.AnyGuard(func(g config.Guard) bool { return g.RequireModels })
		problems = append(problems, host.NoInstance(cfg)...)
	}
	return w, problems
}

// Run makes every check of a host: of the servers, as a gate does, and of all
// around them. Settle determines the result.
func Run(ctx context.Context, j Job, w requirement.Run, x gate.World) gate.Result {
	first := j.notStarted(ctx, &w, x.Units)
	first = append(first, j.free(ctx, &w)...)
	around := make(chan []diag.Problem, 1)
	go func() { around <- Look(ctx, j) }()
	// What follows has to fit into the budget as well.
	look := w
	look.Timeout.Value -= min(afterSurvey, w.Timeout.Value/10)
	res := gate.Survey(ctx, look, x)
	res.Timeout = w.Timeout
	if w.RequireMPS {
		res.Problems = append(res.Problems, gate.Opinion(ctx, w, x, res.MPS.Reached)...)
	}
	res.Problems = slices.Concat(first, res.Problems, <-around, j.registered(ctx, w, x, res.Steps), vllm(ctx, w, x))
	res.Problems = append(res.Problems, store.MapInstances(x.Map.Models, w.Models.Map, j.Config.InstanceNames())...)
	if x.Units == nil && !slices.ContainsFunc(res.Problems, func(p diag.Problem) bool { return p.Code == diag.NoSystemd }) {
		res.Problems = append(res.Problems, unit.NoSystemd(diag.Notice, "preflight", "units, users, paths and ports are not checked"))
	}
	res.Elapsed = time.Since(x.Began)
	return res
}

// free stops what holds the instances' ports, where that was asked for. What was
// stopped on purpose is not waited for then.
func (j Job) free(ctx context.Context, w *requirement.Run) []diag.Problem {
	switch {
	case !j.Stop:
		return nil
	case j.Units == nil:
		return []diag.Problem{unit.NoSystemd(diag.Warning, "--stop", "no unit can be stopped")}
	}
	freed := FreePorts(ctx, j.Config, j.Host, j.Units)
	if slices.Contains(freed.Stopped, w.Orchestrator.Unit) {
		w.RequireModels = false
	}
	if slices.Contains(freed.Stopped, w.Bus.Unit) {
		w.RequireBus = false
	}
	return freed.Problems
}

// notStarted reports once that justnews.target is stopped and every instance with
// it: that their servers are silent is then no finding, and not waited for. A model
// server in a unit of its own does not stop with the target.
func (j Job) notStarted(ctx context.Context, w *requirement.Run, units gate.Units) []diag.Problem {
	h := status.New()
	if h.LookAtUnits(ctx, j.Config, *w, units, nil); !h.Stopped() {
		return nil
	}
	w.RequireModels = w.RequireModels && unitname.Instance(w.Orchestrator.Unit) == ""
	w.RequireBus = w.RequireBus && w.Bus.Unit == ""
	return []diag.Problem{checkorchestrator.TargetStopped()}
}

// vllm asks the orchestrator about the vLLM server, where the map needs one.
func vllm(ctx context.Context, w requirement.Run, x gate.World) []diag.Problem {
	m := x.Map.Models
	if !w.RequireModels || x.Adviser == nil || m == nil || len(m.VLLM) == 0 {
		return nil
	}
	return checkorchestrator.VLLM(x.Adviser.VLLM(ctx), m.VLLM, w.Orchestrator.URL, w.Orchestrator.Unit)
}

// registry lists the agents that are registered with the bus.
type registry interface {
	Agents(ctx context.Context) facts.Registration
}

// registered queries the bus for the orchestrator's registration, if both are units of this
// host and the bus is required at all. An orchestrator that does not answer may still be
// registering: its port is closed meanwhile.
func (j Job) registered(ctx context.Context, w requirement.Run, x gate.World, steps []gate.StepResult) []diag.Problem {
	cfg := j.Config
	answers := slices.ContainsFunc(steps, func(s gate.StepResult) bool { return s.Name == "orchestrator" && s.Verdict == gate.Passed })
	bus, lists := x.Bus.(registry)
	if !answers || !lists || !w.RequireBus || cfg.Orchestrator.Instance == "" || cfg.Bus.Instance == "" {
		return nil
	}
	return checkorchestrator.Registered(bus.Agents(ctx), cfg.Orchestrator.Instance, w.Bus.URL)
}

// consequences is the group of the errors that follow from others.
const consequences = "consequences"

// followsIn returns the function that groups findings: by area, with errors that are merely
// consequences of others in a separate group. If there are no others, nothing is a
// consequence.
func followsIn(problems []diag.Problem) func(diag.Problem) string {
	follows := func(p diag.Problem) bool {
		return p.Severity == diag.Error && (p.Code == diag.UnitFailed || p.Code == diag.RestartLoop || status.Consequential(p.Code))
	}
	cause := slices.ContainsFunc(problems, func(p diag.Problem) bool { return p.Severity == diag.Error && !follows(p) })
	return func(p diag.Problem) string {
		if cause && follows(p) {
			return consequences
		}
		return p.Code.Area()
	}
}

// Settle groups the findings by what they are about, the area with the
// worst first, and in each the worst first; then it reduces the exit status to
// preflight's three: 0 nothing, 1 critical findings, 2 warnings only. A run that
// ended before its checks, on a broken configuration or environment, keeps its own,
// 78. Nothing starts on preflight's status, so its unit may count 2 as success.
func Settle(r *gate.Result) {
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
func FreePorts(ctx context.Context, cfg *config.Config, h Host, units Units) Freed {
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
			f.free(ctx, i, units)
		}
	}
	return f
}

func (f *Freed) free(ctx context.Context, i instance, units Units) {
	unit := holder(i)
	if unitname.Instance(unit) == "" {
		f.Problems = append(f.Problems, host.NotOurs(i.Name, i.port))
		return
	}
	if slices.Contains(f.Stopped, unit) {
		return
	}
	how, err := units.Stop(ctx, unit)
	if err != nil || how.Refused != "" {
		seen := how.Detail
		if err != nil {
			seen = err.Error()
		}
		f.Problems = append(f.Problems, host.NotStopped(unit, i.Name, i.Port, seen))
		return
	}
	f.Stopped = append(f.Stopped, unit)
	f.Problems = append(f.Problems, diag.New(diag.PortFreed, fmt.Sprintf("port %d", i.Port), "stopped "+unit+", which held the port of "+i.Name,
		diag.Do(diag.Retry())).As(diag.Notice))
}

// holder returns the unit that holds an instance's port, "" if there is none or it is
// unknown. If the processes are not visible, it judges by their user.
func holder(i instance) string {
	for _, q := range i.port.Processes {
		if q.Unit != "" {
			return q.Unit
		}
	}
	if len(i.port.Processes) == 0 && len(host.Port(i.unit, i.port)) == 0 {
		return i.unit.Name
	}
	return ""
}
