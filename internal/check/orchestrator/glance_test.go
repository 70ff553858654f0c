// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"testing"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

func TestGlance_ReadyOrLoadingModelsAreFine(t *testing.T) {
	for state, want := range map[check.State]diag.Code{
		check.Unknown: diag.ModelsIncomplete, check.Idle: diag.ModelsIncomplete,
		check.Failed: diag.ModelFailed, check.Inconsistent: diag.ModelsInconsistent, check.Nonsense: diag.OrchestratorNonsense,
		check.Unreachable: diag.OrchestratorUnreachable,
	} {
		problems := Glance(check.Judgement{State: state}, facts.ModelsLook{}, Subject{})
		if len(problems) == 0 || problems[0].Code != want || problems[0].Status() == diag.StatusReady || problems[0].Fix.String() == "" {
			t.Errorf("%v: %+v", state, problems)
		}
	}
	for _, state := range []check.State{check.Ready, check.Pending} {
		if problems := Glance(check.Judgement{State: state}, facts.ModelsLook{}, Subject{}); len(problems) != 0 {
			t.Errorf("%v: %+v", state, problems)
		}
	}
}
