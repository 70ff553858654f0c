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
	pipe := []requirement.Override{{Name: "MCP_BUS_URL", Value: "/run/mps", Configured: "/run/nvidia-mps:8000"}}
	for name, c := range map[string]struct {
		overrides []requirement.Override
		problem   diag.Problem
		named     bool
	}{
		"the address of the environment":     {overrides, diag.Problem{Code: diag.BusUnreachable, Subject: "http://127.0.0.1:9900", Fix: restart}, true},
		"another address":                    {overrides, diag.Problem{Code: diag.BusUnreachable, Subject: "http://127.0.0.1:8000", Fix: restart}, false},
		"an honest answer from another host": {overrides, diag.Problem{Code: diag.BusDegraded, Subject: "http://127.0.0.1:9900", Fix: restart}, false},
		"a directory in the evidence":        {pipe, diag.Problem{Code: diag.MPSEnvironment, Subject: "justnews@scout.service", Seen: "/run/mps in the environment", Fix: restart}, true},
		"another directory":                  {pipe, diag.Problem{Code: diag.MPSEnvironment, Subject: "justnews@scout.service", Seen: "/run/mps2 in the environment", Fix: restart}, false},
		"another finding about it":           {pipe, diag.Problem{Code: diag.MPSDead, Subject: "nvidia-mps.service", Seen: "/run/mps has no socket", Fix: restart}, false},
	} {
		t.Run(name, func(t *testing.T) {
			problems := []diag.Problem{c.problem}
			Overridden(problems, c.overrides)
			text := problems[0].Fix.String() + problems[0].Expected
			if named := strings.Contains(text, "MCP_BUS_URL") && strings.Contains(text, "8000"); named != c.named {
				t.Errorf("%s; %s", problems[0].Fix, problems[0].Expected)
			}
		})
	}
}
