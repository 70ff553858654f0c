// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/report"
	"justnews/internal/requirement"
	"justnews/internal/status"
	"justnews/internal/unitname"
)

// instanceUnit is a unit whose gate stands before it, with what it says last.
func instanceUnit(name, active, sub, text string) facts.Unit {
	return facts.Unit{
		Name: unitname.Of(name), LoadState: "loaded", ActiveState: active, SubState: sub, StatusText: text, Result: "success",
		ExecStartPre: []facts.Exec{{Argv: []string{"/usr/bin/justnews-gate", "--gate-only", name}}},
	}
}

// addUnit adds a unit to a glance, as one that its gate guards.
func addUnit(g *status.Host, name, active, sub, text string) *report.UnitStatus {
	u := g.Add(name, instanceUnit(name, active, sub, text), true, 0)
	u.Gated = true
	return u
}

// hostGlance is a glance at a host with units: one that runs, one whose gate waits,
// one that failed and has no gate.
func hostGlance() *status.Host {
	g := status.New()
	orchestrator := addUnit(g, "gpu_orchestrator", "active", "running", "")
	orchestrator.For = 200
	server := *orchestrator
	g.Orchestrator = report.ServerStatus{URL: "http://127.0.0.1:8014", State: "answers", Unit: &server}
	g.Models, g.Loading = report.ModelsStatus{State: "pending", Reason: "3 of 16 models loaded", Done: 3, Total: 16, Expected: 16}, true
	g.Bus = report.ServerStatus{URL: "http://127.0.0.1:8000", State: "connection refused"}
	addUnit(g, "scout", "activating", "start-pre", "waiting: models: 3 of 16 models loaded, and so many more words that no terminal has room for them").For = 12
	crawler := addUnit(g, "crawler", "failed", "failed", "")
	crawler.Gated, crawler.Result = false, "exit-code"
	g.Problems = []diag.Problem{{Code: diag.UnitFailed, Subject: "justnews@crawler.service", Message: "the instance has failed", Fix: diag.Do(diag.Retry())}}
	g.Settle()
	return g
}

func glanceText(terminal bool, color string, g *status.Host) string {
	var out bytes.Buffer
	a := &app{
		Machine: Machine{Stdout: &out, StdoutTerminal: terminal, Width: func() int { return 80 }, Lookup: utf8Locale},
		Globals: Globals{Color: color},
	}
	a.printGlance(g)
	return out.String()
}

func utf8Locale(name string) (string, bool) { return "C.UTF-8", name == "LC_ALL" }

func TestStatusFitsATerminalAndIsWholeAnywhereElse(t *testing.T) {
	want := `down: 2 of 3 wait for 1 cause

error: UNIT-FAILED: justnews@crawler.service: the instance has failed
  fix: run
    justnews-gate retry
  holds: crawler, scout

orchestrator  answers             http://127.0.0.1:8014, unit up
models        loading             3 of 16 models loaded
bus           connection refused  http://127.0.0.1:8000

STATE            FOR    INSTANCES
UNGATED, failed         crawler
                        Result: exit-code
waiting          12 s   scout
                        models: 3 of 16 models loaded, and so many more words t…
up               3 min  gpu_orchestrator
`
	if diff := cmp.Diff(want, glanceText(true, "never", hostGlance())); diff != "" {
		t.Error(diff)
	}
	whole := glanceText(false, "auto", hostGlance())
	if !strings.Contains(whole, "has room for them\n") || strings.Contains(whole, "\x1b") {
		t.Error(whole)
	}
	colored := glanceText(true, "auto", hostGlance())
	for _, painted := range []string{"\x1b[31;1mUNGATED, failed", "\x1b[32mup ", "\x1b[33mloading ", "\x1b[33mwaiting ", "\x1b[31;1mdown: "} {
		if !strings.Contains(colored, painted) {
			t.Errorf("no %q in %q", painted, colored)
		}
	}
}

func TestStatusInTheCLocaleIsASCII(t *testing.T) {
	var out bytes.Buffer
	a := &app{Machine: Machine{Stdout: &out, StdoutTerminal: true, Width: func() int { return 80 }, Lookup: func(name string) (string, bool) { return "C", name == "LC_ALL" }}}
	a.printGlance(hostGlance())
	if strings.ContainsFunc(out.String(), func(r rune) bool { return r > 0x7e }) || !strings.Contains(out.String(), "more words...\n") {
		t.Error(out.String())
	}
}

