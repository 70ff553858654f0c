// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"justnews/internal/catalogue"
	checkorchestrator "justnews/internal/check/orchestrator"
	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/report"
	"justnews/internal/requirement"
	"justnews/internal/unitname"
)

// gated is a unit whose gate stands before it, with what it says last.
func gated(name, active, sub, text string) facts.Unit {
	return facts.Unit{
		Name: unitname.Of(name), LoadState: "loaded", ActiveState: active, SubState: sub, StatusText: text, Result: "success",
		ExecStartPre: []facts.Exec{{Argv: []string{"/usr/bin/justnews-gate", "--gate-only", name}}},
	}
}

func add(h *Host, name, active, sub, text string) *report.UnitStatus {
	u := h.Add(name, gated(name, active, sub, text), true, 0)
	u.Gated = true
	return u
}

// seventeen is a host whose units are all in one state, but for the orchestrator.
func seventeen(orchestrator, others func(h *Host, name string)) *Host {
	h := New()
	orchestrator(h, "gpu_orchestrator")
	others(h, "mcp_bus")
	for i := range 15 {
		others(h, fmt.Sprintf("agent_%02d", i))
	}
	server, bus := h.Units[0], h.Units[1]
	h.Orchestrator = report.ServerStatus{URL: "http://127.0.0.1:8014", State: Answers, Unit: &server}
	h.Bus = report.ServerStatus{URL: "http://127.0.0.1:8000", State: "connection refused", Unit: &bus}
	return h
}

func in(active, sub, text string) func(*Host, string) {
	return func(h *Host, name string) { add(h, name, active, sub, text) }
}

// refused is a host of 17 instances, of which all but the orchestrator say this.
func refused(text string) *Host {
	h := seventeen(in("active", "running", ""), in("activating", "auto-restart", "refused: "+text))
	h.Problems = silent()
	return h
}

// silent are the problems of servers that are down, or have not loaded their models.
func silent() []diag.Problem {
	return []diag.Problem{
		{Code: diag.ModelsIncomplete, Subject: "http://127.0.0.1:8014", Message: "the models are not loaded, and no preload is running"},
		{Code: diag.BusUnreachable, Subject: "http://127.0.0.1:8000", Message: "the bus did not answer"},
	}
}

const noSnapshot = "STORE-SNAPSHOT: chief_editor: distilbert: the model has no snapshot"

// settleCase is a host, and the expected report.
type settleCase struct {
	host    func() *Host
	summary string
	status  diag.Status
	causes  []string // code and how many instances it holds
}

