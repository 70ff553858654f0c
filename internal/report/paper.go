// SPDX-License-Identifier: Apache-2.0

package report

import (
	"strings"
	"unicode/utf8"

	"justnews/internal/diag"
)

// Paper describes the output for text.
type Paper struct {
	Width int  // columns; 0: no terminal, nothing is cut or wrapped
	Color bool // escape sequences are understood
	ASCII bool // the locale only supports ASCII
	// Source returns a line of a file that a problem points at, "" if it is not
	// to be shown; nil: never shown.
	Source func(diag.Position) string
}

// Fit cuts a text to at most room columns.
func (p Paper) Fit(s string, room int) string {
	if !p.ASCII {
		return Fit(s, room)
	}
	const dots = "..."
	switch {
	case columns(s) <= room:
		return s
	case room <= len(dots):
		return dots[:max(room, 0)]
	}
	return strings.TrimSuffix(Fit(s, room-len(dots)+1), "…") + dots
}

// Wrap writes head and text on lines of at most width columns, broken between
// words. Continuation lines are indented to the text. A word that is longer
// than a line is not broken: the terminal breaks it, and it can still be
// copied.
func Wrap(head, text string, width int) []string {
	if width <= 0 || columns(head)+columns(text) <= width {
		return []string{head + text}
	}
	hang := min(columns(head), width/2)
	var lines []string
	line, used := head, columns(head)
	begun := false
	for word := range strings.FieldsSeq(text) {
		n := columns(word)
		if begun && used+1+n > width {
			lines = append(lines, line)
			line, used, begun = strings.Repeat(" ", hang), hang, false
		}
		if begun {
			line, used = line+" ", used+1
		}
		line, used, begun = line+word, used+n, true
	}
	return append(lines, line)
}

// Written returns lines for a person: the problem, and indented below it the
// evidence and the fix. A command is on its own line and never broken.
func Written(lines []Line, p Paper) []string {
	var out []string
	for _, l := range lines {
		level := p.Paint(levelColors[l.Level], l.Level+":")
		switch l.Level {
		case heading:
			out = append(out, "", p.Paint("1", l.Text))
		case levelCommand:
			out = append(out, indent+l.Text)
		case levelPass:
			for _, text := range Wrap("", l.Text, p.Width) {
				out = append(out, p.Paint("32;1", text))
			}
		default:
			head := l.Level + ": "
			if l.sequel() {
				head, level = "  "+head, "  "+level
			}
			wrapped := Wrap(head, l.Text, p.Width)
			wrapped[0] = level + strings.TrimPrefix(wrapped[0], strings.TrimSuffix(head, " "))
			out = append(out, wrapped...)
			if l.First && l.Problem != nil && l.Problem.Position != nil && p.Source != nil {
				out = append(out, p.quote(*l.Problem.Position)...)
			}
		}
	}
	if p.ASCII {
		for i := range out {
			out[i] = strings.ReplaceAll(out[i], "…", "...")
		}
	}
	return out
}

// levelColors make problems stand out on a terminal.
var levelColors = map[string]string{
	"error": "31;1", "refused": "31;1", "warning": "33;1", "warnings": "33;1", "pass": "32;1", "fix": "36", "look": "36", "seen": "2", "notice": "2",
}

// Paint gives a text a colour, by the parameters of its escape sequence (ECMA-48, SGR);
// "" is none.
func (p Paper) Paint(color, text string) string {
	if color == "" || !p.Color {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// quote is the line of a file at a position, with a marker below it.
func (p Paper) quote(at diag.Position) []string {
	line := p.Source(at)
	if line == "" {
		return nil
	}
	split := max(min(at.Column-1, len(line)), 0)
	shown := func(s string) string { return diag.Clean(strings.ReplaceAll(s, "\t", " ")) }
	before, after := shown(line[:split]), shown(line[split:])
	room := 72
	if p.Width > 0 {
		room = max(p.Width-len(indent), 20)
	}
	if over := columns(before) - room/2; over > 0 { // the position itself must be visible
		before = tail(before, columns(before)-over)
	}
	out := []string{indent + p.Fit(before+after, room)}
	if at.Column > 0 {
		out = append(out, indent+strings.Repeat(" ", columns(before))+"^")
	}
	return out
}

// tail returns the end of a text, with at most room columns.
func tail(s string, room int) string {
	for columns(s) > room {
		_, size := utf8.DecodeRuneInString(s)
		s = s[size:]
	}
	return s
}

// sequel reports whether the line continues the one before.
func (l Line) sequel() bool { return l.Problem != nil && !l.First }
