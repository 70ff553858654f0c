// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"fmt"
	"maps"
	"slices"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// of returns the errors of one agent, and those that name none: they may be anybody's.
func of(errors []facts.ModelError, agent string) []facts.ModelError {
	return slices.DeleteFunc(slices.Clone(errors), func(e facts.ModelError) bool { return e.Agent != agent && e.Agent != "" })
}

// ownOnly judges a job that is over with errors of other agents only
// (scope = "own"): each failure is named, and none is ours. The status says
// nothing of a single agent's models, so that the whole map must have been
// tried before silence about ours means that they are loaded.
func ownOnly(s facts.ModelsState, j check.Judgement, w requirement.Preload) check.Judgement {
	if s.Total < w.Expected {
		return j.As(check.Idle, short(s, w))
	}
	return j.As(check.Ready, fmt.Sprintf("the models of %s are loaded, %d of other agents failed", w.OnlyAgent, s.Failed))
}

// ownContradiction compares what per_agent says of our models, where the
// answer has it, with an answer that lists no error of ours.
func ownContradiction(s facts.ModelsState, w requirement.Preload) string {
	if w.OnlyAgent == "" || len(of(s.Errors, w.OnlyAgent)) > 0 {
		return ""
	}
	loads := s.PerAgent[w.OnlyAgent]
	for _, model := range slices.Sorted(maps.Keys(loads)) {
		if l := loads[model]; l.Status != "ok" && l.Status != "success" {
			return fmt.Sprintf("no error of %s is listed, yet its model %s is %s", w.OnlyAgent, diag.Quote(model), diag.Quote(l.Status))
		}
	}
	return ""
}
