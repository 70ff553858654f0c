// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"slices"

	"justnews/internal/diag"
	"justnews/internal/modelmap"
	"justnews/internal/spell"
)

// MapInstances compares the agents of the map with the instances of the
// configuration. An agent without an instance is not an error, since models may be
// loaded for other programs. An agent whose name is similar to that of an instance
// without models is probably misspelt, and then that instance has no models.
func MapInstances(m *modelmap.Map, path string, instances []string) []diag.Problem {
	if m == nil {
		return nil
	}
	without := slices.DeleteFunc(slices.Clone(instances), func(name string) bool { return m.Count(name) > 0 })
	var problems []diag.Problem
	for _, a := range m.Agents {
		near, ok := spell.Nearest(a.Name, without)
		if !ok || slices.Contains(instances, a.Name) {
			continue
		}
		p := diag.Problem{
			Code: diag.MapName, Severity: diag.Warning, Subject: diag.Clean(a.Name),
			Message:  fmt.Sprintf("the map lists %s for an agent that is not an instance; did you mean %s?", diag.Count(len(a.Models), "model"), diag.Quote(near)),
			Seen:     fmt.Sprintf("%s with %s, %s with none", diag.Quote(a.Name), diag.Count(len(a.Models), "model"), diag.Quote(near)),
			Expected: "the name of an instance",
			Fix:      diag.Advise("correct the agent's key in AGENT_MODEL_MAP.json, or leave it if it is intended"),
		}
		if len(a.Models) > 0 {
			p.Position = &diag.Position{File: path, Line: a.Models[0].Line, Column: a.Models[0].Column}
		}
		problems = append(problems, p)
	}
	return problems
}

// NotListed is the warning that the store has models of an agent that the map does
// not list.
func NotListed(agent string) diag.Problem {
	return diag.Problem{
		Code: diag.MapName, Severity: diag.Warning, Subject: agent, Message: "the map does not list this agent",
		Expected: "an agent of the map", Fix: diag.Advise("add it to AGENT_MODEL_MAP.json if it has to be loaded"),
	}
}
