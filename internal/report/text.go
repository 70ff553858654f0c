// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"justnews/internal/diag"
	"justnews/internal/gate"
)

// Line is one line of talk with its syslog priority.
type Line struct {
	Priority int // 3 error, 4 warning, 5 notice, 6 information
	Level    string
	Text     string
	Problem  *diag.Problem // what it speaks of, nil for a verdict
	First    bool          // it names the problem: evidence and fix follow
}

// Syslog priorities, as syslog(3) numbers them.
const (
	priError   = 3
	priWarning = 4
	priNotice  = 5
	priInfo    = 6
)

// Lines turns a result into the lines that an operator reads: every problem,
// each followed by its evidence and its cure, and the verdict last.
func Lines(run string, r gate.Result) []Line {
	var lines []Line
	for i := range r.Problems {
		lines = append(lines, problemLines(&r.Problems[i])...)
	}
	return append(lines, verdictLine(run, r))
}

// ProblemLines turns problems alone into lines.
func ProblemLines(problems []diag.Problem) []Line {
	var lines []Line
	for i := range problems {
		lines = append(lines, problemLines(&problems[i])...)
	}
	return lines
}

func problemLines(p *diag.Problem) []Line {
	pri := priError
	switch p.Severity {
	case diag.Warning:
		pri = priWarning
	case diag.Notice:
		pri = priNotice
	}
	shown := cleaned(*p)
	lines := []Line{{Priority: pri, Level: p.Severity.String(), Text: shown.String(), Problem: p, First: true}}
	if p.Severity == diag.Notice {
		return lines // nothing is wrong: explain CODE has the rest
	}
	if p.Seen != "" || p.Expected != "" {
		lines = append(lines, Line{Priority: pri, Level: "seen", Text: evidence(shown), Problem: p})
	}
	return append(lines, fixLines(pri, p, shown.Fix)...)
}

// A line of levelCommand is a command: no word stands before or after it, so
// that the line can be pasted as it is.
const (
	levelCommand = "command"
	indent       = "    "
)

func fixLines(pri int, p *diag.Problem, f diag.Fix) []Line {
	var lines []Line
	add := func(level, text string, commands []diag.Command) {
		if text == "" && len(commands) == 0 {
			return
		}
		lines = append(lines, Line{Priority: pri, Level: level, Text: cmp.Or(text, "run"), Problem: p})
		for _, c := range commands {
			lines = append(lines, Line{Priority: pri, Level: levelCommand, Text: c.String(), Problem: p})
		}
	}
	add("look", "", f.Look)
	add("fix", f.Advice, f.Commands)
	return lines
}

func evidence(p diag.Problem) string {
	switch {
	case p.Expected == "":
		return p.Seen
	case p.Seen == "":
		return "nothing; expected " + p.Expected
	default:
		return p.Seen + "; expected " + p.Expected
	}
}

func verdictLine(run string, r gate.Result) Line {
	if verdict(r) == "warnings" {
		return Line{Priority: priWarning, Level: "warnings", Text: fmt.Sprintf("%s: %s after %s, exit status %d", subject(run, r), findings(r), Span(r.Elapsed), r.Status)}
	}
	if !r.Passed() {
		return Line{Priority: priError, Level: "refused", Text: fmt.Sprintf("%s: %s after %s, exit status %d", subject(run, r), findings(r), Span(r.Elapsed), r.Status)}
	}
	if verdict(r) == string(gate.Ungated) {
		return Line{Priority: priWarning, Level: "pass", Text: subject(run, r) + " unchecked: justnews.gate=off"}
	}
	return Line{Priority: priInfo, Level: "pass", Text: fmt.Sprintf("%s: %s in %s", subject(run, r), proven(r), Span(r.Elapsed))}
}

func subject(run string, r gate.Result) string {
	if r.Instance == "" {
		return run
	}
	return diag.Clean(r.Instance)
}

// findings counts what was found; notices are none.
func findings(r gate.Result) string {
	var n [2]int
	for _, p := range r.Problems {
		if p.Severity != diag.Notice {
			n[min(max(p.Severity, 0), 1)]++
		}
	}
	var parts []string
	for i, word := range [...]string{"error", "warning"} {
		switch {
		case n[i] == 1:
			parts = append(parts, "1 "+word)
		case n[i] > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n[i], word))
		}
	}
	if len(parts) == 0 {
		return "nothing found"
	}
	return strings.Join(parts, ", ")
}

// proven lists what the steps found.
func proven(r gate.Result) string {
	var parts []string
	for _, s := range r.Steps {
		if s.Verdict == gate.Passed && s.Detail != "" {
			parts = append(parts, Brief(s.Detail))
		}
	}
	if len(parts) == 0 {
		return "nothing to wait for"
	}
	return strings.Join(parts, ", ")
}

// Span prints a duration as people say it: 340 ms, 4.2 s, 41 s, 3 min 20 s.
func Span(d time.Duration) string {
	whole := int(d.Seconds() + 0.5)
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", max(d, 0).Milliseconds())
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case whole < 120:
		return fmt.Sprintf("%d s", whole)
	default:
		return fmt.Sprintf("%d min %d s", whole/60, whole%60)
	}
}

// StepLines lists the steps with their times, for a person who asked for more.
func StepLines(r gate.Result) []Line {
	lines := make([]Line, 0, len(r.Steps))
	for _, s := range r.Steps {
		v := string(s.Verdict)
		if s.Verdict == gate.NotReached {
			v = "not reached"
		}
		text := fmt.Sprintf("%s: %s", s.Name, v)
		if s.Verdict != gate.NotReached {
			text += " in " + Span(s.Elapsed)
		}
		if s.Detail != "" {
			text += ": " + Brief(s.Detail)
		}
		lines = append(lines, Line{Priority: priInfo, Level: "step", Text: text})
	}
	return lines
}
