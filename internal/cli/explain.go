// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/report"
	"justnews/internal/spell"
)

type explainCommand struct {
	Code string `arg:"" optional:"" help:"A code such as MODEL-FAILED, or a family such as MPS; default: list all codes."`
}

// Run prints the catalogue, or the entries of it that were asked for.
func (c *explainCommand) Run(a *app) error {
	entries := entriesOf(strings.ToUpper(c.Code))
	if len(entries) == 0 {
		return a.refuse(unknownCode(c.Code))
	}
	switch {
	case a.json():
		return a.printJSON(report.Explanation{Schema: report.SchemaVersion, Codes: explanations(entries)})
	case c.Code == "":
		for _, e := range entries {
			fmt.Fprintf(a.Stdout, "%-24s %s\n", e.Code, e.Title)
		}
	default:
		for i, e := range entries {
			if i > 0 {
				fmt.Fprintln(a.Stdout)
			}
			printEntry(a, e)
		}
	}
	return nil
}

// entriesOf returns the entry of a code, or those of every code that begins with
// these words.
func entriesOf(code string) []diag.Entry {
	if e, ok := diag.Lookup(diag.Code(code)); ok {
		return []diag.Entry{e}
	}
	return slices.DeleteFunc(slices.Clone(diag.Catalog()), func(e diag.Entry) bool {
		return code != "" && !strings.HasPrefix(string(e.Code), strings.TrimSuffix(code, "-")+"-")
	})
}

// printEntry wraps text and leaves commands unwrapped.
func printEntry(a *app, e diag.Entry) {
	fmt.Fprintf(a.Stdout, "%s: %s\n\n", e.Code, e.Title)
	for i, line := range wrap(e.Cause, 72) {
		label := ""
		if i == 0 {
			label = "cause"
		}
		fmt.Fprintf(a.Stdout, "%-8s%s\n", label, line)
	}
	printCommands(a, "check", "run", e.Check)
	printCommands(a, "fix", cmp.Or(e.Fix.Advice, "run"), e.Fix.Commands)
	fmt.Fprintf(a.Stdout, "status  %d, %s\n", e.Status, meaning(e.Status))
}

func printCommands(a *app, label, text string, commands []diag.Command) {
	fmt.Fprintf(a.Stdout, "%-8s%s\n", label, text)
	for _, line := range diag.Lines(commands) {
		fmt.Fprintf(a.Stdout, "            %s\n", line)
	}
}

func wrap(text string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case len(*last)+1+len(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// meaning says what an exit status means. Ready is that of what only warns.
func meaning(s diag.Status) string {
	if s == diag.StatusReady {
		return "it never keeps a gate shut"
	}
	for _, row := range diag.Statuses() {
		if row.Status == s {
			return row.Meaning
		}
	}
	return "unknown"
}

func explanations(entries []diag.Entry) []report.ExplainedCode {
	out := make([]report.ExplainedCode, 0, len(entries))
	for _, e := range entries {
		out = append(out, report.ExplainedCode{
			Code: e.Code, Status: int(e.Status), MessageID: e.MessageID, Title: e.Title, Cause: e.Cause, Check: e.Check, Fix: e.Fix,
		})
	}
	return out
}

func unknownCode(code string) diag.Problem {
	var names []string
	for _, e := range diag.Catalog() {
		names = append(names, string(e.Code))
	}
	p := diag.Problem{
		Code: diag.Usage, Subject: code, Message: "there is no such code", Fix: diag.Do(diag.Run("justnews-gate", "explain")),
	}
	if near, ok := spell.Nearest(strings.ToUpper(code), names); ok {
		p.Message += fmt.Sprintf("; did you mean %s?", near)
	}
	return p
}

// refuse says one problem and returns its exit status as an error.
func (a *app) refuse(p diag.Problem) error {
	a.talk.Say(a.problemLines([]diag.Problem{p}))
	return ended(p.Status())
}

// misuse refuses a command line, and says which one would do.
func (a *app) misuse(message string, instead diag.Command) error {
	return a.refuse(diag.Problem{Code: diag.Usage, Message: message, Fix: diag.Do(instead)})
}

// printed prints a result as JSON where that is asked for, else as text, and
// returns its exit status as an error.
func (a *app) printed(v any, status diag.Status, text func()) error {
	if !a.json() {
		text()
	} else if err := a.printJSON(v); err != nil {
		return err
	}
	return ended(status)
}

// printJSON prints data for a machine.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.Stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
