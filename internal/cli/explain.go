// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"justnews/internal/catalogue"
	"justnews/internal/diag"
	"justnews/internal/lists"
	"justnews/internal/report"
	"justnews/internal/spell"
)

type explainCommand struct {
	Code string `arg:"" optional:"" help:"A code such as MODEL-FAILED, a family such as MPS, or an exit status such as 71; default: list all codes."`
}

// Run prints the catalogue, or the entries of it that were asked for.
func (c *explainCommand) Run(a *app) error {
	entries := entriesOf(asCode(c.Code))
	status, err := strconv.Atoi(c.Code)
	if err == nil {
		entries = ofStatus(diag.Status(status))
	}
	if len(entries) == 0 {
		return a.refuse(unknownCode(c.Code))
	}
	switch {
	case a.json():
		return a.printJSON(report.Explanation{Schema: report.SchemaVersion, Codes: entries})
	case c.Code == "" || err == nil:
		if err == nil {
			fmt.Fprintf(a.Stdout, "exit status %d, %s:\n\n", status, meaning(diag.Status(status)))
		}
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

// asCode reads a code as it is copied from a message, or typed from memory.
func asCode(text string) string {
	return strings.ToUpper(strings.ReplaceAll(strings.Trim(text, " :;,."), "_", "-"))
}

// ofStatus returns the entries of the codes with which a gate exits with a status.
func ofStatus(status diag.Status) []catalogue.Entry {
	return lists.Filter(catalogue.Entries(), func(e catalogue.Entry) bool { return e.Status == status })
}

// entriesOf returns the entry of a code, or those of every code that begins with
// these words.
func entriesOf(code string) []catalogue.Entry {
	if e, ok := catalogue.Lookup(diag.Code(code)); ok {
		return []catalogue.Entry{e}
	}
	return lists.Filter(catalogue.Entries(), func(e catalogue.Entry) bool {
		return code == "" || strings.HasPrefix(string(e.Code), strings.TrimSuffix(code, "-")+"-")
	})
}

func printEntry(a *app, e catalogue.Entry) {
	fmt.Fprintf(a.Stdout, "%s: %s\n\n", e.Code, e.Title)
	a.print(report.Wrap("cause   ", e.Cause, 80))
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

// meaning describes an exit status. Ready is that of codes that are only warnings.
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

func unknownCode(code string) diag.Problem {
	names := lists.Map(diag.Codes(), func(code diag.Code) string { return string(code) })
	return diag.New(diag.Usage, code, "there is no such code"+spell.Hint(asCode(code), names),
		diag.Do(diag.Run("justnews-gate", "explain")))
}
