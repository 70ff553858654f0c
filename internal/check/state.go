// SPDX-License-Identifier: Apache-2.0

// Package check is shared by the judges below it: the possible states of a
// look, and the format of sizes and times. Judges are pure functions from facts
// and a requirement to a judgement, or to the problems that an operator reads.
// They access nothing, wait for nothing and print nothing. internal/check/X
// judges what internal/probe/X found.
package check

import (
	"cmp"
	"fmt"
	"time"

	"justnews/internal/facts"
)

// State is the result of a look. Only Ready opens a gate; the zero value does not.
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
func (s State) String() string { return cmp.Or(words[s], "unknown") }

var words = map[State]string{
	Unreachable: "unreachable", Nonsense: "nonsense", Pending: "pending", Idle: "idle",
	Failed: "failed", Inconsistent: "inconsistent", Ready: "ready",
}

// Judgement is a State and what led to it.
type Judgement struct {
	State  State
	Reason string // short, for a status line: "11 of 14 models loaded"
	Errors []facts.ModelError
	Done   int // models loaded
	Total  int // models in all, as the server says
}

// As returns the judgement with a state and its reason.
func (j Judgement) As(s State, reason string) Judgement {
	j.State, j.Reason = s, reason
	return j
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

// Span writes a timeout as the configuration takes it: 180s.
func Span(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	return d.String()
}

// Size writes a number of bytes for a person, everywhere in the same units: those
// of systemd's memory settings.
func Size[N int64 | uint64](n N) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d bytes", n)
	}
	v, unit := float64(n)/1024, 0
	for v >= 1024 && unit < len(units)-1 {
		v, unit = v/1024, unit+1
	}
	if units[unit] == 'K' || units[unit] == 'M' {
		return fmt.Sprintf("%.0f %ciB", v, units[unit])
	}
	return fmt.Sprintf("%.1f %ciB", v, units[unit])
}
