// SPDX-License-Identifier: Apache-2.0

package mps_test

import (
	"slices"
	"strings"
	"testing"

	"justnews/internal/check"
	"justnews/internal/check/mps"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

func daemonUnit(active, sub string, change ...func(*facts.Unit)) facts.Unit {
	u := facts.Unit{Name: mpsUnit, LoadState: "loaded", ActiveState: active, SubState: sub, ConditionResult: true}
	for _, f := range change {
		f(&u)
	}
	return u
}

func skipped(condition string) func(*facts.Unit) {
	return func(u *facts.Unit) { u.ConditionResult, u.Conditions = false, []string{condition} }
}

func TestUnit_IsJudgedByWhetherItCanBecomeActive(t *testing.T) {
	for name, c := range map[string]struct {
		u    facts.Unit
		want check.State
		code diag.Code
		says string
	}{
		"nothing known": {facts.Unit{Name: mpsUnit}, check.Unknown, diag.MPSTimeout, "did not report"},
		"not there":     {facts.Unit{Name: mpsUnit, LoadState: "not-found"}, check.Failed, diag.MPSUnit, "install the unit"},
		"masked":        {facts.Unit{Name: mpsUnit, LoadState: "masked"}, check.Failed, diag.MPSUnit, "systemctl unmask -- " + mpsUnit},
		"a bad setting": {facts.Unit{Name: mpsUnit, LoadState: "bad-setting"}, check.Failed, diag.MPSUnit, "systemd-analyze verify"},
		"failed": {daemonUnit("failed", "failed", func(u *facts.Unit) { u.Result, u.StatusText = "exit-code", "MPS-STRAY: x\x1b" }), check.Failed,
			diag.MPSUnit, "exit-code); its status: MPS-STRAY"},
		"its start limit is hit": {daemonUnit("failed", "failed", func(u *facts.Unit) { u.Result = "start-limit-hit" }), check.Failed, diag.MPSUnit, "start-limit-hit"},
		"not installed": {daemonUnit("inactive", "dead", skipped("ConditionPathExists="+program)), check.Failed,
			diag.MPSMissing, "systemd skipped it: ConditionPathExists=" + program},
		"skipped by something else": {daemonUnit("inactive", "dead", skipped("ConditionPathExists=/dev/nvidiactl")), check.Failed,
			diag.MPSUnit, "fix the unmet condition, then: justnews-gate retry"},
		"never started":                   {daemonUnit("inactive", "dead", func(u *facts.Unit) { u.ConditionResult = false }), check.Idle, diag.MPSUnit, "no job"},
		"never started, without a reason": {daemonUnit("inactive", "dead", func(u *facts.Unit) { u.ConditionResult = false }), check.Idle, diag.MPSUnit, "fix the error in its log"},
		"its condition holds, and it is down": {daemonUnit("inactive", "dead", skipped("x"), func(u *facts.Unit) { u.ConditionResult = true }),
			check.Idle, diag.MPSUnit, "fix the error in its log"},
		"its condition holds again": {daemonUnit("inactive", "dead", skipped("ConditionPathExists="+program), func(u *facts.Unit) { u.ConditionResult = true }),
			check.Idle, diag.MPSUnit, "no job"},
		"skipped, and it has a job":  {daemonUnit("inactive", "dead", skipped("x"), func(u *facts.Unit) { u.Job = true }), check.Pending, diag.MPSTimeout, "inactive"},
		"active for all conditions":  {daemonUnit("active", "running", skipped("x")), check.Ready, diag.MPSUnit, "active"},
		"its proof runs":             {daemonUnit("activating", "start-post"), check.Pending, diag.MPSTimeout, "start-post"},
		"its proof runs again":       {daemonUnit("activating", "start-post", func(u *facts.Unit) { u.NRestarts = 1 }), check.Pending, diag.MPSUnit, "start-post"},
		"between two starts":         {daemonUnit("activating", "auto-restart"), check.Pending, diag.MPSUnit, "auto-restart"},
		"failed, though not by that": {daemonUnit("failed", "failed", skipped("ConditionPathExists="+program)), check.Failed, diag.MPSUnit, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			j := mps.Unit(c.u)
			if j.State != c.want {
				t.Errorf("%s (%s), want %s", j.State, j.Reason, c.want)
			}
			p := mps.UnitProblem(c.u, j, wantMPS())
			findings.Sound(t, p)
			if p.Code != c.code || p.Severity != diag.Error || !strings.Contains(p.Seen+"|"+p.Fix.String(), c.says) {
				t.Errorf("%+v\nwant %s: %q", p, c.code, c.says)
			}
		})
	}
}

