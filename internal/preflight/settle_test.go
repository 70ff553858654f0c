// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"context"
	"fmt"
	"testing"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/modelmap"
	"justnews/internal/requirement"
)

func TestPreflight_StoppedHostIsNotQueried(t *testing.T) {
	cfg := &config.Config{Instances: []config.Instance{{Name: "scout", Enabled: true}}}
	wanted := requirement.Run{RequireModels: true, RequireBus: true}
	wanted.Orchestrator.Unit, wanted.Bus.Unit = "justnews@gpu_orchestrator.service", "justnews@mcp_bus.service"
	stopped := everyUnit{LoadState: "loaded", ActiveState: "inactive", SubState: "dead"}
	w := wanted
	found := Job{Config: cfg}.notStarted(t.Context(), &w, stopped)
	if len(found) != 1 || found[0].Severity != diag.Warning || w.RequireModels || w.RequireBus {
		t.Errorf("%+v, models %v, bus %v", found, w.RequireModels, w.RequireBus)
	}
	w = wanted
	w.Orchestrator.Unit = "ollama.service"
	if (Job{Config: cfg}).notStarted(t.Context(), &w, stopped); !w.RequireModels || w.RequireBus {
		t.Errorf("a model server of its own: models %v, bus %v", w.RequireModels, w.RequireBus)
	}
	for _, u := range []everyUnit{{LoadState: "loaded", ActiveState: "active", SubState: "running"}, {LoadState: "loaded", ActiveState: "inactive", Job: true}} {
		if w = wanted; len(Job{Config: cfg}.notStarted(t.Context(), &w, u)) > 0 || !w.RequireModels || !w.RequireBus {
			t.Errorf("%+v: models %v, bus %v", u, w.RequireModels, w.RequireBus)
		}
	}
}

func TestSettle_StatusIsOneOfThree(t *testing.T) {
	p := func(code diag.Code, s diag.Severity) diag.Problem {
		return diag.Problem{Code: code, Severity: s, Message: "m", Fix: diag.Advise("f")}
	}
	passed := []gate.StepResult{{Name: "config", Verdict: gate.Passed}}
	for what, c := range map[string]struct {
		problems []diag.Problem
		steps    []gate.StepResult
		refused  bool
		want     diag.Status
	}{
		"nothing":                {nil, passed, false, 0},
		"a notice":               {[]diag.Problem{p(diag.NoLock, diag.Notice)}, passed, false, 0},
		"a warning":              {[]diag.Problem{p(diag.NoLock, diag.Notice), p(diag.MapMissing, diag.Warning)}, passed, false, 2},
		"an error":               {[]diag.Problem{p(diag.MapMissing, diag.Warning), p(diag.BusUnreachable, diag.Error)}, passed, false, 1},
		"an error of its own":    {[]diag.Problem{p(diag.MapUnreadable, diag.Error)}, passed, false, 1},
		"a signal":               {[]diag.Problem{p(diag.Interrupted, diag.Error)}, passed, false, 1},
		"a broken config":        {[]diag.Problem{p(diag.ConfigSyntax, diag.Error)}, passed, true, 78},
		"no step at all":         {nil, nil, false, 70},
		"a step never reached":   {[]diag.Problem{p(diag.MapMissing, diag.Warning)}, []gate.StepResult{{Name: "bus"}}, false, 70},
		"an unknown code blocks": {[]diag.Problem{p("NO-SUCH", diag.Error)}, passed, false, 1},
	} {
		r := gate.Result{Problems: c.problems, Steps: c.steps, Refused: c.refused}
		if Settle(&r); r.Status != c.want {
			t.Errorf("%s: status %d, want %d", what, r.Status, c.want)
		}
	}
}

