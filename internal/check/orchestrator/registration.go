// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/unitname"
)

// Registered judges whether the MCP bus knows the orchestrator. One that was
// started before the bus, as it has to be, gives up registering after a while
// and never tries again.
func Registered(r facts.Registration, name, busURL string) []diag.Problem {
	if r.Kind != facts.Answered || name == "" || slices.Contains(r.Agents, name) {
		return nil
	}
	seen := "no agents"
	if len(r.Agents) > 0 {
		seen = strings.Join(r.Agents, ", ")
	}
	return []diag.Problem{{
		Code: diag.BusUnregistered, Severity: diag.Warning, Subject: name,
		Message: "the orchestrator is not registered with the MCP bus: it was started before the bus and gave up",
		Seen:    diag.Clean(seen), Expected: name + " among the agents of " + busURL + "/agents",
		Fix: diag.Advise("restart it now that the bus is up (its models load again, the agents stay up)", diag.Restart(unitname.Of(name))...),
	}}
}
