// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"strings"
	"testing"

	checkunit "justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/status"
)

func TestPreflight_FoldsRefusedUnits(t *testing.T) {
	var problems []diag.Problem
	for _, name := range []string{"memory", "scout", "critic"} {
		u := facts.Unit{Name: "justnews@" + name + ".service", LoadState: "loaded", ActiveState: "failed", SubState: "failed", StatusText: "refused: STORE-SNAPSHOT: chief_editor: no snapshot"}
		if name == "critic" {
			u.StatusText = ""
		}
		problems = append(problems, *checkunit.KeptDown(u))
	}
	folded := status.Fold(problems)
	if len(folded) != 2 || !strings.Contains(folded[0].Subject, "memory.service and also scout") || folded[1].Subject != "justnews@critic.service" {
		t.Errorf("%+v", folded)
	}
}
