// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/report"
)

// configured is a host of an orchestrator, a bus, an agent that waits for both, and
// one with MPS that waits for none.
func configured() *config.Config {
	return &config.Config{Instances: []config.Instance{
		{Name: "gpu_orchestrator"}, {Name: "mcp_bus", RequireModels: true},
		{Name: "scout", RequireModels: true, RequireBus: true},
		{Name: "vision", MPS: config.InstanceMPS{Enabled: true}},
	}}
}

// running is a look at that host in which these instances are up, the others stopped,
// and the servers answer.
func running(up ...string) *Host {
	h := New()
	for _, i := range configured().Instances {
		if slices.Contains(up, i.Name) {
			add(h, i.Name, "active", "running", "")
		} else {
			add(h, i.Name, "inactive", "dead", "")
		}
	}
	h.Orchestrator.State, h.Bus.State, h.Models.State = Answers, Answers, "ready"
	h.Orchestrator.Unit, h.Bus.Unit = &h.Units[0], &h.Units[1]
	return h
}

func TestOpenGates_AreJudgedByTheirRequirements(t *testing.T) {
	for _, c := range []struct {
		up   []string
		want Open
	}{
		{nil, Open{}},
		{[]string{"gpu_orchestrator"}, Open{Any: true}},
		{[]string{"mcp_bus"}, Open{Any: true, Models: true}},
		{[]string{"scout"}, Open{Any: true, Models: true, Bus: true}},
		{[]string{"vision"}, Open{Any: true, MPS: true, GPU: true}},
	} {
		if got := running(c.up...).OpenGates(configured(), Open{Any: true, MPS: true}); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.up, got, c.want)
		}
	}
	if got := running("scout").OpenGates(nil, Open{}); got != (Open{Any: true}) {
		t.Errorf("without a configuration: %+v", got)
	}
	guarded := configured()
	guarded.Guards = []config.Guard{{Name: "client", Unit: "client.service", RequireModels: true, RequireMPS: true}}
	client := running()
	if got := client.OpenGates(guarded, Open{Any: true}); got != (Open{Any: true}) {
		t.Errorf("the unit of a guard is missing: %+v", got)
	}
	client.Add("client.service", facts.Unit{Name: "client.service", LoadState: "loaded", ActiveState: "active", SubState: "running"}, true, 0)
	if got := client.OpenGates(guarded, Open{}); got != (Open{Any: true, Models: true, MPS: true, GPU: true}) {
		t.Errorf("a guarded unit is up: %+v", got)
	}
	silent, last := running("scout", "vision"), Open{Any: true, Bus: true}
	silent.Units = silent.Units[:3]
	for _, cfg := range []*config.Config{configured(), nil} {
		if got := silent.OpenGates(cfg, last); got != last {
			t.Errorf("systemd did not answer: %+v, want what was known", got)
		}
		silent.Units = nil
	}
	if got := New().OpenGates(&config.Config{}, last); got != (Open{}) {
		t.Errorf("no instance is configured: %+v", got)
	}
	safe := running("scout")
	safe.SafeMode = true
	if got := safe.OpenGates(configured(), Open{}); got.Models {
		t.Error("in safe mode no gate has waited for the models")
	}
	counted := configured()
	counted.GPU.MinCount = 1
	if got := running("scout").OpenGates(counted, Open{}); !got.GPU {
		t.Error("every gate has counted the GPUs")
	}
}

