// SPDX-License-Identifier: Apache-2.0

// Package check judges: pure functions from facts and a wish to a State, and
// from a final judgement to the problems that an operator reads. It looks at
// nothing, waits for nothing and prints nothing.
package check

import (
	"justnews/internal/facts"
)

// State is what a look amounts to. Only Ready opens anything; the zero value
// does not.
type State int

// The states.
const (
	Unknown      State = iota // nothing was judged
	Unreachable               // no answer, or an error that may pass
	Nonsense                  // an invalid answer
	Pending                   // it goes on, and may become ready
	Idle                      // nothing goes on: no job, or one that loaded too little
	Failed                    // it ended with errors
	Inconsistent              // the answer contradicts itself
	Ready                     // every condition holds
)

// String returns the word that status lines and records use.
func (s State) String() string {
	switch s {
	case Unreachable:
		return "unreachable"
	case Nonsense:
		return "nonsense"
	case Pending:
		return "pending"
	case Idle:
		return "idle"
	case Failed:
		return "failed"
	case Inconsistent:
		return "inconsistent"
	case Ready:
		return "ready"
	default:
		return "unknown"
	}
}

// Judgement is a State and what led to it.
type Judgement struct {
	State   State
	Reason  string // short, for a status line: "11 of 14 models loaded"
	Warning string // what is not as it should be although nothing is refused
	Errors  []facts.ModelError
	Done    int // models loaded
	Total   int // models in all, as the server says
}

// Reach judges an answer by how it came: Ready means that it can be read.
func Reach(a facts.Answer) State {
	switch a.Kind {
	case facts.Answered:
		return Ready
	case facts.NotServed, facts.Redirected, facts.Nonsense, facts.Foreign:
		return Nonsense
	default: // Refused, ServerError, Unattributed, and nothing asked at all
		return Unreachable
	}
}

// Health judges the orchestrator's /health.
func Health(h facts.Health) Judgement {
	j := reached(h.Answer)
	if j.State == Ready && h.SafeMode {
		j.Warning = "safe mode"
	}
	return j
}

// Readiness judges the orchestrator's /ready: the body, not the status. A
// server that lacks the endpoint is ready when it answers at all.
func Readiness(r facts.Readiness) Judgement {
	if r.Kind == facts.NotServed {
		return Judgement{State: Ready, Reason: "answers, without a /ready"}
	}
	j := reached(r.Answer)
	if j.State == Ready && !r.Ready {
		return Judgement{State: Pending, Reason: "answers, but says that it is not ready"}
	}
	return j
}

func reached(a facts.Answer) Judgement {
	j := Judgement{State: Reach(a), Reason: "answers"}
	if j.State != Ready {
		j.Reason = evidence(a)
	}
	return j
}
