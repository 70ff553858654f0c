// SPDX-License-Identifier: Apache-2.0

package check_test

import (
	"strings"
	"testing"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

func unit(active, sub string) facts.Unit {
	return facts.Unit{Name: "justnews@gpu_orchestrator.service", LoadState: "loaded", ActiveState: active, SubState: sub}
}

func TestAUnitIsJudgedByWhatItCanStillBecome(t *testing.T) {
	with := func(u facts.Unit, f func(*facts.Unit)) facts.Unit {
		f(&u)
		return u
	}
	for _, tc := range []struct {
		name   string
		u      facts.Unit
		want   check.State
		reason string
	}{
		{"nothing known", facts.Unit{}, check.Unknown, "said nothing"},
		{"loaded, no state", unit("", ""), check.Unknown, "said nothing"},
		{"not found", facts.Unit{LoadState: "not-found", ActiveState: "inactive"}, check.Failed, "there is no such unit"},
		{"masked", facts.Unit{LoadState: "masked", ActiveState: "inactive"}, check.Failed, `"masked"`},
		{"bad setting", facts.Unit{LoadState: "bad-setting", ActiveState: "inactive"}, check.Failed, `"bad-setting"`},
		{"running", unit("active", "running"), check.Ready, "active"},
		{"reloading", unit("reloading", "reload"), check.Ready, "reloading"},
		{"its gate runs", unit("activating", "start-pre"), check.Pending, "activating (start-pre)"},
		{"between two restarts", with(unit("activating", "auto-restart"), func(u *facts.Unit) { u.Result = "exit-code" }), check.Pending, "auto-restart"},
		{"failed on the way to a restart", unit("failed", "auto-restart-queued"), check.Pending, "failed"},
		{"failed, before it is restarted", unit("failed", "failed-before-auto-restart"), check.Pending, "failed"},
		{"ended, before it is restarted", unit("inactive", "dead-before-auto-restart"), check.Pending, "inactive"},
		{"stopping", unit("deactivating", "stop-sigterm"), check.Pending, "deactivating"},
		{"failed", with(unit("failed", "failed"), func(u *facts.Unit) { u.Result, u.ExecMainCode, u.ExecMainStatus = "exit-code", 1, 3 }), check.Failed, "failed (Result: exit-code), its main process exited with status 3"},
		{"killed", with(unit("failed", "failed"), func(u *facts.Unit) { u.Result, u.ExecMainCode, u.ExecMainStatus = "oom-kill", 2, 9 }), check.Failed, "killed by signal 9"},
		{"failed with a job", with(unit("failed", "failed"), func(u *facts.Unit) { u.Job = true }), check.Pending, "failed"},
		{"inactive", unit("inactive", "dead"), check.Idle, "no job"},
		{"inactive with a job", with(unit("inactive", "dead"), func(u *facts.Unit) { u.Job = true }), check.Pending, "inactive"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if j := check.Unit(tc.u); j.State != tc.want || !strings.Contains(j.Reason, tc.reason) {
				t.Errorf("%s (%s), want %s (%s)", j.State, j.Reason, tc.want, tc.reason)
			}
		})
	}
}

func TestOnlyAUnitThatCannotBecomeReadyEndsAWait(t *testing.T) {
	for _, tc := range []struct {
		u        facts.Unit
		severity diag.Severity
		fix      string
	}{
		{facts.Unit{Name: "u", LoadState: "not-found"}, diag.Error, "install the unit"},
		{facts.Unit{Name: "u", LoadState: "masked"}, diag.Error, "systemctl unmask -- u"},
		{facts.Unit{Name: "u", LoadState: "bad-setting"}, diag.Error, "systemd-analyze verify -- u"},
		{unit("failed", "failed"), diag.Error, "journalctl -b -u"},
		{unit("inactive", "dead"), diag.Warning, "justnews-gate retry"},
	} {
		for code, problems := range map[diag.Code][]diag.Problem{diag.OrchestratorUnit: check.OrchestratorUnit(tc.u), diag.BusUnit: check.BusUnit(tc.u)} {
			if len(problems) != 1 || problems[0].Code != code || problems[0].Severity != tc.severity || !strings.Contains(problems[0].Fix.String(), tc.fix) {
				t.Errorf("%+v: %+v", tc.u, problems)
				continue
			}
			sound(t, problems[0])
		}
	}
	for _, u := range []facts.Unit{unit("active", "running"), unit("activating", "auto-restart"), {}} {
		if problems := check.OrchestratorUnit(u); len(problems) != 0 {
			t.Errorf("%+v: %v", u, problems)
		}
	}
}

func TestDryRunIsNeverReady(t *testing.T) {
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
		u := unit("active", "running")
		u.Environment = strings.Fields(environment)
		problems := check.OrchestratorUnit(u)
		if (want != "") != (len(problems) == 1 && problems[0].Code == diag.OrchestratorDryRun && problems[0].Severity == diag.Error) {
			t.Errorf("%s: %v, want %q", environment, problems, want)
		}
		for _, p := range problems {
			sound(t, p)
		}
	}
}

func TestOrchestratorThatIsRestartedIsNamedByItsFailure(t *testing.T) {
	u := unit("activating", "auto-restart")
	if problems := check.OrchestratorFails(u); problems != nil {
		t.Errorf("no failure is known: %v", problems)
	}
	u.Result, u.ExecMainCode, u.ExecMainStatus, u.NRestarts = "exit-code", 1, 203, 4
	problems := check.OrchestratorFails(u)
	if len(problems) != 1 || problems[0].Code != diag.OrchestratorUnit || !strings.Contains(problems[0].Seen, "status 203; restarted 4 times") || !strings.Contains(problems[0].Message, "203/EXEC") {
		t.Errorf("%+v", problems)
	}
	u.SubState = "start"
	if problems := check.OrchestratorFails(u); problems != nil {
		t.Errorf("it is being started: %v", problems)
	}
}