func TestUnit_IneffectiveStartIsExplained(t *testing.T) {
	const bus = "org.freedesktop.DBus.Error."
	idle := daemonUnit("inactive", "dead")
	for name, c := range map[string]struct {
		s    facts.Start
		u    facts.Unit
		code diag.Code
		says string
	}{
		"polkit denied it":     {facts.Start{Refused: bus + "InteractiveAuthorizationRequired"}, idle, diag.MPSDenied, "usermod -aG justnews -- scout; "},
		"there is no polkit":   {facts.Start{Refused: bus + "AccessDenied", Detail: "Permission denied"}, idle, diag.MPSDenied, "AccessDenied: Permission denied"},
		"polkit cannot answer": {facts.Start{Refused: "org.freedesktop.PolicyKit1.Error.Failed"}, idle, diag.MPSDenied, "scout may not start it"},
		"no authority":         {facts.Start{Refused: bus + "AuthFailed"}, idle, diag.MPSDenied, "may not"},
		"masked":               {facts.Start{Refused: "org.freedesktop.systemd1.UnitMasked"}, idle, diag.MPSUnit, "systemctl unmask"},
		"not there":            {facts.Start{Refused: "org.freedesktop.systemd1.NoSuchUnit"}, idle, diag.MPSUnit, "there is no such unit"},
		"a stop is queued":     {facts.Start{Refused: "org.freedesktop.systemd1.TransactionIsDestructive", Detail: "x"}, idle, diag.MPSUnit, "systemctl list-jobs"},
		"anything else":        {facts.Start{Refused: bus + "LimitsExceeded", Detail: "too many\x1b"}, idle, diag.MPSUnit, "LimitsExceeded: too many"},
		"its job failed":       {facts.Start{Result: "failed"}, daemonUnit("failed", "failed"), diag.MPSUnit, `its start job ended with "failed"; failed`},
		"a dependency failed":  {facts.Start{Result: "dependency"}, idle, diag.MPSUnit, `"dependency"`},
		"done, and skipped":    {facts.Start{Result: "done"}, daemonUnit("inactive", "dead", skipped("ConditionPathExists="+program)), diag.MPSMissing, "skipped"},
		"done, and gone":       {facts.Start{Result: "done"}, idle, diag.MPSUnit, "inactive, and no job"},
		"nothing":              {facts.Start{}, facts.Unit{Name: mpsUnit}, diag.MPSTimeout, "did not report"},
	} {
		t.Run(name, func(t *testing.T) {
			p := mps.NotStarted(c.s, c.u, wantMPS(), "scout", false)
			findings.Sound(t, p)
			if ended := strings.Contains(p.Seen, "its start job ended"); ended != (c.s.Refused == "" && c.s.Result != "" && c.s.Result != "done") {
				t.Errorf("%q says that its start job ended: %t", p.Seen, ended)
			}
			if p.Code != c.code || p.Severity != diag.Error || !strings.Contains(p.Message+"|"+p.Seen+"|"+p.Fix.String(), c.says) {
				t.Errorf("%+v\nwant %s: %q", p, c.code, c.says)
			}
		})
	}
}

