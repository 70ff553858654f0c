// SPDX-License-Identifier: Apache-2.0

package config

import (
	"strings"

	"justnews/internal/diag"
)

// refuse reports the current value.
func (c *checker) refuse(code diag.Code, v any, message, expected, fix string) {
	if len(c.problems) >= maxProblems {
		c.more++
		return
	}
	c.markBad(c.path)
	if last := c.path[len(c.path)-1]; strings.HasPrefix(last, "[") {
		c.markBad(c.path[:len(c.path)-1])
	}
	if fix == "" {
		fix = "correct the value of " + dotted(c.path)
	}
	c.report(code, atValue, dotted(c.path)+" "+message, seenOf(v), expected, fix)
}

func (c *checker) report(code diag.Code, w where, message, seen, expected, fix string) {
	c.state.report(c.doc, c.path, w, diag.Problem{
		Code: code, Message: message, Seen: diag.Clean(seen), Expected: expected, Fix: diag.Advise(fix, diag.Reload()),
	})
}

// maxProblems limits how many problems are reported: the generator has only seconds,
// and more would not be read.
const maxProblems = 1000

// report adds a problem with the place of a path in a document.
func (s *state) report(d *document, path []string, w where, p diag.Problem) {
	if len(s.problems) >= maxProblems {
		s.more++
		return
	}
	if d != nil {
		place := d.at(path)
		pos := place.Key
		if w == atValue {
			pos = place.Value
		}
		p.Position = &diag.Position{File: d.path, Line: pos.Line, Column: pos.Column}
		if d.dirty[pos.Line] && p.Code == diag.ConfigValue {
			return // its question marks were inserted by badBytes
		}
	}
	s.problems = append(s.problems, p)
}
