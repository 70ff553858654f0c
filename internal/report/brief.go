// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"unicode/utf8"

	"justnews/internal/diag"
)

// How much of one string from outside is worth printing, in bytes. An
// orchestrator may send a stack trace of a mebibyte as a model's error; its own
// log has the whole of it.
const (
	maxSubject = 256
	maxText    = 2000
	maxReason  = 400 // of a wait: one line that changes
)

// Brief makes a string from outside fit to be shown: without characters that
// could drive a terminal, and cut, with a note, where it is long.
func Brief(s string) string { return brief(s, maxText) }

func brief(s string, most int) string {
	whole := len(s)
	cut := whole > most
	if cut {
		s = s[:runeStart(s, most)]
	}
	if s = diag.Clean(s); len(s) > most { // escapes are longer than what they stand for
		s, cut = s[:runeStart(s, most)], true
	}
	if cut {
		s += fmt.Sprintf("… (cut, %d bytes in all)", whole)
	}
	return s
}

// runeStart returns the beginning of the rune that the byte at belongs to; of
// bytes that are no UTF-8 it gives up none.
func runeStart(s string, at int) int {
	for back := 0; back < utf8.UTFMax && at-back > 0; back++ {
		if utf8.RuneStart(s[at-back]) {
			return at - back
		}
	}
	return at
}

// Clean makes problems fit for every reader: terminal, journal, JSON.
func Clean(problems []diag.Problem) []diag.Problem {
	out := make([]diag.Problem, 0, len(problems))
	for _, p := range problems {
		out = append(out, cleaned(p))
	}
	return out
}

func cleaned(p diag.Problem) diag.Problem {
	p.Subject, p.Message = brief(p.Subject, maxSubject), Brief(p.Message)
	p.Seen, p.Expected, p.Hint = Brief(p.Seen), Brief(p.Expected), Brief(cmp.Or(p.Hint, p.Fix.String()))
	p.Fix.Advice = Brief(p.Fix.Advice) // a command is quoted, and cleaned, where it is printed
	if p.Position != nil {
		at := *p.Position
		at.File = Brief(at.File)
		p.Position = &at
	}
	return p
}
