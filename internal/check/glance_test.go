// SPDX-License-Identifier: Apache-2.0

package check

import (
	"testing"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

func TestGlanceFindsNothingWrongWithModelsThatAreReadyOrLoading(t *testing.T) {
	for state, want := range map[State]diag.Code{
		Unknown: diag.ModelsIncomplete, Idle: diag.ModelsIncomplete,
		Failed: diag.ModelFailed, Inconsistent: diag.ModelsInconsistent, Nonsense: diag.OrchestratorNonsense,
		Unreachable: diag.OrchestratorUnreachable,
	} {
		problems := Glance(Judgement{State: state}, facts.ModelsLook{}, Subject{})
		if len(problems) == 0 || problems[0].Code != want || problems[0].Status() == diag.StatusReady || problems[0].Fix.String() == "" {
			t.Errorf("%v: %+v", state, problems)
		}
	}
	for _, state := range []State{Ready, Pending} {
		if problems := Glance(Judgement{State: state}, facts.ModelsLook{}, Subject{}); len(problems) != 0 {
			t.Errorf("%v: %+v", state, problems)
		}
	}
}

func TestOnlyAFailedUnitIsAFailedInstance(t *testing.T) {
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
		if p := FailedUnit(c.unit); (p != nil) != c.bad || p != nil && p.Status() != diag.StatusFailed {
			t.Errorf("%+v: %+v", c.unit, p)
		}
	}
}
