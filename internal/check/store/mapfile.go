// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/modelmap"
	"justnews/internal/safefile"
	"justnews/internal/spell"
)

// Map returns what is wrong with AGENT_MODEL_MAP.json. A missing one is a warning,
// unless the configuration names it (written). In that case, or if it is unreadable
// or invalid, the number of models of a complete preload is unknown, and the gate
// stays shut.
func Map(f modelmap.File, written bool) []diag.Problem {
	const put = "put the orchestrator's AGENT_MODEL_MAP.json there, or correct models.map in /etc/justnews/justnews.toml"
	switch {
	case f.Missing && written:
		return []diag.Problem{diag.Found(diag.MapUnreadable, "", "the model map that the configuration names does not exist",
			"", "a file", diag.Advise(put, diag.Retry())).At(f.Path, 0, 0)}
	case f.Missing:
		return []diag.Problem{diag.New(diag.MapMissing, "", "there is no model map, so the number of models is not checked",
			diag.Advise("copy the orchestrator's map there, or name it in /etc/justnews/justnews.toml: models.map = \"/path/to/AGENT_MODEL_MAP.json\"")).At(f.Path, 0, 0).As(diag.Warning)}
	case f.Err != nil:
		advice := "grant the service's user read access to it"
		if errors.Is(f.Err, safefile.ErrNotRegular) || errors.Is(f.Err, safefile.ErrTooLarge) {
			advice = put
		}
		return []diag.Problem{diag.Found(diag.MapUnreadable, "", "cannot read the model map: "+diag.Clean(f.Err.Error()),
			"", "a regular file that this user can read", diag.Advise(advice, diag.Retry()).Looking(diag.Namei(f.Path))).At(f.Path, 0, 0)}
	}
	problems := lists.Map(f.Problems, func(p modelmap.Problem) diag.Problem { return mapProblem(f.Path, p) })
	if f.Map == nil && len(diag.Errors(problems)) == 0 {
		problems = append(problems, mapProblem(f.Path, modelmap.Problem{Message: "cannot parse the model map"}))
	}
	if f.Map != nil && f.Map.Total() == 0 && len(f.Map.VLLM) == 0 {
		problems = append(problems, diag.New(diag.MapInvalid, "", "it lists no model, so none is verified",
			diag.Advise("list the agents' models in "+diag.Quote(f.Path), diag.Retry())).At(f.Path, 0, 0).As(diag.Warning))
	}
	return problems
}

func mapProblem(path string, p modelmap.Problem) diag.Problem {
	message := p.Message
	if p.Key != "" {
		message = p.Key + ": " + message
	}
	problem := diag.New(diag.MapInvalid, "", diag.Clean(message),
		diag.Advise(fmt.Sprintf("correct line %d of %s", p.Line, diag.Quote(path)), diag.Retry())).At(path, p.Line, p.Column)
	if p.Warning {
		problem.Severity, problem.Fix.Commands = diag.Warning, nil
	}
	return problem
}

// MapDenied adds to the problem of an unreadable map the path to which access is
// denied, and the command that grants it.
func MapDenied(problems []diag.Problem, user string, d *facts.StoreDenial) []diag.Problem {
	if d == nil {
		return problems
	}
	problems = slices.Clone(problems)
	for i, p := range problems {
		if p.Code == diag.MapUnreadable {
			problems[i].Message = fmt.Sprintf("cannot read the model map: the user %s may not %s the %s %s", user, verb(*d), thing(*d), diag.Clean(d.Path))
			problems[i].Seen = modeOf(*d)
			problems[i].Fix = letIn(*d, user, "")
			if !d.Dir && !d.Allowed && !d.ACL { // the directory may hold other files, which stay closed
				problems[i].Fix = diag.Do(diag.Run("chmod", cmp.Or(classes[d.Class], "o")+"+r", "--", d.Path), diag.Retry())
			}
		}
	}
	return problems
}

// MapInstances compares the agents of the map with the instances of the
// configuration. An agent without an instance is not an error, since models may be
// loaded for other programs. An agent whose name is similar to that of an instance
// without models is probably misspelt, and then that instance has no models.
func MapInstances(m *modelmap.Map, path string, instances []string) []diag.Problem {
	if m == nil {
		return nil
	}
	without := lists.Filter(instances, func(name string) bool { return m.Count(name) == 0 })
	var problems []diag.Problem
	for _, a := range m.Agents {
		near, ok := spell.Nearest(a.Name, without)
		if !ok || slices.Contains(instances, a.Name) {
			continue
		}
		p := diag.Found(diag.MapName, diag.Clean(a.Name), fmt.Sprintf("the map lists %s for an agent that is not an instance; did you mean %s?", diag.Count(len(a.Models), "model"), diag.Quote(near)),
			fmt.Sprintf("%s with %s, %s with none", diag.Quote(a.Name), diag.Count(len(a.Models), "model"), diag.Quote(near)), "the name of an instance",
			diag.Advise("correct the agent's key in AGENT_MODEL_MAP.json, or leave it if it is intended")).As(diag.Warning)
		if len(a.Models) > 0 {
			p = p.At(path, a.Models[0].Line, a.Models[0].Column)
		}
		problems = append(problems, p)
	}
	return problems
}

// NotListed is the warning that the store has models of an agent that the map does
// not list.
func NotListed(agent string) diag.Problem {
	return diag.Found(diag.MapName, agent, "the map does not list this agent",
		"", "an agent of the map", diag.Advise("add it to AGENT_MODEL_MAP.json if it has to be loaded")).As(diag.Warning)
}