func TestStatusInTheCLocaleIsASCIIWhereNothingIsCut(t *testing.T) {
	var out bytes.Buffer
	a := &app{Machine: Machine{Stdout: &out, Lookup: func(name string) (string, bool) { return "C", name == "LC_ALL" }}}
	g := hostGlance()
	g.Models.Reason = "cut by the server…"
	a.printGlance(g)
	if !strings.Contains(out.String(), "cut by the server...\n") {
		t.Error(out.String())
	}
}

// refusedHost is a host of 17 instances, of which all but the orchestrator say this.
func refusedHost(text string) *status.Host {
	g := status.New()
	orchestrator := *addUnit(g, "gpu_orchestrator", "active", "running", "")
	bus := *addUnit(g, "mcp_bus", "failed", "failed", "refused: "+text)
	g.Orchestrator = report.ServerStatus{URL: "http://127.0.0.1:8014", State: "answers", Unit: &orchestrator}
	g.Bus = report.ServerStatus{URL: "http://127.0.0.1:8000", State: "connection refused", Unit: &bus}
	for i := range 15 {
		addUnit(g, fmt.Sprintf("agent_%02d", i), "activating", "auto-restart", "refused: "+text)
	}
	g.Problems = []diag.Problem{
		{Code: diag.ModelsIncomplete, Subject: "http://127.0.0.1:8014", Message: "the models are not loaded, and nothing loads them"},
		{Code: diag.BusUnreachable, Subject: "http://127.0.0.1:8000", Message: "the bus did not answer"},
	}
	return g
}

func TestStatusNamesOneCauseOnceAndNoConsequence(t *testing.T) {
	g := refusedHost("STORE-SNAPSHOT: chief_editor: distilbert: the model has no snapshot")
	whole := diag.Problem{
		Code: diag.StoreSnapshot, Subject: "chief_editor: distilbert", Message: "the model has no snapshot",
		Fix: diag.Advise("copy the snapshot to /opt/models", diag.Retry()),
	}
	g.Problems = append(g.Problems, whole)
	g.Settle()
	if g.Summary != "down: 16 of 17 wait for 1 cause" || g.Status != int(diag.StatusStoreIncomplete) {
		t.Errorf("%q, status %d", g.Summary, g.Status)
	}
	if diff := cmp.Diff([]diag.Problem{whole}, g.Problems); diff != "" {
		t.Error(diff)
	}
	text := glanceText(true, "never", g)
	for _, once := range []string{"STORE-SNAPSHOT", "copy the snapshot", "agent_07", "INCOMPLETE", "UNREACHABLE"} {
		want := map[string]int{"agent_07": 2, "INCOMPLETE": 0, "UNREACHABLE": 0}[once]
		if once == "STORE-SNAPSHOT" || once == "copy the snapshot" {
			want = 1
		}
		if n := strings.Count(text, once); n != want {
			t.Errorf("%q %d times, want %d:\n%s", once, n, want, text)
		}
	}
	if n := strings.Count(text, "\n"); n > 24 {
		t.Errorf("%d lines for one cause:\n%s", n, text)
	}
}

func TestPreflightOfWhatWasStoppedOnPurposeAsksNoServer(t *testing.T) {
	cfg := &config.Config{Instances: []config.Instance{{Name: "scout", Enabled: true}}}
	wanted := requirement.Run{RequireModels: true, RequireBus: true}
	wanted.Orchestrator.Unit, wanted.Bus.Unit = "justnews@gpu_orchestrator.service", "justnews@mcp_bus.service"
	w := wanted
	found := notStarted(t.Context(), cfg, &w, everyUnit{LoadState: "loaded", ActiveState: "inactive", SubState: "dead"})
	if len(found) != 1 || found[0].Severity != diag.Warning || w.RequireModels || w.RequireBus {
		t.Errorf("%+v, models %v, bus %v", found, w.RequireModels, w.RequireBus)
	}
	for _, u := range []everyUnit{{LoadState: "loaded", ActiveState: "active", SubState: "running"}, {LoadState: "loaded", ActiveState: "inactive", Job: true}} {
		if w = wanted; len(notStarted(t.Context(), cfg, &w, u)) > 0 || !w.RequireModels || !w.RequireBus {
			t.Errorf("%+v: models %v, bus %v", u, w.RequireModels, w.RequireBus)
		}
	}
}

