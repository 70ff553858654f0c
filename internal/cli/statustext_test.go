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

	checkorchestrator "justnews/internal/check/orchestrator"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/requirement"
	"justnews/internal/unitname"
)

// instanceUnit is a unit whose gate stands before it, with what it says last.
func instanceUnit(name, active, sub, text string) facts.Unit {
	return facts.Unit{
		Name: unitname.Of(name), LoadState: "loaded", ActiveState: active, SubState: sub, StatusText: text, Result: "success",
		ExecStartPre: []facts.Exec{{Argv: []string{"/usr/bin/justnews-gate", "--gate-only", name}}},
	}
}

func seenUnit(name, active, sub, text string) unitGlance {
	u := newUnitGlance(name, instanceUnit(name, active, sub, text), true, 0)
	u.Gated = true
	return u
}

// hostGlance is a glance at a host with units: one that runs, one whose gate waits,
// one that failed and has no gate.
func hostGlance() glance {
	g := nothingSeen()
	orchestrator := seenUnit("gpu_orchestrator", "active", "running", "")
	orchestrator.For = 200
	g.Orchestrator = serviceGlance{URL: "http://127.0.0.1:8014", State: "answers", Unit: &orchestrator}
	g.Models, g.loading = modelsGlance{State: "pending", Reason: "3 of 16 models loaded", Done: 3, Total: 16, Expected: 16}, true
	g.Bus = serviceGlance{URL: "http://127.0.0.1:8000", State: "connection refused"}
	scout := seenUnit("scout", "activating", "start-pre", "waiting: models: 3 of 16 models loaded, and so many more words that no terminal has room for them")
	scout.For = 12
	crawler := seenUnit("crawler", "failed", "failed", "")
	crawler.Gated, crawler.Result = false, "exit-code"
	g.Units = []unitGlance{orchestrator, scout, crawler}
	g.Problems = []diag.Problem{{Code: diag.UnitFailed, Subject: "justnews@crawler.service", Message: "the instance has failed", Fix: diag.Do(diag.Retry())}}
	g.settle()
	return g
}

