// SPDX-License-Identifier: Apache-2.0

package requirement

import (
	"testing"

	"justnews/internal/diag"
)

func TestRemote_WarnsOfARemoteOrchestrator(t *testing.T) {
	service := Service{URL: "http://10.0.0.7:8014"}
	problems := Run{Orchestrator: service}.Remote()
	if len(problems) != 1 || problems[0].Code != diag.OrchestratorRemote || problems[0].Severity != diag.Warning || problems[0].Fix.Empty() {
		t.Errorf("%+v", problems)
	}
	service.Here = true
	if p := (Run{Orchestrator: service}).Remote(); len(p) != 0 {
		t.Errorf("an address of this host: %+v", p)
	}
	if len((Run{}).Remote()) != 0 {
		t.Error("no URL at all is remote")
	}
}
