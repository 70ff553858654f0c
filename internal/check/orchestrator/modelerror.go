// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/modelmap"
	"justnews/internal/spell"
)

// Diagnosis is what is known about the cause of a model's error, as fields of a Problem.
// An empty field keeps the one derived from the message.
type Diagnosis struct {
	Code     diag.Code // e.g. of the Model Store; "" stays MODEL-FAILED
	Seen     string
	Expected string
	Fix      diag.Fix
}

// Diagnose finds the cause of a model's error on this machine. It returns false
// where it found nothing.
type Diagnose func(facts.ModelError) (Diagnosis, bool)

const maxListed = 50

func modelProblems(j check.Judgement, s Subject) []diag.Problem {
	problems := lists.Map(j.Errors[:min(len(j.Errors), maxListed)], func(e facts.ModelError) diag.Problem { return modelProblem(e, s) })
	switch more := len(j.Errors) - maxListed; {
	case more > 0:
		problems = append(problems, unnamed(s, fmt.Sprintf("%d more failed", more), j.Reason))
	case len(j.Errors) == 0:
		problems = append(problems, unnamed(s, "models failed, but the orchestrator does not name them", j.Reason))
	}
	return problems
}

func unnamed(s Subject, message, seen string) diag.Problem {
	return diag.Found(diag.ModelFailed, s.URL, message,
		seen, "no failed model", diag.Advise("fix the error in the orchestrator's log", diag.Retry()).Looking(diag.LogOf(s.Unit)))
}

func modelProblem(e facts.ModelError, s Subject) diag.Problem {
	d := mapDiagnosis(e, s)
	if said := messageDiagnosis(e); d.Seen == "" && d.Code == "" {
		d = said
	}
	if s.Diagnose != nil {
		if proven, ok := s.Diagnose(e); ok {
			d = Diagnosis{
				Code: proven.Code, Seen: cmp.Or(proven.Seen, d.Seen),
				Expected: cmp.Or(proven.Expected, d.Expected), Fix: orFix(proven.Fix, d.Fix),
			}
		}
	}
	if s.Stale != "" && d.Code == "" {
		d.Seen, d.Fix = strings.TrimPrefix(d.Seen+"; "+s.Stale, "; "), readAgain(s)
	}
	return diag.Found(cmp.Or(d.Code, diag.ModelFailed), diag.Clean(subject(e, s)), diag.Clean(cmp.Or(strings.TrimSpace(e.Error), "the orchestrator gives no reason")),
		d.Seen, cmp.Or(d.Expected, "a model that loads"),
		orFix(d.Fix, diag.Advise("fix the error in the orchestrator's log", diag.Retry()).Looking(diag.LogOf(s.Unit))))
}

// subject names the model, with its agent where the server has agents.
func subject(e facts.ModelError, s Subject) string {
	if s.Protocol.Loaded != "" {
		return e.Model
	}
	return pair(e)
}

func pair(e facts.ModelError) string {
	return cmp.Or(e.Agent, "(no agent)") + ": " + cmp.Or(e.Model, "(no model)")
}

// mapDiagnosis compares the error's names with our map. A pair that is not in
// it comes from another map than ours.
func mapDiagnosis(e facts.ModelError, s Subject) Diagnosis {
	if s.Models == nil {
		return Diagnosis{}
	}
	agent, ok := s.Models.Agent(e.Agent)
	if !ok {
		return unknownName(s, "agent", e.Agent, lists.Map(s.Models.Agents, func(a modelmap.Agent) string { return a.Name }))
	}
	if _, ok := agent.Model(e.Model); !ok && e.Model != "" {
		return unknownName(s, "model of "+diag.Clean(e.Agent), e.Model, lists.Map(agent.Models, func(m modelmap.Model) string { return m.ID }))
	}
	return Diagnosis{}
}

func unknownName(s Subject, what, name string, known []string) Diagnosis {
	seen := fmt.Sprintf("%s lists no %s with the name %s", s.Map, what, diag.Quote(name))
	if near, ok := spell.Nearest(name, known); ok {
		seen += ", the nearest is " + diag.Quote(near)
	}
	return Diagnosis{
		Seen:     seen,
		Expected: "agents and models of " + s.Map,
		Fix:      diag.Advise(fmt.Sprintf("correct the name in the orchestrator's AGENT_MODEL_MAP.json or in %s", diag.Quote(s.Map)), diag.Retry()),
	}
}

func orFix(fix, other diag.Fix) diag.Fix {
	if fix.Empty() {
		return other
	}
	return fix
}

// hint is the cause suggested by the text of a message, which is not verified.
type hint struct {
	words    []string // in lower case
	says     string
	expected string
	first    string
}

// hints are tried in this order: an offline error also says that a file is
// missing, and an allocation error may name a file.
var hints = []hint{
	{
		words: []string{"permission denied", "errno 13", "eacces", "permissionerror"},
		says:  permission, expected: "files that the orchestrator's user can read, below directories that it can search",
		first: "let the orchestrator's user read the model and search every directory above it",
	},
	{
		words: []string{"out of memory", "cannot allocate memory", "outofmemory", "bad_alloc", "errno 12", "memoryerror"},
		says:  "memory", expected: "enough memory to load the model",
		first: "free memory, add swap or load fewer models",
	},
	{
		words: []string{"huggingface.co", "offline mode", "hf_hub_offline", "transformers_offline", "couldn't connect", "max retries exceeded", "localentrynotfound", "outgoing traffic has been disabled"},
		says:  download, expected: "a complete snapshot in the Model Store, so that nothing is downloaded",
		first: "copy the complete snapshot into the Model Store",
	},
	{
		words: []string{"is required to load", "no module named", "modulenotfounderror", "importerror"},
		says:  "a Python package that is missing", expected: "the packages that loading needs, in the orchestrator's environment",
		first: "install the package in the orchestrator's environment and restart it",
	},
	{
		words: []string{"checksum", "corrupt", "safetensorerror", "headertoolarge", "unpickling", "unexpected end of file", "bad magic"},
		says:  corrupt, expected: "files as the manifest lists them",
		first: "copy the snapshot again",
	},
	{
		words: []string{"missing", "no such file", "not found", "does not exist", "failed to load model", "filenotfounderror", "errno 2", "no snapshot"},
		says:  missing, expected: "a snapshot of the model in the Model Store",
		first: "copy the snapshot into the Model Store",
	},
	{
		words: []string{"cuda_error_mps", "mps server", "mps client", "mps daemon"},
		says:  "MPS", expected: "a working MPS control daemon",
		first: "fix the problem that mps status reports",
	},
}

// pointsTo returns the cause suggested by the text of a message, the zero hint if none is.
func pointsTo(e facts.ModelError) hint {
	text := strings.ToLower(e.Error)
	for _, h := range hints {
		if slices.ContainsFunc(h.words, func(word string) bool { return strings.Contains(text, word) }) {
			return h
		}
	}
	return hint{}
}

func messageDiagnosis(e facts.ModelError) Diagnosis {
	h := pointsTo(e)
	if h.says == "" {
		return Diagnosis{}
	}
	return Diagnosis{
		Seen:     "the message points to " + h.says + " (from the message alone, not verified)",
		Expected: h.expected,
		Fix:      diag.Advise(h.first, diag.Retry()),
	}
}
