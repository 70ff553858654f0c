// SPDX-License-Identifier: Apache-2.0

package orchestrator_test

import (
	"cmp"
	"strings"
	"testing"

	"justnews/internal/check/orchestrator"
	"justnews/internal/facts"
	"justnews/test/findings"
)

func TestRegistration_MissingOrchestratorIsAFinding(t *testing.T) {
	answered := facts.Answer{Kind: facts.Answered}
	for name, c := range map[string]struct {
		r    facts.Registration
		want int
	}{
		"it knows it":        {facts.Registration{Answer: answered, Agents: []string{"scout", "gpu_orchestrator"}}, 0},
		"it knows others":    {facts.Registration{Answer: answered, Agents: []string{"scout"}}, 1},
		"it knows no agents": {facts.Registration{Answer: answered}, 1},
		"it says nothing":    {facts.Registration{Answer: facts.Answer{Kind: facts.Refused}}, 0},
		"it makes no sense":  {facts.Registration{Answer: facts.Answer{Kind: facts.Nonsense, Detail: "no agents"}}, 1},
		"it has no /agents":  {facts.Registration{Answer: facts.Answer{Kind: facts.NotServed}}, 0},
	} {
		problems := orchestrator.Registered(c.r, "gpu_orchestrator", "http://127.0.0.1:8000")
		if len(problems) != c.want {
			t.Errorf("%s: %v", name, problems)
		}
		for _, p := range problems {
			findings.Sound(t, p)
			if want := cmp.Or(strings.Join(c.r.Agents, ", "), "no agents"); p.Seen != want {
				t.Errorf("%s: %q, want %q", name, p.Seen, want)
			}
		}
	}
}