func TestAGPUThatIsNotNeededAndNotThereIsNotGood(t *testing.T) {
	g := status.New()
	g.GPU.State = "NVIDIA's management library cannot be loaded"
	for needed, want := range map[bool]string{false: "gpu           NVIDIA's", true: "gpu           \x1b[31;1mNVIDIA's"} {
		g.GPUNeeded = needed
		if text := glanceText(false, "always", g); !strings.Contains(text, want) {
			t.Errorf("needed %v: %q", needed, text)
		}
	}
}

// everyUnit is systemd with one answer for every unit.
type everyUnit facts.Unit

func (u everyUnit) Unit(_ context.Context, name string) (facts.Unit, error) {
	found := facts.Unit(u)
	found.Name = name
	return found, nil
}

// loaded is systemd with these units and no other.
type loaded map[string]facts.Unit

func (l loaded) Unit(_ context.Context, name string) (facts.Unit, error) {
	u, known := l[name]
	if !known {
		u.LoadState = "not-found"
	}
	u.Name = name
	return u, nil
}

func (l loaded) Units(context.Context, string) ([]string, error) {
	return slices.Sorted(maps.Keys(l)), nil
}

func TestStatusOfABrokenConfigurationHasTheUnitsThatSystemdKnows(t *testing.T) {
	g := status.New()
	g.Problems = []diag.Problem{{Code: diag.ConfigSyntax, Message: "unexpected end of file"}}
	g.LookAtLoaded(t.Context(), loaded{
		"justnews@memory.service":  instanceUnit("memory", "active", "running", ""),
		"justnews@scout.service":   instanceUnit("scout", "failed", "failed", "refused: CONFIG-SYNTAX: unexpected end of file"),
		"justnews@gone.service":    {LoadState: "not-found"},
		"justnews@a\\x2db.service": instanceUnit("a-b", "active", "running", ""),
	})
	g.Settle()
	text := glanceText(true, "never", g)
	if !strings.HasSuffix(text, "\nrefused       scout\nup            memory\n") {
		t.Error(text)
	}
	if g.Summary != "down: 1 of 2 wait for 1 cause" {
		t.Error(g.Summary)
	}
}

func TestASurveysStatusIsOneOfThree(t *testing.T) {
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
		if settleSurvey(&r); r.Status != c.want {
			t.Errorf("%s: status %d, want %d", what, r.Status, c.want)
		}
	}
}

func TestASurveysFindingsAreGroupedTheWorstAreaFirst(t *testing.T) {
	var r gate.Result
	for _, f := range []struct {
		code diag.Code
		sev  diag.Severity
		on   string
	}{
		{diag.NoLock, diag.Notice, "1"}, {diag.Ungated, diag.Warning, "2"}, {diag.BusUnreachable, diag.Error, "3"},
		{diag.Ungated, diag.Error, "4"}, {diag.BusUnreachable, diag.Error, "5"}, {diag.Ungated, diag.Error, "6"},
	} {
		r.Problems = append(r.Problems, diag.Problem{Code: f.code, Severity: f.sev, Subject: f.on})
	}
	settleSurvey(&r)
	var order string
	for _, p := range r.Problems {
		order += p.Subject
	}
	if order != "462351" {
		t.Errorf("order %s", order)
	}
}

func TestPreflightNamesTheCauseBeforeWhatFollowsFromIt(t *testing.T) {
	var r gate.Result
	for i := range 17 {
		r.Problems = append(r.Problems, diag.Problem{Code: diag.UnitFailed, Subject: fmt.Sprint(i)})
	}
	r.Problems = append(r.Problems,
		diag.Problem{Code: diag.BusUnreachable}, diag.Problem{Code: diag.MapMissing, Severity: diag.Warning},
		diag.Problem{Code: diag.StoreSnapshot}, diag.Problem{Code: diag.ModelsIncomplete})
	settleSurvey(&r)
	if n := len(r.Problems); r.Problems[0].Code != diag.StoreSnapshot || r.Problems[n-1].Code != diag.MapMissing {
		t.Errorf("%+v", r.Problems)
	}
}
