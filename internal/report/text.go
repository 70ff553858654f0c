// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/journal"
)

// Line is one line of talk with its syslog priority.
type Line struct {
	Priority journal.Priority
	Level    string
	Text     string
	Problem  *diag.Problem // its problem, nil for a verdict
	First    bool          // it is the first line of the problem; evidence and fix follow
}

// Lines turns a result into lines for the operator: every problem, each
// followed by its evidence and fix, and the verdict last.
func Lines(run string, r gate.Result) []Line {
	return slices.Concat(ProblemLines(r.Problems), []Line{verdictLine(run, r)}, stoppedLine(r))
}

// stoppedLine reports the units that a run itself has stopped, which are not in the verdict.
func stoppedLine(r gate.Result) []Line {
	n := 0
	for _, p := range r.Problems {
		if p.Code == diag.PortFreed {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	text := "1 unit is down now; to start it again"
	if n > 1 {
		text = fmt.Sprintf("%d units are down now; to start them again", n)
	}
	return []Line{
		{Priority: journal.Warning, Level: "stopped", Text: text},
		{Priority: journal.Warning, Level: levelCommand, Text: diag.Retry().String()},
	}
}

// Short is a refusal on one line: its code, and the unit whose journal has the
// details, "" if there are none. Warnings concern this unit, and get one line
// each.
func Short(run string, r gate.Result, unit string) []Line {
	var lines []Line
	for i := range r.Problems {
		if p := &r.Problems[i]; p.Severity == diag.Warning {
			lines = append(lines, problemLines(p)[0])
		}
	}
	for i := range r.Problems {
		if p := &r.Problems[i]; p.Severity == diag.Error {
			text := fmt.Sprintf("%s: %s, exit status %d", subject(run, r), cleaned(*p), r.Status)
			if unit != "" {
				text += "; details: journalctl -b -u " + unit
			}
			return append(lines, Line{Priority: journal.Err, Level: "refused", Text: text, Problem: p, First: true})
		}
	}
	return Lines(run, r)
}

// ProblemLines turns problems into lines.
func ProblemLines(problems []diag.Problem) []Line {
	var lines []Line
	for i := range problems {
		lines = append(lines, problemLines(&problems[i])...)
	}
	return lines
}

func problemLines(p *diag.Problem) []Line {
	pri := journal.Priority(p.Severity.Priority())
	shown := cleaned(*p)
	lines := []Line{{Priority: pri, Level: p.Severity.String(), Text: shown.String(), Problem: p, First: true}}
	if p.Severity == diag.Notice {
		return lines // not a problem: explain CODE has the rest
	}
	if level, text := evidence(shown); text != "" {
		lines = append(lines, Line{Priority: pri, Level: level, Text: text, Problem: p})
	}
	return append(lines, fixLines(pri, p, shown.Fix)...)
}

// A line of levelCommand is only a command, so that it can be pasted. One of
// levelPass is a complete sentence, without a prefix.
const (
	levelCommand = "command"
	levelPass    = "pass"
	indent       = "    "
)

func fixLines(pri journal.Priority, p *diag.Problem, f diag.Fix) []Line {
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

// evidence is what was seen and what was expected, without what is already in
// the message.
func evidence(p diag.Problem) (level, text string) {
	if strings.Contains(p.Message, p.Seen) || strings.Trim(p.Seen, `"`) == p.Subject {
		p.Seen = ""
	}
	if strings.Contains(p.Message, p.Expected) {
		p.Expected = ""
	}
	switch {
	case p.Expected == "":
		return "seen", p.Seen
	case p.Seen == "":
		return "expected", p.Expected
	default:
		return "seen", p.Seen + "; expected " + p.Expected
	}
}

func verdictLine(run string, r gate.Result) Line {
	found := fmt.Sprintf("%s: %s after %s, exit status %d", subject(run, r), findings(r), Span(r.Elapsed), r.Status)
	switch verdict(r) {
	case "warnings":
		return Line{Priority: journal.Warning, Level: "warnings", Text: found}
	case "refused":
		return Line{Priority: journal.Err, Level: "refused", Text: found}
	case string(gate.Ungated):
		return Line{Priority: journal.Warning, Level: levelPass, Text: subject(run, r) + " may start unchecked: justnews.gate=off"}
	}
	return Line{Priority: journal.Info, Level: levelPass, Text: passed(run, r)}
}

func subject(run string, r gate.Result) string {
	if r.Instance == "" {
		return run
	}
	return Brief(r.Instance)
}

func findings(r gate.Result) string {
	var n [2]int
	for _, p := range r.Problems {
		if p.Severity != diag.Notice {
			n[min(max(p.Severity, 0), 1)]++
		}
	}
	var parts []string
	for i, word := range [...]string{"error", "warning"} {
		if n[i] > 0 {
			parts = append(parts, diag.Count(n[i], word))
		}
	}
	if len(parts) == 0 {
		return "nothing found"
	}
	return strings.Join(parts, ", ")
}

// passed describes what may start, or is ready, and what was verified for it.
func passed(run string, r gate.Result) string {
	proof := proven(r)
	switch {
	case r.Instance != "" && run == "ready":
		return fmt.Sprintf("%s is ready: %s (%s)", subject(run, r), cmp.Or(proof, "it waits for nothing"), Span(r.Elapsed))
	case r.Instance != "" && proof == "":
		return subject(run, r) + " may start: it waits for nothing"
	case r.Instance != "":
		return fmt.Sprintf("%s may start: %s (%s)", subject(run, r), proof, Span(r.Elapsed))
	case proof == "":
		return fmt.Sprintf("%s passed (%s)", run, Span(r.Elapsed))
	}
	return fmt.Sprintf("%s passed: %s (%s)", run, proof, Span(r.Elapsed))
}

func proven(r gate.Result) string {
	var parts []string
	for _, s := range r.Steps {
		if s.Verdict != gate.Passed || s.Detail == "" || s.Name == "orchestrator" && reached(r, "models") {
			continue
		}
		if s.Total > 0 {
			parts = append(parts, fmt.Sprintf("%s %d/%d", s.Name, s.Done, s.Total))
			continue
		}
		parts = append(parts, Brief(s.Detail))
	}
	return strings.Join(parts, ", ")
}

func reached(r gate.Result, step string) bool {
	return slices.ContainsFunc(r.Steps, func(s gate.StepResult) bool { return s.Name == step && s.Verdict == gate.Passed && s.Detail != "" })
}

// Span formats a duration for people: 340 ms, 4.2 s, 41 s, 3 min 20 s.
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

// StepLines lists the steps with their times, for verbose output.
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
		lines = append(lines, Line{Priority: journal.Info, Level: "step", Text: text})
	}
	return lines
}

// heading is the level of a line that is only printed on a terminal, above the
// findings of one area.
const heading = "heading"

// Headed adds the area above the first finding of each, and separates the
// verdict.
func Headed(lines []Line) []Line {
	var out []Line
	area, verdict := "", "verdict"
	for _, l := range lines {
		now := area
		switch {
		case l.Problem != nil:
			now = l.Problem.Code.Area()
		case l.Level != "step":
			now = verdict
		}
		if now != area {
			area = now
			out = append(out, Line{Priority: journal.Info, Level: heading, Text: strings.ToUpper(area[:1]) + area[1:]})
		}
		out = append(out, l)
	}
	return out
}
