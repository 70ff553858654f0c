// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"justnews/internal/diag"
	"justnews/internal/lists"
)

// Layout describes how text is printed.
type Layout struct {
	Width int  // columns; 0: no terminal, nothing is cut or wrapped
	Color bool // escape sequences are understood
	ASCII bool // the locale only supports ASCII
	// Source returns a line of a file that a problem points at, "" if it is not
	// to be shown; nil: never shown.
	Source func(diag.Position) string
}

// Fit cuts a text to at most room columns.
func (p Layout) Fit(s string, room int) string {
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
func Written(lines []Line, p Layout) []string {
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
func (p Layout) Paint(color, text string) string {
	if color == "" || !p.Color {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// quote is the line of a file at a position, with a marker below it.
func (p Layout) quote(at diag.Position) []string {
	line := p.Source(at)
	if line == "" {
		return nil
	}
	split := max(min(at.Column-1, len(line)), 0)
	shown := func(s string) string { return diag.Clean(diag.WithoutPasswords(strings.ReplaceAll(s, "\t", " "))) }
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
	return lists.Map(problems, cleaned)
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
