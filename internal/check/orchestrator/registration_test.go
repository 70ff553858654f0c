// SPDX-License-Identifier: Apache-2.0

package orchestrator_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"justnews/internal/check/orchestrator"
	"justnews/internal/diag"
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
		"it is invalid":      {facts.Registration{Answer: facts.Answer{Kind: facts.Nonsense, Detail: "no agents"}}, 1},
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

func TestSilence_UnitIsNamedAsItsCause(t *testing.T) {
	silent := []diag.Problem{
		{Code: diag.OrchestratorUnreachable, Message: "no answer", Seen: "connection refused"},
		{Code: diag.StoreSnapshot, Message: "missing", Seen: "nothing"},
	}
	for what, c := range map[string]struct {
		unit facts.Unit
		seen string // "": the unit is not the cause
		fix  string
	}{
		"a usual unit":          {unit: facts.Unit{LoadState: "loaded"}},
		"masked":                {facts.Unit{LoadState: "masked"}, `"masked"`, "unmask"},
		"a network of its own":  {facts.Unit{LoadState: "loaded", Sandbox: facts.Sandbox{PrivateNetwork: true}}, "PrivateNetwork=yes", "remove PrivateNetwork="},
		"another's network":     {facts.Unit{LoadState: "loaded", Sandbox: facts.Sandbox{NetworkPath: "/run/netns/x"}}, "NetworkNamespacePath=/run/netns/x", "remove NetworkNamespacePath="},
		"another's by its path": {facts.Unit{LoadState: "loaded", Sandbox: facts.Sandbox{PrivateNetwork: true, NetworkPath: "/run/netns/x"}}, "NetworkNamespacePath=/run/netns/x", "remove NetworkNamespacePath="},
	} {
		c.unit.Name = "justnews@gpu_orchestrator.service"
		got := orchestrator.WhySilent(slices.Clone(silent), diag.OrchestratorUnreachable, c.unit)
		if got[1].Seen != "nothing" || got[1].Message != "missing" {
			t.Errorf("%s: another problem was changed: %+v", what, got[1])
		}
		if p := got[0]; strings.Contains(p.Seen, "; ") != (c.seen != "") || !strings.Contains(p.Seen, c.seen) || !strings.Contains(p.Fix.String(), c.fix) {
			t.Errorf("%s: %+v", what, p)
		}
	}
}