var settleCases = map[string]settleCase{
	"all are up": {
		func() *Host {
			h := New()
			add(h, "memory", "active", "running", "")
			add(h, "scout", "active", "running", "")
			return h
		},
		"up: 2 of 2", diag.StatusReady, nil,
	},
	"one was stopped": {
		func() *Host {
			h := New()
			add(h, "memory", "inactive", "dead", "")
			add(h, "scout", "active", "running", "")
			return h
		},
		"up: 1 of 2, stopped: memory", diag.StatusReady, nil,
	},
	"all are up and one is ungated": {
		func() *Host {
			h := New()
			add(h, "memory", "active", "running", "").Gated = false
			h.Problems = []diag.Problem{{Code: diag.Ungated, Subject: "justnews@memory.service", Message: "no gate stands before it"}}
			return h
		},
		"degraded: 1 of 1, 1 error", diag.Ungated.Status(), []string{"UNGATED holds 0"},
	},
	"one file hides a drop-in of all": {
		func() *Host {
			h := New()
			for _, name := range []string{"memory", "scout"} {
				add(h, name, "active", "running", "")
				h.Problems = append(h.Problems, diag.Problem{Code: diag.UnitUnmarked, Subject: "justnews@" + name + ".service", Message: "another file hides a drop-in"})
			}
			return h
		},
		"degraded: 2 of 2, 1 error", diag.UnitUnmarked.Status(), []string{"UNIT-UNMARKED holds 0"},
	},
	"one refusal of all, which a look found as well": {
		func() *Host {
			h := refused(noSnapshot)
			h.Problems = append(h.Problems, diag.Problem{Code: diag.StoreSnapshot, Subject: "chief_editor: distilbert", Message: "the model has no snapshot"})
			return h
		},
		"down: 16 of 17 wait for 1 cause", diag.StatusStoreIncomplete, []string{"STORE-SNAPSHOT holds 16"},
	},
	"a refusal between two tries, others queued behind it": {
		func() *Host {
			n := 0
			h := seventeen(in("active", "running", ""), func(h *Host, name string) {
				u := gated(name, "activating", "auto-restart-queued", "refused: "+noSnapshot)
				if u.Job, n = true, n+1; n > 8 {
					u.StatusText, u.SubState, u.ActiveState = "", "dead", "inactive"
				}
				h.Add(name, u, true, 0).Gated = true
			})
			h.Problems = silent()
			return h
		},
		"down: 16 of 17 wait for 1 cause", diag.StatusStoreIncomplete, []string{"STORE-SNAPSHOT holds 16"},
	},
	"gates that hold, and are refused again and again": {
		func() *Host {
			return seventeen(in("active", "running", ""), in("activating", "start-pre", "waiting: refused: "+noSnapshot))
		},
		"down: 16 of 17 wait for 1 cause", diag.StatusStoreIncomplete, []string{"STORE-SNAPSHOT holds 16"},
	},
	"the preload holds for want of models, which a look finds as well": {
		func() *Host {
			h := seventeen(in("active", "running", ""), in("active", "running", ""))
			h.Preload = facts.Unit{LoadState: "loaded", ActiveState: "activating", SubState: "start",
				StatusText: "waiting: refused: MODELS-INCOMPLETE: http://127.0.0.1:8014: the orchestrator started no preload when it was requested"}
			h.Problems = silent()[:1]
			return h
		},
		"degraded: 17 of 17, 1 error", diag.ModelsIncomplete.Status(), []string{"MODELS-INCOMPLETE holds 0"},
	},
	"a gate that holds while the others wait for the models": {
		func() *Host {
			h := seventeen(in("active", "running", ""), in("activating", "start-pre", "waiting: models: 3 of 9 models loaded"))
			add(h, "scout", "activating", "start-pre", "waiting: refused: USER-UNKNOWN: justnews@scout.service: no user")
			h.Loading = true
			return h
		},
		"down: 1 of 18 wait for 1 cause", diag.UserUnknown.Status(), []string{"USER-UNKNOWN holds 1"},
	},
	"the preload was refused, and the gates for want of models": {
		func() *Host {
			h := refused("MODELS-INCOMPLETE: http://127.0.0.1:8014: the orchestrator loaded fewer models than it should")
			h.Preload = facts.Unit{LoadState: "loaded", ActiveState: "failed", StatusText: "refused: " + noSnapshot}
			return h
		},
		"down: 16 of 17 wait for 1 cause", diag.StatusStoreIncomplete, []string{"STORE-SNAPSHOT holds 16"},
	},
	"the preload was refused by the configuration, and the gates for want of models": {
		func() *Host {
			h := refused("MODELS-INCOMPLETE: http://127.0.0.1:8014: the orchestrator loaded fewer models than it should")
			h.Preload = facts.Unit{LoadState: "loaded", ActiveState: "failed", StatusText: "refused: CONFIG-VALUE: x: y"}
			return h
		},
		"down: 16 of 17 wait for 1 cause", diag.ConfigValue.Status(), []string{"CONFIG-VALUE holds 16"},
	},
	"a refusal without another cause": {
		func() *Host { return refused("GPU-NONE: nvidia driver: the NVIDIA driver finds no GPU") },
		"down: 16 of 17 wait for 1 cause, besides 1 error", diag.GPUNone.Status(), // nothing says that the preload waits for a GPU
		[]string{"GPU-NONE holds 16", "MODELS-INCOMPLETE holds 0"},
	},
	"another process has the bus's port, so that the bus fails": {
		func() *Host {
			taken := "refused: BUS-IMPOSTOR: http://127.0.0.1:8000: another process answers instead of the bus"
			h := seventeen(in("active", "running", ""), func(h *Host, name string) {
				if name == "mcp_bus" {
					add(h, name, "activating", "auto-restart", "")
					return
				}
				add(h, name, "activating", "auto-restart", taken)
			})
			h.Problems = []diag.Problem{
				{Code: diag.UnitFailed, Subject: "justnews@mcp_bus.service", Message: "the instance has failed"},
				{Code: diag.BusUnit, Subject: "justnews@mcp_bus.service", Message: "it is not up"},
				{Code: diag.BusImpostor, Subject: "http://127.0.0.1:8000", Message: "another process answers instead of the bus"},
			}
			return h
		},
		"down: 16 of 17 wait for 1 cause", diag.BusImpostor.Status(), []string{"BUS-IMPOSTOR holds 16"},
	},
	"another agent has failed as well": {
		func() *Host {
			h := seventeen(in("active", "running", ""), in("active", "running", ""))
			h.Problems = []diag.Problem{
				{Code: diag.UnitFailed, Subject: "justnews@agent_00.service", Message: "the instance has failed"},
				{Code: diag.BusImpostor, Subject: "http://127.0.0.1:8000", Message: "another process answers instead of the bus"},
			}
			return h
		},
		"degraded: 17 of 17, 2 errors", diag.UnitFailed.Status(), []string{"UNIT-FAILED holds 1", "BUS-IMPOSTOR holds 0"},
	},
	"refusals that differ in the instance and in times": {
		func() *Host {
			h := New()
			for name, span := range map[string]string{"memory": "12 s", "scout": "14 s"} {
				add(h, name, "failed", "failed", "refused: USER-UNKNOWN: justnews@"+name+".service: no user within "+span)
			}
			add(h, "crawler", "failed", "failed", "refused: USER-UNKNOWN: justnews@crawler.service: another text")
			return h
		},
		"down: 3 of 3 wait for 2 causes", diag.UserUnknown.Status(), []string{"USER-UNKNOWN holds 2", "USER-UNKNOWN holds 1"},
	},
	"the same text with two codes": {
		func() *Host {
			h := New()
			add(h, "memory", "failed", "failed", "refused: MPS-DEAD: /run/nvidia-mps: it is not there")
			add(h, "scout", "failed", "failed", "refused: MPS-UNIT: /run/nvidia-mps: it is not there")
			return h
		},
		"down: 2 of 2 wait for 2 causes", diag.MPSDead.Status(), []string{"MPS-DEAD holds 1", "MPS-UNIT holds 1"},
	},
	"a code from another version": {
		func() *Host {
			h := New()
			add(h, "memory", "failed", "failed", "refused: NO-SUCH-CODE: x")
			return h
		},
		"down: 1 of 1 wait for 1 cause", diag.StatusOf([]diag.Problem{{Code: diag.UnitFailed}}), []string{"UNIT-FAILED holds 1"},
	},
	"servers on their way": {
		func() *Host {
			starting := in("activating", "start-pre", "waiting: models: 3 of 16")
			h := seventeen(starting, starting)
			h.Problems = silent()
			h.Problems[0] = diag.Problem{Code: diag.OrchestratorUnreachable, Message: "the orchestrator did not answer"}
			return h
		},
		"starting: 0 of 17", diag.StatusTimeout, nil,
	},
	"stopped on purpose": {
		func() *Host {
			stopped := in("inactive", "dead", "refused: STORE-SNAPSHOT: an old story")
			h := seventeen(stopped, stopped)
			h.Problems = silent()
			h.Problems[0] = diag.Problem{Code: diag.OrchestratorUnreachable, Message: "the orchestrator did not answer"}
			h.Target = facts.Unit{LoadState: "loaded", ActiveState: "inactive"}
			return h
		},
		"stopped: justnews.target is stopped", diag.StatusUnavailable, nil,
	},
	"the target is stopped, and one instance still runs": {
		func() *Host {
			h := refused(noSnapshot)
			h.Target = facts.Unit{LoadState: "loaded", ActiveState: "inactive"}
			return h
		},
		"down: 16 of 17 wait for 1 cause", diag.StatusStoreIncomplete, []string{"STORE-SNAPSHOT holds 16"},
	},
	"one cause holds, another error holds nobody": {
		func() *Host {
			h := New()
			add(h, "memory", "failed", "failed", "refused: "+noSnapshot)
			add(h, "scout", "activating", "start-pre", "waiting: models")
			add(h, "critic", "active", "running", "").Gated = false
			h.Problems = []diag.Problem{{Code: diag.Ungated, Subject: "justnews@critic.service", Message: "no gate stands before it"}}
			return h
		},
		"down: 2 of 3 wait for 1 cause, besides 1 error", diag.StatusStoreIncomplete, []string{"STORE-SNAPSHOT holds 2", "UNGATED holds 0"},
	},
	"one is disabled and one masked": {
		func() *Host {
			h := New()
			add(h, "memory", "active", "running", "")
			h.Add("scout", gated("scout", "inactive", "dead", ""), false, 0)
			masked := gated("critic", "inactive", "dead", "")
			masked.LoadState = "masked"
			h.Add("critic", masked, true, 0)
			return h
		},
		"up: 1 of 1", diag.StatusReady, nil,
	},
	"none is enabled": {
		func() *Host {
			h := New()
			h.Add("scout", gated("scout", "inactive", "dead", ""), false, 0)
			return h
		},
		"up", diag.StatusReady, nil,
	},
	"none is enabled, and something is wrong": {
		func() *Host {
			h := New()
			h.Add("scout", gated("scout", "inactive", "dead", ""), false, 0)
			h.Problems = []diag.Problem{{Code: diag.StoreRoot, Subject: "/m", Message: "the Model Store does not exist"}}
			return h
		},
		"down: 1 error", diag.StoreRoot.Status(), []string{"STORE-ROOT holds 0"},
	},
	"the preload was refused by another version": {
		func() *Host {
			h := New()
			add(h, "memory", "active", "running", "")
			h.Preload = facts.Unit{LoadState: "loaded", ActiveState: "failed", StatusText: "refused: NO-SUCH-CODE: x"}
			return h
		},
		"up: 1 of 1", diag.StatusReady, nil,
	},
	"the preload was refused before it passed": {
		func() *Host {
			h := New()
			add(h, "memory", "active", "running", "")
			h.Preload = facts.Unit{LoadState: "loaded", ActiveState: "active", StatusText: "refused: " + noSnapshot}
			return h
		},
		"up: 1 of 1", diag.StatusReady, nil,
	},
	"no instance": {
		func() *Host {
			h := New()
			h.Unconfigured = true
			return h
		},
		"stopped: no instance is configured", diag.StatusUnavailable, nil,
	},
}

