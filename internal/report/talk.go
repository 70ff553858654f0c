// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"sync"

	"justnews/internal/diag"
	"justnews/internal/journal"
)

// Sink accepts messages with fields: the journal, or stderr with a level before
// each line, such as *journal.Log.
type Sink interface {
	Write(p journal.Priority, message string, fields ...journal.Field) error
	Way() journal.Way
}

// Talk prints everything that is for people: problems, verdicts and the live
// line of a wait. Data never goes through it.
type Talk struct {
	mu       sync.Mutex
	w        io.Writer
	sink     Sink // nil: w
	layout   Layout
	instance string
	live     bool // a live line is on the terminal
}

// NewTalk returns a Talk that writes to w, described by layout, or to sink, if
// there is one and w is not a terminal.
func NewTalk(w io.Writer, sink Sink, layout Layout) *Talk {
	if sink != nil && sink.Way() == journal.Plain {
		sink = nil
	}
	return &Talk{w: w, sink: sink, layout: layout}
}

// About sets the instance of all following messages, which is a field in the
// journal.
func (t *Talk) About(instance string) { t.instance = diag.Clean(instance) }

// Say writes lines. What cannot be written is lost, since a verdict must not
// depend on it.
func (t *Talk) Say(lines []Line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.eraseLive()
	for i, l := range lines {
		if t.sink != nil {
			t.send(l, i > 0 && lines[i-1].Problem == l.Problem && l.Problem != nil) //nolint:gosec // i > 0
			continue
		}
		t.write(l)
	}
}

// write writes a line as text. In a log each finding begins with the program's
// name, which is redundant on a terminal.
func (t *Talk) write(l Line) {
	written := Written([]Line{l}, t.layout)
	for i, text := range written {
		if i == 0 && t.layout.Width == 0 && !l.sequel() && l.Level != heading {
			text = "justnews-gate: " + text
		}
		fmt.Fprintln(t.w, text)
	}
}

// send writes one line with its fields. Only the first line of a problem has
// its MESSAGE_ID, so that the catalogue's text is shown once.
func (t *Talk) send(l Line, sequel bool) {
	text := l.Level + ": " + l.Text
	switch {
	case l.Level == levelPass && t.sink.Way() == journal.Native:
		text = l.Text
	case l.Level == levelPass:
		text = "justnews-gate: " + l.Text
	case l.Level == levelCommand:
		text = indent + l.Text
	case t.sink.Way() != journal.Native:
		text = "justnews-gate: " + text
	}
	_ = t.sink.Write(l.Priority, text, t.fields(l, sequel)...)
}

func (t *Talk) fields(l Line, sequel bool) []journal.Field {
	fields := []journal.Field{{Name: "SYSLOG_IDENTIFIER", Value: "justnews-gate"}}
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, journal.Field{Name: name, Value: value})
		}
	}
	add("JUSTNEWS_INSTANCE", t.instance)
	if l.Problem == nil {
		return fields
	}
	p := l.Problem
	add("JUSTNEWS_CODE", string(p.Code))
	add("JUSTNEWS_SUBJECT", brief(p.Subject, maxSubject))
	if sequel {
		return fields
	}
	add("MESSAGE_ID", p.Code.MessageID())
	fix := cleaned(*p).Fix
	add("JUSTNEWS_FIX", fix.Advice)
	for _, c := range fix.Commands { // the journal accepts repeated fields
		add("JUSTNEWS_COMMAND", c.String())
	}
	return fields
}
