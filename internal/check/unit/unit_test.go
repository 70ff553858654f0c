// SPDX-License-Identifier: Apache-2.0

package unit_test

import (
	"strings"
	"testing"

	"justnews/internal/check"
	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

func TestUnit_IsJudgedByWhetherItCanBecomeActive(t *testing.T) {
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
		{"nothing known", facts.Unit{}, check.Unknown, "did not report"},
		{"loaded, no state", unitIn("", ""), check.Unknown, "did not report"},
		{"not found", facts.Unit{LoadState: "not-found", ActiveState: "inactive"}, check.Failed, "there is no such unit"},
		{"masked", facts.Unit{LoadState: "masked", ActiveState: "inactive"}, check.Failed, `"masked"`},
		{"bad setting", facts.Unit{LoadState: "bad-setting", ActiveState: "inactive"}, check.Failed, `"bad-setting"`},
		{"running", unitIn("active", "running"), check.Ready, "active"},
		{"reloading", unitIn("reloading", "reload"), check.Ready, "reloading"},
		{"its gate runs", unitIn("activating", "start-pre"), check.Pending, "activating (start-pre)"},
		{"between two restarts", with(unitIn("activating", "auto-restart"), func(u *facts.Unit) { u.Result = "exit-code" }), check.Pending, "auto-restart"},
		{"failed on the way to a restart", unitIn("failed", "auto-restart-queued"), check.Pending, "failed"},
		{"failed, before it is restarted", unitIn("failed", "failed-before-auto-restart"), check.Pending, "failed"},
		{"ended, before it is restarted", unitIn("inactive", "dead-before-auto-restart"), check.Pending, "inactive"},
		{"stopping", unitIn("deactivating", "stop-sigterm"), check.Pending, "deactivating"},
		{"failed", with(unitIn("failed", "failed"), func(u *facts.Unit) { u.Result, u.ExecMainCode, u.ExecMainStatus = "exit-code", 1, 3 }), check.Failed, "failed (Result: exit-code), its main process exited with status 3"},
		{"killed", with(unitIn("failed", "failed"), func(u *facts.Unit) { u.Result, u.ExecMainCode, u.ExecMainStatus = "oom-kill", 2, 9 }), check.Failed, "killed by signal 9"},
		{"failed with a job", with(unitIn("failed", "failed"), func(u *facts.Unit) { u.Job = true }), check.Pending, "failed"},
		{"inactive", unitIn("inactive", "dead"), check.Idle, "no job"},
		{"inactive with a job", with(unitIn("inactive", "dead"), func(u *facts.Unit) { u.Job = true }), check.Pending, "inactive"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if j := unit.Judge(tc.u); j.State != tc.want || !strings.Contains(j.Reason, tc.reason) {
				t.Errorf("%s (%s), want %s (%s)", j.State, j.Reason, tc.want, tc.reason)
			}
		})
	}
}

func unitIn(active, sub string) facts.Unit {
	return facts.Unit{Name: "justnews@gpu_orchestrator.service", LoadState: "loaded", ActiveState: active, SubState: sub}
}

func TestUnit_OnlyFailedUnitsAreFailedInstances(t *testing.T) {
	for _, c := range []struct {
		unit facts.Unit
		bad  bool
	}{
		{facts.Unit{LoadState: "loaded", ActiveState: "failed", SubState: "failed", Result: "exit-code"}, true},
		{facts.Unit{LoadState: "loaded", ActiveState: "failed", SubState: "auto-restart"}, false},
		{facts.Unit{LoadState: "loaded", ActiveState: "inactive"}, false},
		{facts.Unit{LoadState: "loaded", ActiveState: "active"}, false},
		{facts.Unit{LoadState: "not-found", ActiveState: "inactive"}, false}, // said by Gated
	} {
		if p := unit.Failure(c.unit); (p != nil) != c.bad || p != nil && p.Status() != diag.StatusFailed {
			t.Errorf("%+v: %+v", c.unit, p)
		}
	}
}