func TestSteady(t *testing.T) {
	all := []string{"gpu_orchestrator", "mcp_bus", "scout", "vision"}
	problem := func(code diag.Code) func(*Host) {
		return func(h *Host) { h.Problems = append(h.Problems, diag.Problem{Code: code, Subject: "x", Message: "m"}) }
	}
	for name, c := range map[string]struct {
		up     []string
		change func(*Host)
		want   Reading
		why    string
	}{
		"all is well":      {all, func(*Host) {}, Holds, ""},
		"nothing is up":    {nil, problem(diag.BusUnreachable), Shut, ""},
		"no models at all": {all, func(h *Host) { h.Models.State = "failed"; problem(diag.PreloadEmpty)(h) }, Lost, "PRELOAD-EMPTY"},
		"models that a bus alone has waited for": {
			[]string{"mcp_bus"}, func(h *Host) { h.Models.State = "failed"; problem(diag.ModelFailed)(h) }, Lost, "MODEL-FAILED"},
		"models that no gate waited for": {
			[]string{"gpu_orchestrator"}, func(h *Host) { h.Models.State = "failed"; problem(diag.ModelFailed)(h) }, Holds, ""},
		"the bus is gone":                       {all, problem(diag.BusUnreachable), Lost, "BUS-UNREACHABLE"},
		"a bus that no gate waited for":         {[]string{"mcp_bus", "vision"}, problem(diag.BusUnreachable), Holds, ""},
		"another process answers as the server": {all, problem(diag.OrchestratorImpostor), Lost, "ORCHESTRATOR-IMPOSTOR"},
		"MPS is dead":                           {all, problem(diag.MPSDead), Lost, "MPS-DEAD"},
		"MPS that nothing has waited for":       {[]string{"scout"}, problem(diag.MPSDead), Holds, ""},
		"a GPU is gone":                         {all, problem(diag.GPUCount), Lost, "GPU-COUNT"},
		"a warning":                             {all, func(h *Host) { h.Problems = []diag.Problem{{Code: diag.BusDegraded, Severity: diag.Warning}} }, Holds, ""},
		"a map that no gate would take":         {all, problem(diag.MapInvalid), Lost, "MAP-INVALID"},
		"a unit that waits for a reload":        {all, problem(diag.UnitStale), Holds, ""},
		"an agent that has failed":              {all, problem(diag.UnitFailed), Holds, ""},
		"models on their way": {
			all, func(h *Host) { h.Models.State, h.Loading = "pending", true }, Pending, ""},
		"a server on its way": {all, func(h *Host) {
			h.Units[1].State = "starting"
			h.Bus.Unit = &h.Units[1]
			problem(diag.BusUnreachable)(h)
		}, Pending, ""},
		"a server whose unit has failed": {all, func(h *Host) {
			h.Units[0].State = "failed"
			h.Models.State = "unreachable"
			h.Problems = []diag.Problem{
				{Code: diag.UnitFailed, Subject: "justnews@gpu_orchestrator.service", Message: "failed"},
				{Code: diag.OrchestratorUnreachable, Subject: "u", Message: "m"},
			}
		}, Lost, "UNIT-FAILED"},
		"a preload that the store shut": {all, func(h *Host) {
			h.Models.State = "idle"
			h.Preload = facts.Unit{LoadState: "loaded", ActiveState: "failed", StatusText: "refused: " + noSnapshot}
			problem(diag.ModelsIncomplete)(h)
		}, Lost, "STORE-SNAPSHOT"},
		"a preload that is under way": {all, func(h *Host) {
			h.Models.State = "idle"
			h.Preload = facts.Unit{LoadState: "loaded", ActiveState: "activating", StatusText: "waiting: models 3 of 16"}
			problem(diag.ModelsIncomplete)(h)
		}, Pending, ""},
		"a preload that holds after a refusal": {all, func(h *Host) {
			h.Models.State = "idle"
			h.Preload = facts.Unit{LoadState: "loaded", ActiveState: "activating", StatusText: "waiting: refused: MODELS-INCOMPLETE: x: m"}
			problem(diag.ModelsIncomplete)(h)
		}, Lost, "MODELS-INCOMPLETE"},
		"the bus is gone, and an agent has failed": {all, func(h *Host) { problem(diag.UnitFailed)(h); problem(diag.BusUnreachable)(h) }, Lost, "BUS-UNREACHABLE"},
		"the bus is gone, which is no unit of this host": {all, func(h *Host) {
			h.Bus.Unit, h.Orchestrator.Unit = nil, nil
			problem(diag.UnitFailed)(h)
			problem(diag.BusUnreachable)(h)
		}, Lost, "BUS-UNREACHABLE"},
		"models without an explanation": {all, func(h *Host) { h.Models.State = "unknown" }, Lost, ""},
	} {
		h := running(c.up...)
		o := h.OpenGates(configured(), Open{})
		c.change(h)
		got, why := h.Steady(o)
		codes := ""
		for _, p := range why {
			codes += " " + string(p.Code)
		}
		if got != c.want || strings.TrimSpace(codes) != c.why {
			t.Errorf("%s: %v because of%s, want %v because of %s", name, got, codes, c.want, c.why)
		}
	}
	unread := New()
	add(unread, "scout", "active", "running", "")
	unread.Problems = []diag.Problem{{Code: diag.ConfigSyntax, Message: "m"}}
	if got, why := unread.Steady(unread.OpenGates(nil, Open{})); got != Lost || len(why) != 1 {
		t.Errorf("a configuration that cannot be read: %v, %v", got, why)
	}
	var zero Reading
	if zero != Lost {
		t.Error("the zero value is not the worst")
	}
}