func TestSettle_NamesEachCauseOnce(t *testing.T) {
	for name, c := range settleCases {
		t.Run(name, func(t *testing.T) {
			h := c.host()
			h.Settle()
			if h.Summary != c.summary || h.Status != int(c.status) {
				t.Errorf("%q, status %d; want %q, status %d", h.Summary, h.Status, c.summary, c.status)
			}
			var got []string
			for _, cause := range h.Causes {
				got = append(got, fmt.Sprintf("%s holds %d", cause.Problem.Code, len(cause.Holds)))
			}
			if !slices.Equal(got, c.causes) {
				t.Errorf("causes %q, want %q", got, c.causes)
			}
			if errs := diag.Errors(h.Problems); len(errs) != len(h.Causes) {
				t.Errorf("%d causes, errors %+v", len(h.Causes), errs)
			}
		})
	}
}

func TestSettle_WarningOfSeveralInstancesIsPrintedOnce(t *testing.T) {
	h := New()
	for _, name := range []string{"analyst", "critic", "scout"} {
		u := gated(name, "active", "running", "")
		u.NeedDaemonReload = name != "critic"
		h.Problems = append(h.Problems, unit.Gated(u, false)...)
		masked := facts.Unit{Name: unitname.Of(name), LoadState: "masked"}
		h.Problems = append(h.Problems, unit.Gated(masked, false)...)
	}
	h.Settle()
	var got []string
	for _, p := range h.Problems {
		got = append(got, string(p.Code)+" "+p.Subject)
	}
	want := []string{
		"NEED-RELOAD justnews@analyst.service and also scout",
		"UNGATED justnews@analyst.service", "UNGATED justnews@critic.service", "UNGATED justnews@scout.service", // each has its own fix
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestSettle_RefusalHasTheFixOfItsCode(t *testing.T) {
	h := refused("GPU-NONE: nvidia driver: the NVIDIA driver finds no GPU")
	h.Settle()
	if h.Causes[0].Problem.Fix.Empty() {
		t.Errorf("%+v", h.Causes[0])
	}
	whole := diag.Problem{Code: diag.StoreSnapshot, Subject: "chief_editor: distilbert", Message: "the model has no snapshot", Seen: "evidence"}
	h = refused(noSnapshot)
	h.Problems = append(h.Problems, whole)
	if h.Settle(); h.Causes[0].Problem.Seen != "evidence" {
		t.Errorf("%+v", h.Causes[0])
	}
}

// everyUnit is systemd with one answer for every unit.
type everyUnit facts.Unit

func (u everyUnit) Unit(_ context.Context, name string, _ ...string) (facts.Unit, error) {
	found := facts.Unit(u)
	found.Name = name
	return found, nil
}

func TestLookAtUnits_FindsFailedAndUngatedUnits(t *testing.T) {
	cfg := &config.Config{Instances: []config.Instance{{Name: "crawler"}, {Name: "scout"}}}
	good := facts.Unit{LoadState: "loaded", ActiveState: "active", SubState: "running"}
	for state, want := range map[string]diag.Code{"failed": diag.UnitFailed, "active": diag.Ungated} {
		u := good
		u.ActiveState = state
		h := New()
		h.LookAtUnits(t.Context(), cfg, requirement.Run{}, everyUnit(u), nil)
		found := slices.ContainsFunc(h.Problems, func(p diag.Problem) bool { return p.Code == want })
		if len(h.Units) != 2 || !found || diag.StatusOf(h.Problems) == diag.StatusReady {
			t.Errorf("%s: %+v", state, h)
		}
	}
}

func TestStatus_UnneededBusIsOnlyAWarning(t *testing.T) {
	down := facts.BusHealth{Answer: facts.Answer{Kind: facts.Refused, Detail: "connection refused"}}
	for required, want := range map[bool]diag.Status{true: diag.StatusUnavailable, false: diag.StatusReady} {
		cfg := &config.Config{Instances: []config.Instance{{Name: "scout", RequireBus: required}}}
		problems := busProblems(cfg, requirement.Run{}, down)
		if len(problems) != len(checkorchestrator.Bus("", "", down)) || diag.StatusOf(problems) != want {
			t.Errorf("required %v: %+v", required, problems)
		}
	}
}

// A guarded unit is listed by its own name, with what keeps it down by its gate's exit
// status: its unit passes no status text on.
func TestLookAtUnits_ShowsGuardedUnits(t *testing.T) {
	cfg := &config.Config{Guards: []config.Guard{{Name: "client", Unit: "client.service", When: "before"}}}
	gate := facts.Exec{Argv: []string{"/usr/bin/justnews-gate", "--gate-only", "client.service"}}
	look := func(u facts.Unit) *Host {
		u.LoadState, u.Service.FileState = "loaded", "enabled"
		h := New()
		h.LookAtUnits(t.Context(), cfg, requirement.Run{}, everyUnit(u), nil)
		h.Settle()
		return h
	}
	up := look(facts.Unit{ActiveState: "active", SubState: "running", ExecStartPre: []facts.Exec{gate}})
	if len(up.Units) != 1 || up.Units[0].Instance != "client.service" || !up.Units[0].Gated || up.State != Up {
		t.Errorf("up: %+v", up.HostStatus)
	}
	gate.Code, gate.Status = facts.CodeExited, 69
	down := look(facts.Unit{ActiveState: "failed", SubState: "failed", Result: "exit-code", ExecStartPre: []facts.Exec{gate}})
	if down.Units[0].State != "refused" || len(down.Causes) != 1 || !slices.Equal(down.Causes[0].Holds, []string{"client.service"}) ||
		down.Causes[0].Problem.Code != diag.UnitFailed || down.State != Down {
		t.Errorf("refused: %+v", down.HostStatus)
	}
	if open := look(facts.Unit{ActiveState: "active", SubState: "running"}); open.Units[0].Gated || open.State == Up {
		t.Errorf("without its gate: %+v", open.HostStatus)
	}
	after := *cfg
	after.Guards = []config.Guard{{Name: "client", Unit: "client.service", When: "after"}}
	h := New()
	h.LookAtUnits(t.Context(), &after, requirement.Run{}, everyUnit(facts.Unit{LoadState: "loaded", ActiveState: "active", ExecStartPre: []facts.Exec{gate}}), nil)
	if h.Units[0].Gated {
		t.Error("a line in the other place counts as a gate")
	}
}

func TestStopped_IsTheTargetWithoutAnythingThatRuns(t *testing.T) {
	stopped := facts.Unit{LoadState: "loaded", ActiveState: "inactive"}
	instance := func(active string) func(*Host) { return func(h *Host) { add(h, "scout", active, "", "") } }
	guard := func(h *Host) { h.Add("client.service", gated("client.service", "active", "running", ""), true, 0) }
	for name, c := range map[string]struct {
		target facts.Unit
		units  []func(*Host)
		want   bool
	}{
		"nothing runs":                 {stopped, []func(*Host){instance("inactive")}, true},
		"an instance runs":             {stopped, []func(*Host){instance("active")}, false},
		"an instance, and a guard":     {stopped, []func(*Host){instance("inactive"), guard}, true},
		"a guard alone":                {stopped, []func(*Host){guard}, false},
		"nothing is configured":        {stopped, nil, true},
		"the target is up":             {facts.Unit{LoadState: "loaded", ActiveState: "active"}, []func(*Host){instance("inactive")}, false},
		"the target is about to start": {facts.Unit{LoadState: "loaded", ActiveState: "inactive", Job: true}, []func(*Host){instance("inactive")}, false},
		"there is no target":           {facts.Unit{LoadState: "not-found", ActiveState: "inactive"}, []func(*Host){instance("inactive")}, false},
	} {
		h := New()
		h.Target = c.target
		for _, add := range c.units {
			add(h)
		}
		if got := h.Stopped(); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestSettle_NamesTheCauseWithWhatItHolds(t *testing.T) {
	h := seventeen(in("active", "running", ""), in("failed", "failed", "refused: "+noSnapshot))
	add(h, "stopped", "inactive", "dead", "")
	h.Problems = silent()
	h.Settle()
	for _, u := range h.Units {
		if want := map[bool]diag.Code{true: diag.StoreSnapshot}[u.Instance != "gpu_orchestrator" && u.Instance != "stopped"]; u.Cause != want {
			t.Errorf("%s: %q, want %q", u.Instance, u.Cause, want)
		}
	}
	if h.Bus.Unit.Cause != diag.StoreSnapshot || h.Orchestrator.Unit.Cause != "" {
		t.Errorf("bus %q, orchestrator %q", h.Bus.Unit.Cause, h.Orchestrator.Unit.Cause)
	}
}

// A cause of which only the words of a gate are known is looked up in its journal.
func TestSettle_RefusalIsExplainedByItsJournal(t *testing.T) {
	h := New()
	add(h, "scout", "failed", "failed", "refused: "+noSnapshot)
	h.Settle()
	fix := h.Causes[0].Problem.Fix
	if e, _ := catalogue.Lookup(diag.StoreSnapshot); len(e.Fix.Look) == 0 != (len(fix.Look) == 1 && fix.Look[0].String() == diag.LogOf("justnews@scout.service").String()) {
		t.Errorf("%+v", fix)
	}
}

func TestUnitStatus_TimeIsThatOfThePresentState(t *testing.T) {
	times := facts.UnitTimes{StateChange: 60 * time.Second, ActiveEnter: 40 * time.Second}
	for name, c := range map[string]struct {
		active string
		job    bool
		times  facts.UnitTimes
		now    time.Duration
		want   float64
	}{
		"up since it is active":      {"active", false, times, 100 * time.Second, 60},
		"down since it changed":      {"failed", false, times, 100 * time.Second, 40},
		"queued":                     {"inactive", true, times, 100 * time.Second, 0},
		"the time is not known":      {"failed", false, facts.UnitTimes{}, 100 * time.Second, 0},
		"the clock is that of later": {"failed", false, times, 50 * time.Second, 0},
	} {
		u := gated("scout", c.active, "", "")
		u.Job, u.Times = c.job, c.times
		if got := unitStatus("scout", u, true, c.now); got.For != c.want {
			t.Errorf("%s: %v s, want %v", name, got.For, c.want)
		}
	}
}

// Only the Model Store's refusals are worth a look at it.
func TestRefusedForTheStore_IsTheLastStatusOfAGate(t *testing.T) {
	const gpu = "refused: GPU-NONE: nvidia driver: the NVIDIA driver finds no GPU"
	for name, c := range map[string]struct {
		unit    string
		preload facts.Unit
		active  string
		want    bool
	}{
		"a gate":            {unit: "refused: " + noSnapshot, active: "failed", want: true},
		"another cause":     {unit: gpu, active: "failed"},
		"it is up now":      {unit: "refused: " + noSnapshot, active: "active"},
		"the preload":       {active: "active", preload: facts.Unit{LoadState: "loaded", ActiveState: "failed", StatusText: "refused: " + noSnapshot}, want: true},
		"nothing was wrong": {active: "active"},
	} {
		h := New()
		add(h, "scout", c.active, "", c.unit)
		h.Preload = c.preload
		if got := h.refusedForTheStore(); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestSettle_ErrorOfSeveralInstancesIsOneCause(t *testing.T) {
	h := New()
	for _, subject := range []string{"justnews@analyst.service", "justnews@scout.service", "/opt/justnews/models", "/opt/justnews/models"} {
		code, message := diag.UserUnknown, "its user or group does not exist"
		if subject[0] == '/' {
			code, message = diag.StoreFile, "an invalid file"
		}
		h.Problems = append(h.Problems, diag.Problem{Code: code, Severity: diag.Error, Subject: subject, Message: message})
	}
	h.Settle()
	var got []string
	for _, c := range h.Causes {
		got = append(got, string(c.Problem.Code)+" "+c.Problem.Subject)
	}
	if want := []string{"USER-UNKNOWN justnews@analyst.service and also scout", "STORE-FILE /opt/justnews/models"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
