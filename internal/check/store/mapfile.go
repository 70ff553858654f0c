// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"

	"justnews/internal/diag"
	"justnews/internal/modelmap"
)

// Map returns what is wrong with AGENT_MODEL_MAP.json. A missing one is a warning,
// unless the configuration names it (written). In that case, or if it is unreadable
// or invalid, the number of models of a complete preload is unknown, and the gate
// stays shut.
func Map(f modelmap.File, written bool) []diag.Problem {
	switch {
	case f.Missing && written:
		return []diag.Problem{{
			Code: diag.MapUnreadable, Position: &diag.Position{File: f.Path},
			Message: "the model map that the configuration names does not exist", Expected: "a file",
			Fix: diag.Advise("put the orchestrator's AGENT_MODEL_MAP.json there, or correct models.map in /etc/justnews/justnews.toml", diag.Retry()),
		}}
	case f.Missing:
		return []diag.Problem{{
			Code: diag.MapMissing, Severity: diag.Warning, Position: &diag.Position{File: f.Path},
			Message: "there is no model map, so the number of models is not checked",
			Fix:     diag.Advise("copy the orchestrator's map there, or name it in /etc/justnews/justnews.toml: models.map = \"/path/to/AGENT_MODEL_MAP.json\""),
		}}
	case f.Err != nil:
		return []diag.Problem{{
			Code: diag.MapUnreadable, Position: &diag.Position{File: f.Path},
			Message: "cannot read the model map: " + diag.Clean(f.Err.Error()), Expected: "a regular file that this user can read",
			Fix: diag.Advise("grant the service's user read access to it", diag.Retry()).Looking(diag.Namei(f.Path)),
		}}
	}
	var problems []diag.Problem
	for _, p := range f.Problems {
		problems = append(problems, mapProblem(f.Path, p))
	}
	if f.Map == nil && len(diag.Errors(problems)) == 0 {
		problems = append(problems, mapProblem(f.Path, modelmap.Problem{Message: "cannot parse the model map"}))
	}
	return problems
}

func mapProblem(path string, p modelmap.Problem) diag.Problem {
	message := p.Message
	if p.Key != "" {
		message = p.Key + ": " + message
	}
	problem := diag.Problem{
		Code: diag.MapInvalid, Position: &diag.Position{File: path, Line: p.Line, Column: p.Column},
		Message: diag.Clean(message),
		Fix:     diag.Advise(fmt.Sprintf("correct line %d of %s", p.Line, diag.Quote(path)), diag.Retry()),
	}
	if p.Warning {
		problem.Severity = diag.Warning
		problem.Fix = diag.Advise(fmt.Sprintf("correct line %d of %s", p.Line, diag.Quote(path)))
	}
	return problem
}