// A retry does not start a daemon that no instance uses.
func TestUnit_UnusedDaemonIsStartedByItsOwnCommand(t *testing.T) {
	masked, unused := daemonUnit("inactive", "dead"), wantMPS(func(w *mps.Wanted) { w.Unused = true })
	masked.LoadState = "masked"
	for _, w := range []mps.Wanted{wantMPS(), unused} {
		fix := mps.UnitProblem(masked, mps.Unit(masked), w).Fix.String()
		if strings.HasSuffix(fix, "justnews-gate mps start") != w.Unused || strings.HasSuffix(fix, "justnews-gate retry") == w.Unused {
			t.Errorf("unused %t: %s", w.Unused, fix)
		}
	}
}

func TestUnit_PersonWhoMayNotStartItIsNotMadeAnAgent(t *testing.T) {
	p := mps.NotStarted(facts.Start{Refused: "org.freedesktop.DBus.Error.AccessDenied"}, daemonUnit("inactive", "dead"), wantMPS(), "adra", true)
	findings.Sound(t, p)
	if fix := p.Fix.String(); p.Code != diag.MPSDenied || strings.Contains(fix, "usermod") || fix != "sudo justnews-gate mps start" {
		t.Errorf("%s: %s", p, fix)
	}
}

func TestUnit_DeadlockWithTheCallerIsFound(t *testing.T) {
	const scout, third, fourth = "justnews@scout.service", "third.service", "fourth.service"
	u := func(job bool, after ...string) facts.Unit { return facts.Unit{Job: job, After: after} }
	for name, c := range map[string]struct {
		units map[string]facts.Unit
		want  []string
	}{
		"no order":                                 {map[string]facts.Unit{scout: {}, mpsUnit: {}}, nil},
		"after the instance":                       {map[string]facts.Unit{scout: {}, mpsUnit: u(false, scout)}, []string{scout, mpsUnit}},
		"the instance is before it":                {map[string]facts.Unit{scout: {Before: []string{mpsUnit}}, mpsUnit: {}}, []string{scout, mpsUnit}},
		"by a third that has a job":                {map[string]facts.Unit{scout: {}, mpsUnit: u(false, third), third: u(true, scout)}, []string{scout, third, mpsUnit}},
		"by a third that the instance leads":       {map[string]facts.Unit{scout: {Before: []string{third}}, mpsUnit: u(false, third), third: u(true)}, []string{scout, third, mpsUnit}},
		"a third unit without a job holds nothing": {map[string]facts.Unit{scout: {}, mpsUnit: u(false, third), third: u(false, scout)}, nil},
		"an unknown third unit":                    {map[string]facts.Unit{scout: {}, mpsUnit: u(false, third)}, nil},
		"over two":                                 {map[string]facts.Unit{scout: {}, mpsUnit: u(false, fourth), fourth: u(true, third), third: u(true, scout)}, []string{scout, third, fourth, mpsUnit}},
		"a circle without the instance":            {map[string]facts.Unit{scout: {}, mpsUnit: u(false, third), third: u(true, fourth), fourth: u(true, third, mpsUnit)}, nil},
		"the instance waits for it, as usual":      {map[string]facts.Unit{scout: u(true, mpsUnit), mpsUnit: {}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := mps.Waits(scout, mpsUnit, c.units)
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			p := mps.Deadlock(got, false, wantMPS())
			if (p != nil) != (c.want != nil) {
				t.Fatalf("%+v", p)
			}
			if p == nil {
				return
			}
			findings.Sound(t, *p)
			if p.Code != diag.MPSDeadlock || p.Severity != diag.Error || p.Seen != strings.Join(c.want, " before ") {
				t.Errorf("%+v", p)
			}
		})
	}
	p := mps.Deadlock([]string{scout, mpsUnit}, true, wantMPS())
	findings.Sound(t, *p)
	if !strings.Contains(p.Seen, "Conflicts= of "+scout+" and "+mpsUnit) {
		t.Errorf("%+v", p)
	}
}
