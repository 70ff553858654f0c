// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"strings"
	"testing"

	"justnews/internal/diag"
	"justnews/internal/requirement"
)

func TestOverridden_NamesTheVariable(t *testing.T) {
	restart := diag.Do(diag.Restart("justnews@mcp_bus.service")...)
	overrides := []requirement.Override{{Name: "MCP_BUS_URL", Value: "http://127.0.0.1:9900", Configured: "http://127.0.0.1:8000"}}
	for name, c := range map[string]struct {
		problem diag.Problem
		named   bool
	}{
		"the address of the environment":      {diag.Problem{Code: diag.BusUnreachable, Subject: "http://127.0.0.1:9900", Fix: restart}, true},
		"another address":                     {diag.Problem{Code: diag.BusUnreachable, Subject: "http://127.0.0.1:8000", Fix: restart}, false},
		"an answer from there that is no lie": {diag.Problem{Code: diag.BusDegraded, Subject: "http://127.0.0.1:9900", Fix: restart}, false},
	} {
		t.Run(name, func(t *testing.T) {
			problems := []diag.Problem{c.problem}
			Overridden(problems, overrides)
			text := problems[0].Fix.String() + problems[0].Expected
			if named := strings.Contains(text, "MCP_BUS_URL") && strings.Contains(text, "8000"); named != c.named {
				t.Errorf("%s; %s", problems[0].Fix, problems[0].Expected)
			}
		})
	}
}