func TestWatch_EachChangeIsReportedOnce(t *testing.T) {
	why := []diag.Problem{{Code: diag.PreloadEmpty, Subject: "http://x", Message: "no models"}}
	letters := map[rune]Reading{'.': Holds, 'x': Lost, '~': Pending, '-': Shut}
	// A look every 30 s; what is reported after which look.
	for looks, want := range map[string]string{
		"....":        "",
		"..xx.xx.":    "", // one good look resets
		"..xxx":       "5 lost",
		"..xxxxxxxx":  "5 lost",
		"xxx":         "3 lost", // a watch that begins on a host that is bad already
		"..xxx..":     "5 lost, 6 back",
		"..xxx.xxx":   "5 lost, 6 back, 9 lost",
		"----":        "",
		"xx-x-xx":     "",       // the gates were shut meanwhile
		"..xxx-.":     "5 lost", // they opened again, which proves it once more
		"..xxx---xxx": "5 lost, 11 lost",
		"..x~~xx":     "7 lost", // what is on its way neither counts nor resets
		"..~~~~.":     "",       // two minutes are allowed
		"..~~~~~~~":   "9 lost", // from the third on, at 120 s
		"..~~~~~~.":   "",       // back at the last moment
		"..xxx~~~~~.": "5 lost, 11 back",
	} {
		w := Watch{Failures: 3, Patience: 2 * time.Minute}
		var got []string
		for i, letter := range looks {
			news := w.See(letters[letter], why, time.Unix(int64(i)*30, 0))
			for _, p := range news {
				switch p.Code {
				case diag.ReadinessLost:
					got = append(got, fmt.Sprint(i+1, " lost"))
					if len(news) != 2 || news[1].Code != diag.PreloadEmpty {
						t.Errorf("%s: %v", looks, news)
					}
				case diag.ReadinessRegained:
					got = append(got, fmt.Sprint(i+1, " back"))
				}
			}
		}
		said := strings.Join(got, ", ")
		if said != want {
			t.Errorf("%s: %q, want %q", looks, said, want)
		}
	}
}

func TestWatch_TextAndState(t *testing.T) {
	why := []diag.Problem{{Code: diag.BusUnreachable, Subject: "http://x", Message: "the bus did not answer"}}
	w := Watch{Failures: 2, Patience: time.Minute}
	at := time.Date(2026, 11, 28, 12, 0, 0, 0, time.Local)
	for _, c := range []struct {
		r     Reading
		why   []diag.Problem
		text  string
		state report.WatchState
	}{
		{Shut, nil, "no gate is open", report.WatchState{}},
		{Holds, nil, "good", report.WatchState{Open: true}},
		{Pending, nil, "loading", report.WatchState{Open: true}},
		{Lost, why, "failed checks: 1 of 2 in a row: BUS-UNREACHABLE: http://x: the bus did not answer", report.WatchState{Open: true, Bad: 1, Problems: why}},
		{Lost, why, "not ready: since 2026-11-28 12:01:00: BUS-UNREACHABLE: http://x: the bus did not answer", report.WatchState{Open: true, Bad: 2, Lost: true, Problems: why}},
		{Pending, nil, "not ready: since 2026-11-28 12:01:00: still loading", report.WatchState{Open: true, Bad: 3, Lost: true}},
		{Holds, nil, "good", report.WatchState{Open: true}},
	} {
		w.See(c.r, c.why, at)
		at = at.Add(30 * time.Second)
		s := w.State()
		if w.Text() != c.text || s.Open != c.state.Open || s.Bad != c.state.Bad || s.Lost != c.state.Lost || len(s.Problems) != len(c.state.Problems) {
			t.Errorf("%q, %+v; want %q, %+v", w.Text(), s, c.text, c.state)
		}
	}
}
