// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"unicode/utf8"

	"justnews/internal/diag"
)

// How much of a string from outside is printed, in bytes. An orchestrator may
// send a stack trace of 1 MiB as a model's error; its own log has all of it.
const (
	maxSubject = 256
	maxText    = 2000
	maxCommand = 4096 // of a printed command: terminals accept no longer line
	maxReason  = 400  // of a wait: one line that changes
)

// Brief prepares a string from outside for printing: it removes characters that
// control a terminal, and truncates long strings with a note.
func Brief(s string) string { return brief(s, maxText) }

func brief(s string, most int) string {
	whole := len(s)
	cut := whole > most
	if cut {
		s = s[:runeStart(s, most)]
	}
	if s = diag.Clean(s); len(s) > most { // escapes are longer than what they represent
		s, cut = s[:runeStart(s, most)], true
	}
	if cut {
		s += fmt.Sprintf("... (cut, %d bytes in all)", whole)
	}
	return s
}

// runeStart returns the beginning of the rune that the byte at belongs to; in
// invalid UTF-8 every byte counts as one.
func runeStart(s string, at int) int {
	for back := 0; back < utf8.UTFMax && at-back > 0; back++ {
		if utf8.RuneStart(s[at-back]) {
			return at - back
		}
	}
	return at
}

// Clean prepares problems for every output: terminal, journal, JSON.
func Clean(problems []diag.Problem) []diag.Problem {
	out := make([]diag.Problem, 0, len(problems))
	for _, p := range problems {
		out = append(out, cleaned(p))
	}
	return out
}

// whole returns the commands, or none if one is too long to be read: a
// truncated command is a different command.
func whole(commands []diag.Command) []diag.Command {
	for _, c := range commands {
		size := 0
		for _, word := range c {
			size += len(word)
		}
		if size > maxText || len(c.String()) > maxCommand {
			return nil
		}
	}
	return commands
}

func cleaned(p diag.Problem) diag.Problem {
	p.Subject, p.Message = brief(p.Subject, maxSubject), Brief(p.Message)
	p.Seen, p.Expected, p.Fix.Advice = Brief(p.Seen), Brief(p.Expected), Brief(p.Fix.Advice)
	p.Fix.Look, p.Fix.Commands = whole(p.Fix.Look), whole(p.Fix.Commands)
	if p.Position != nil {
		at := *p.Position
		at.File = Brief(at.File)
		p.Position = &at
	}
	return p
}
