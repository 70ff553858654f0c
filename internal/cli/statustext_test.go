// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/check"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/wish"
)

// hostGlance is a glance at a host with units: one that runs, one whose gate waits,
// one that failed and has no gate.
func hostGlance() glance {
	g := nothingSeen()
	orchestrator := unitGlance{Instance: "gpu_orchestrator", Name: "justnews@gpu_orchestrator.service", Active: "active", Sub: "running", Result: "success", Gated: true}
	g.Orchestrator = serviceGlance{URL: "http://127.0.0.1:8014", State: "answers", Unit: &orchestrator}
	g.Models = modelsGlance{State: "pending", Reason: "3 of 16 models loaded", Done: 3, Total: 16, Expected: 16}
	g.Bus = serviceGlance{URL: "http://127.0.0.1:8000", State: "connection refused"}
	g.Units = []unitGlance{
		orchestrator,
		{Instance: "scout", Active: "activating", Sub: "start-pre", Gated: true, Text: "waiting: models: 3 of 16 models loaded, and so many more words that no terminal has room for them"},
		{Instance: "crawler", Active: "failed", Sub: "failed", Result: "exit-code"},
	}
	return g
}

func glanceText(terminal bool, color string, g glance) string {
	var out bytes.Buffer
	a := &app{
		Machine: Machine{Stdout: &out, StdoutTerminal: terminal, Width: func() int { return 80 }, Lookup: func(string) (string, bool) { return "", false }},
		Globals: Globals{Color: color},
	}
	a.printGlance(g)
	return out.String()
}

func TestAGlanceFitsATerminalAndIsWholeAnywhereElse(t *testing.T) {
	want := `orchestrator  answers             http://127.0.0.1:8014, unit active (running)
models        pending             3 of 16 models loaded
bus           connection refused  http://127.0.0.1:8000

UNIT              STATE                   GATE
gpu_orchestrator  active (running)        yes
scout             activating (start-pre)  yes  waiting: models: 3 of 16 models …
crawler           failed (exit-code)      NO, UNGATED
`
	if diff := cmp.Diff(want, glanceText(true, "never", hostGlance())); diff != "" {
		t.Error(diff)
	}
	for line := range strings.Lines(glanceText(true, "never", hostGlance())) {
		if n := len([]rune(line)) - 1; n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	whole := glanceText(false, "auto", hostGlance())
	if !strings.Contains(whole, "http://127.0.0.1:8014, unit active (running)\n") || !strings.Contains(whole, "has room for them\n") || strings.Contains(whole, "\x1b") {
		t.Error(whole)
	}
	colored := glanceText(true, "auto", hostGlance())
	if !strings.Contains(colored, "\x1b[31;1mfailed (exit-code)") || !strings.Contains(colored, "\x1b[32mactive (running)") {
		t.Errorf("%q", colored)
	}
}

// everyUnit is systemd with one answer for every unit.
type everyUnit facts.Unit

func (u everyUnit) Unit(_ context.Context, name string) (facts.Unit, error) {
	found := facts.Unit(u)
	found.Name = name
	return found, nil
}

func TestAFailedOrUngatedUnitMakesTheGlanceBad(t *testing.T) {
	cfg := &config.Config{Instances: []config.Instance{{Name: "crawler"}, {Name: "scout"}}}
	good := facts.Unit{LoadState: "loaded", ActiveState: "active", SubState: "running"}
	for state, want := range map[string]diag.Code{"failed": diag.UnitFailed, "active": diag.Ungated} {
		u := good
		u.ActiveState = state
		g := nothingSeen()
		lookAtUnits(t.Context(), &g, cfg, wish.Wish{}, everyUnit(u), nil)
		if len(g.Units) != 2 || !hasCode(g.Problems, want) || statusOf(g.Problems) == diag.StatusReady {
			t.Errorf("%s: %+v", state, g)
		}
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

func TestTheBusIsOnlyAWarningWhereNobodyWaitsForIt(t *testing.T) {
	down := facts.BusHealth{Answer: facts.Answer{Kind: facts.Refused, Detail: "connection refused"}}
	for required, want := range map[bool]diag.Status{true: diag.StatusUnavailable, false: diag.StatusReady} {
		cfg := &config.Config{Instances: []config.Instance{{Name: "scout", RequireBus: required}}}
		problems := busProblems(cfg, wish.Wish{}, down)
		if len(problems) != len(check.Bus("", down)) || statusOf(problems) != want {
			t.Errorf("required %v: %+v", required, problems)
		}
	}
}
