// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"testing"

	"justnews/internal/check/host"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

func TestIPC_SharedMemoryRemovedAtLogoutIsReported(t *testing.T) {
	u := facts.Unit{Name: "justnews@scout.service"}
	for name, c := range map[string]struct {
		user facts.Account
		on   bool
		want bool
	}{
		"a person":               {facts.Account{User: "adra", UID: 1000}, true, true},
		"a user of a directory":  {facts.Account{User: "svc", UID: 70001}, true, true},
		"a user who keeps it":    {facts.Account{User: "justnews", UID: 997, KeepsIPC: true}, true, false},
		"a logind that keeps it": {facts.Account{User: "adra", UID: 1000}, false, false},
	} {
		got := host.RemovesIPC(u, c.user, facts.Limits{RemoveIPC: c.on})
		if (len(got) == 1) != c.want {
			t.Errorf("%s: %v", name, got)
			continue
		}
		for _, p := range got {
			if findings.Sound(t, p); p.Code != diag.IPCRemoved || p.Severity != diag.Warning {
				t.Errorf("%s: %+v", name, p)
			}
		}
	}
}
