// SPDX-License-Identifier: Apache-2.0

package wish

import (
	"testing"

	"justnews/internal/diag"
)

func TestAnOrchestratorOverTheNetworkIsSaidAndShutsNothing(t *testing.T) {
	for url, said := range map[string]bool{
		"http://127.0.0.1:8014":              false,
		"http://127.255.0.9:8014":            false,
		"http://localhost:8014":              false,
		"http://LocalHost.:8014":             false,
		"http://gpu.localhost:8014":          false,
		"http://[::1]:8014":                  false,
		"http://[::ffff:127.0.0.1]:8014":     false,
		"http://0.0.0.0:8014":                true,
		"http://[::]:8014":                   true,
		"http://10.0.0.7:8014":               true,
		"http://gpu.example.org:8014":        true,
		"http://localhost.example.org:8014":  true,
		"http://127.0.0.1.example.org:8014":  true,
		"http://2130706433:8014":             true, // an old way to write 127.0.0.1 that a resolver decides on
		"http://[::ffff:192.168.0.1%251]:80": true,
	} {
		problems := Wish{Orchestrator: Service{URL: url}}.Remote()
		if said != (len(problems) == 1) {
			t.Errorf("%s: %v", url, problems)
		}
		for _, p := range problems {
			if p.Code != diag.OrchestratorRemote || p.Severity != diag.Warning || p.Fix.String() == "" {
				t.Errorf("%s: %+v", url, p)
			}
		}
	}
	if len((Wish{}).Remote()) != 0 {
		t.Error("no URL at all is remote")
	}
}