func glanceText(terminal bool, color string, g glance) string {
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
func refusedHost(text string) glance {
	g := nothingSeen()
	orchestrator := seenUnit("gpu_orchestrator", "active", "running", "")
	bus := seenUnit("mcp_bus", "failed", "failed", "refused: "+text)
	g.Orchestrator = serviceGlance{URL: "http://127.0.0.1:8014", State: "answers", Unit: &orchestrator}
	g.Bus = serviceGlance{URL: "http://127.0.0.1:8000", State: "connection refused", Unit: &bus}
	g.Units = []unitGlance{orchestrator, bus}
	for i := range 15 {
		g.Units = append(g.Units, seenUnit(fmt.Sprintf("agent_%02d", i), "activating", "auto-restart", "refused: "+text))
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
	g.settle()
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

func TestStatusNamesTheCauseBetweenTwoTries(t *testing.T) {
	g := refusedHost("STORE-SNAPSHOT: chief_editor: distilbert: the model has no snapshot")
	for i := range g.Units[1:] {
		u := instanceUnit(g.Units[i+1].Instance, "activating", "auto-restart-queued", "refused: STORE-SNAPSHOT: chief_editor: distilbert: the model has no snapshot")
		if u.Job = true; i > 7 { // waits behind the others
			u.StatusText, u.SubState, u.ActiveState = "", "dead", "inactive"
		}
		g.Units[i+1] = newUnitGlance(g.Units[i+1].Instance, u, true, 0)
		g.Units[i+1].Gated = true
	}
	g.Bus.Unit = &g.Units[1]
	g.settle()
	if g.Summary != "down: 16 of 17 wait for 1 cause" || g.Causes[0].Problem.Code != diag.StoreSnapshot {
		t.Errorf("%q %+v", g.Summary, g.Causes)
	}
}

func TestStatusGivesARefusalThatItCannotExplainTheFixOfItsCode(t *testing.T) {
	g := refusedHost("GPU-NONE: nvidia driver: the NVIDIA driver finds no GPU")
	g.settle()
	if len(g.Causes) != 2 || g.Causes[0].Problem.Code != diag.GPUNone || g.Causes[0].Problem.Fix.Empty() || len(g.Causes[0].Holds) != 16 {
		t.Errorf("%+v", g.Causes) // the models are another matter: nothing says that the preload waits for a GPU
	}
}

func TestStatusFoldsWhatDiffersInTheInstanceAlone(t *testing.T) {
	g := nothingSeen()
	for _, name := range []string{"memory", "scout"} {
		g.Units = append(g.Units, seenUnit(name, "failed", "failed", "refused: USER-UNKNOWN: justnews@"+name+".service: no user within 12 s"))
	}
	g.Units = append(g.Units, seenUnit("crawler", "failed", "failed", "refused: USER-UNKNOWN: justnews@crawler.service: another text"))
	g.settle()
	if len(g.Causes) != 2 || len(g.Causes[0].Holds) != 2 || g.Summary != "down: 3 of 3 wait for 2 causes" {
		t.Errorf("%q %+v", g.Summary, g.Causes)
	}
}

func TestStatusDoesNotCallAServerThatIsOnItsWayAnError(t *testing.T) {
	g := refusedHost("")
	for i := range g.Units {
		u := &g.Units[i]
		*u = seenUnit(u.Instance, "activating", "start-pre", "waiting: models: 3 of 16")
	}
	g.Orchestrator.Unit, g.Bus.Unit = &g.Units[0], &g.Units[1]
	g.Problems[0] = diag.Problem{Code: diag.OrchestratorUnreachable, Message: "the orchestrator did not answer"}
	g.settle()
	if len(g.Causes) != 0 || g.Summary != "starting: 0 of 17" || g.Status != int(diag.StatusTimeout) {
		t.Errorf("%q, status %d, %+v", g.Summary, g.Status, g.Causes)
	}
}

func TestStatusOfWhatWasStoppedOnPurposeHasNoError(t *testing.T) {
	g := refusedHost("")
	for i := range g.Units {
		g.Units[i] = seenUnit(g.Units[i].Instance, "inactive", "dead", "refused: STORE-SNAPSHOT: an old story")
	}
	g.Orchestrator.Unit, g.Bus.Unit = &g.Units[0], &g.Units[1]
	g.Problems[0] = diag.Problem{Code: diag.OrchestratorUnreachable, Message: "the orchestrator did not answer"}
	g.target = facts.Unit{LoadState: "loaded", ActiveState: "inactive"}
	g.settle()
	if len(g.Causes) != 0 || g.Summary != "stopped: justnews.target is stopped" || g.Status != int(diag.StatusUnavailable) || len(diag.Errors(g.Problems)) != 0 {
		t.Errorf("%q, status %d, %+v", g.Summary, g.Status, g.Problems)
	}
	g = refusedHost("")
	g.target = facts.Unit{LoadState: "loaded", ActiveState: "inactive"} // and one runs all the same
	g.settle()
	if len(g.Causes) == 0 {
		t.Error("a host that fails is called stopped")
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

func TestStatusOfAHostThatIsUpIsOneLineAndATable(t *testing.T) {
	g := nothingSeen()
	for _, name := range []string{"memory", "scout"} {
		g.Units = append(g.Units, seenUnit(name, "active", "running", ""))
	}
	g.settle()
	if g.Summary != "up: 2 of 2" || g.Status != 0 {
		t.Errorf("%q, status %d", g.Summary, g.Status)
	}
	g.Units[0] = seenUnit("memory", "inactive", "dead", "")
	g.Causes, g.Problems = []cause{}, nil
	if g.settle(); g.Summary != "up: 1 of 2, stopped: memory" {
		t.Errorf("%q", g.Summary)
	}
	g.Units[0].Gated = false
	g.Problems = []diag.Problem{{Code: diag.Ungated, Subject: "justnews@memory.service", Message: "no gate stands before it"}}
	if g.settle(); g.Status == 0 || g.State == hostUp {
		t.Errorf("%q, status %d", g.Summary, g.Status)
	}
}

func TestAGPUThatIsNotNeededAndNotThereIsNotGood(t *testing.T) {
	g := nothingSeen()
	g.GPU.State = "NVIDIA's management library cannot be loaded"
	for needed, want := range map[bool]string{false: "gpu           NVIDIA's", true: "gpu           \x1b[31;1mNVIDIA's"} {
		g.gpuNeeded = needed
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

func TestStatusIsBadWhereAUnitFailedOrIsUngated(t *testing.T) {
	cfg := &config.Config{Instances: []config.Instance{{Name: "crawler"}, {Name: "scout"}}}
	good := facts.Unit{LoadState: "loaded", ActiveState: "active", SubState: "running"}
	for state, want := range map[string]diag.Code{"failed": diag.UnitFailed, "active": diag.Ungated} {
		u := good
		u.ActiveState = state
		g := nothingSeen()
		lookAtUnits(t.Context(), &g, cfg, requirement.Run{}, everyUnit(u), nil)
		if len(g.Units) != 2 || !hasCode(g.Problems, want) || statusOf(g.Problems) == diag.StatusReady {
			t.Errorf("%s: %+v", state, g)
		}
	}
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
	g := nothingSeen()
	g.Problems = []diag.Problem{{Code: diag.ConfigSyntax, Message: "unexpected end of file"}}
	lookAtLoaded(t.Context(), &g, loaded{
		"justnews@memory.service":  instanceUnit("memory", "active", "running", ""),
		"justnews@scout.service":   instanceUnit("scout", "failed", "failed", "refused: CONFIG-SYNTAX: unexpected end of file"),
		"justnews@gone.service":    {LoadState: "not-found"},
		"justnews@a\\x2db.service": instanceUnit("a-b", "active", "running", ""),
	})
	g.settle()
	text := glanceText(true, "never", g)
	if !strings.HasSuffix(text, "\nrefused       scout\nup            memory\n") {
		t.Error(text)
	}
	if g.Summary != "down: 1 of 2 wait for 1 cause" {
		t.Error(g.Summary)
	}
}

func hasCode(problems []diag.Problem, code diag.Code) bool {
	for _, p := range problems {
		if p.Code == code {
			return true
		}
	}
	return false
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

func TestTheBusIsOnlyAWarningWhereNobodyWaitsForIt(t *testing.T) {
	down := facts.BusHealth{Answer: facts.Answer{Kind: facts.Refused, Detail: "connection refused"}}
	for required, want := range map[bool]diag.Status{true: diag.StatusUnavailable, false: diag.StatusReady} {
		cfg := &config.Config{Instances: []config.Instance{{Name: "scout", RequireBus: required}}}
		problems := busProblems(cfg, requirement.Run{}, down)
		if len(problems) != len(checkorchestrator.Bus("", down)) || statusOf(problems) != want {
			t.Errorf("required %v: %+v", required, problems)
		}
	}
}