func TestSettle_FindingsAreGroupedWorstFirst(t *testing.T) {
	found := func(code diag.Code, s diag.Severity) diag.Problem { return diag.Problem{Code: code, Severity: s} }
	failed, silent, warned := found(diag.UnitFailed, diag.Error), found(diag.BusUnreachable, diag.Error), found(diag.Ungated, diag.Warning)
	for what, c := range map[string]struct {
		problems []diag.Problem
		want     string
	}{
		"areas":                   {[]diag.Problem{found(diag.NoLock, diag.Notice), warned, silent, found(diag.Ungated, diag.Error), silent, found(diag.Ungated, diag.Error)}, "462351"},
		"a cause":                 {[]diag.Problem{failed, silent, found(diag.MapMissing, diag.Warning), found(diag.StoreSnapshot, diag.Error), found(diag.ModelsIncomplete, diag.Error), failed}, "416253"},
		"consequences of nothing": {[]diag.Problem{failed, silent, warned}, "132"},
	} {
		r := gate.Result{}
		for n, p := range c.problems {
			p.Subject = fmt.Sprint(n + 1)
			r.Problems = append(r.Problems, p)
		}
		Settle(&r)
		var order string
		for _, p := range r.Problems {
			order += p.Subject
		}
		if order != c.want {
			t.Errorf("%s: order %s, want %s", what, order, c.want)
		}
	}
}

// everyUnit is systemd with one answer for every unit.
type everyUnit facts.Unit

func (u everyUnit) Unit(_ context.Context, name string, _ ...string) (facts.Unit, error) {
	found := facts.Unit(u)
	found.Name = name
	return found, nil
}

// bus is one on which these agents are registered.
type bus []string

func (bus) Health(context.Context) facts.BusHealth { return facts.BusHealth{} }

func (b bus) Agents(context.Context) facts.Registration {
	return facts.Registration{Answer: facts.Answer{Kind: facts.Answered}, Agents: b}
}

// The list comes over the client of the world, which proves whose answer it is.
func TestRegistered_TheWorldsBusIsAsked(t *testing.T) {
	j := Job{Config: &config.Config{}}
	j.Config.Orchestrator.Instance, j.Config.Bus.Instance = "gpu_orchestrator", "mcp_bus"
	wanted := requirement.Run{RequireModels: true, RequireBus: true}
	for name, c := range map[string]struct {
		w     requirement.Run
		bus   gate.Bus
		step  gate.Verdict
		found int
	}{
		"registered":               {wanted, bus{"scout", "gpu_orchestrator"}, gate.Passed, 0},
		"not registered":           {wanted, bus{"scout"}, gate.Passed, 1},
		"not yet, or not any more": {wanted, bus{"scout"}, gate.Failed, 0},
		"no bus is required":       {requirement.Run{RequireModels: true}, bus{"scout"}, gate.Passed, 0},
		"the bus has no list":      {wanted, struct{ gate.Bus }{}, gate.Passed, 0},
	} {
		p := j.registered(t.Context(), c.w, gate.World{Bus: c.bus}, []gate.StepResult{{Name: "mps", Verdict: gate.Passed}, {Name: "orchestrator", Verdict: c.step}})
		if len(p) != c.found || c.found > 0 && p[0].Code != diag.BusUnregistered {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

type adviser struct{}

func (adviser) MPS(context.Context) facts.MPSOpinion { return facts.MPSOpinion{} }

func (adviser) VLLM(context.Context) facts.VLLM {
	return facts.VLLM{Answer: facts.Answer{Kind: facts.Answered}}
}

func TestVLLM_OrchestratorIsAskedWhereTheMapNeedsIt(t *testing.T) {
	models := requirement.Run{RequireModels: true}
	needed := gate.ModelMap{Models: &modelmap.Map{VLLM: []string{"scout"}}}
	for name, c := range map[string]struct {
		w     requirement.Run
		x     gate.World
		found int
	}{
		"needed":             {models, gate.World{Adviser: adviser{}, Map: needed}, 1},
		"no models":          {requirement.Run{}, gate.World{Adviser: adviser{}, Map: needed}, 0},
		"another kind":       {models, gate.World{Map: needed}, 0},
		"no map":             {models, gate.World{Adviser: adviser{}}, 0},
		"a map without such": {models, gate.World{Adviser: adviser{}, Map: gate.ModelMap{Models: &modelmap.Map{}}}, 0},
	} {
		if p := vllm(t.Context(), c.w, c.x); len(p) != c.found {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
