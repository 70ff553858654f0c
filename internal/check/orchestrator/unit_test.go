// SPDX-License-Identifier: Apache-2.0

package orchestrator_test

import (
	"strings"
	"testing"
	"time"

	"justnews/internal/check/orchestrator"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/unitname"
	"justnews/test/findings"
)

func unitIn(active, sub string) facts.Unit {
	return facts.Unit{Name: "justnews@gpu_orchestrator.service", LoadState: "loaded", ActiveState: active, SubState: sub}
}

func TestUnit_OnlyAHopelessUnitEndsAWait(t *testing.T) {
	for _, tc := range []struct {
		u        facts.Unit
		severity diag.Severity
		fix      string
	}{
		{facts.Unit{Name: "u", LoadState: "not-found"}, diag.Error, "install the unit"},
		{facts.Unit{Name: "u", LoadState: "masked"}, diag.Error, "systemctl unmask -- u"},
		{facts.Unit{Name: "u", LoadState: "masked", Service: facts.Service{FileState: "masked-runtime"}}, diag.Error, "systemctl unmask --runtime -- u"},
		{facts.Unit{Name: "u", LoadState: "bad-setting"}, diag.Error, "systemd-analyze verify -- u"},
		{unitIn("failed", "failed"), diag.Error, "journalctl -b -u"},
		{unitIn("inactive", "dead"), diag.Warning, "justnews-gate retry"},
	} {
		for code, problems := range map[diag.Code][]diag.Problem{diag.OrchestratorUnit: orchestrator.Unit(tc.u), diag.BusUnit: orchestrator.BusUnit(tc.u)} {
			if len(problems) != 1 || problems[0].Code != code || problems[0].Severity != tc.severity || !strings.Contains(problems[0].Fix.String(), tc.fix) {
				t.Errorf("%+v: %+v", tc.u, problems)
				continue
			}
			findings.Sound(t, problems[0])
		}
	}
	for _, u := range []facts.Unit{unitIn("active", "running"), unitIn("activating", "auto-restart"), {}} {
		if problems := orchestrator.Unit(u); len(problems) != 0 {
			t.Errorf("%+v: %v", u, problems)
		}
	}
}

func TestModels_DryRunIsNeverReady(t *testing.T) {
	for environment, want := range map[string]string{
		"DRY_RUN=1":                      "DRY_RUN=1",
		"MODEL_STORE_DRY_RUN=true":       "MODEL_STORE_DRY_RUN=true",
		"DRY_RUN=Yes":                    "DRY_RUN=Yes",
		"DRY_RUN=on":                     "DRY_RUN=on",
		"DRY_RUN=0 DRY_RUN=1":            "DRY_RUN=1",
		"DRY_RUN=1 DRY_RUN=0":            "",
		"DRY_RUN=":                       "",
		"DRY_RUN=no MODEL_STORE_DRY_RUN": "",
		"MY_DRY_RUN=1":                   "",
	} {
		u := unitIn("active", "running")
		u.Environment = strings.Fields(environment)
		problems := orchestrator.Unit(u)
		if (want != "") != (len(problems) == 1 && problems[0].Code == diag.OrchestratorDryRun && problems[0].Severity == diag.Error) {
			t.Errorf("%s: %v, want %q", environment, problems, want)
		}
		for _, p := range problems {
			findings.Sound(t, p)
		}
	}
}

func TestUnit_RestartedOrchestratorIsReportedWithItsFailure(t *testing.T) {
	u := unitIn("activating", "auto-restart")
	if problems := orchestrator.UnitFails(u); problems != nil {
		t.Errorf("no failure is known: %v", problems)
	}
	u.Result, u.ExecMainCode, u.ExecMainStatus, u.NRestarts = "exit-code", 1, 203, 4
	problems := orchestrator.UnitFails(u)
	if len(problems) != 1 || problems[0].Code != diag.OrchestratorUnit || !strings.Contains(problems[0].Seen, "status 203; 4 restarts") || !strings.Contains(problems[0].Message, "203/EXEC") {
		t.Errorf("%+v", problems)
	}
	u.SubState = "start"
	if problems := orchestrator.UnitFails(u); problems != nil {
		t.Errorf("it is being started: %v", problems)
	}
}

// What opens a gate without a look at the orchestrator's environment.
func TestPreloaded_OnlySuccessSinceTheStartCounts(t *testing.T) {
	server := facts.Unit{Times: facts.UnitTimes{ExecMainStart: 10 * time.Second}}
	passed := facts.Unit{Name: unitname.Preload, ActiveState: "active", ExecMainCode: facts.CodeExited, Times: facts.UnitTimes{ActiveEnter: 11 * time.Second}}
	if !orchestrator.Preloaded(server, passed) {
		t.Error("a preload that passed does not count")
	}
	for name, change := range map[string]func(server, preload *facts.Unit){
		"another unit":            func(_, p *facts.Unit) { p.Name = "justnews@preload.service" },
		"it runs":                 func(_, p *facts.Unit) { p.ActiveState = "activating" },
		"it failed":               func(_, p *facts.Unit) { p.ExecMainStatus = 69 },
		"it was killed":           func(_, p *facts.Unit) { p.ExecMainCode = 2 },
		"before the orchestrator": func(_, p *facts.Unit) { p.Times.ActiveEnter = 9 * time.Second },
		"in the same microsecond": func(_, p *facts.Unit) { p.Times.ActiveEnter = 10 * time.Second },
		"no orchestrator":         func(s, _ *facts.Unit) { s.Times.ExecMainStart = 0 },
	} {
		s, p := server, passed
		change(&s, &p)
		if orchestrator.Preloaded(s, p) {
			t.Errorf("%s: it counts", name)
		}
	}
}
