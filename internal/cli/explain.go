// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/report"
	"justnews/internal/spell"
)

type explainCommand struct {
	Code string `arg:"" optional:"" help:"A code such as MODEL-FAILED; without one, all codes are listed."`
}

// explained is the JSON of one entry of the catalogue.
type explained struct {
	Code      diag.Code `json:"code"`
	Status    int       `json:"status"`
	MessageID string    `json:"message_id"`
	Title     string    `json:"title"`
	Cause     string    `json:"cause"`
	Check     string    `json:"check"`
	Fix       string    `json:"fix"`
}

// Run prints the catalogue, or one entry of it.
func (c *explainCommand) Run(a *app) error {
	entries := diag.Catalog()
	if c.Code != "" {
		e, ok := diag.Lookup(diag.Code(strings.ToUpper(c.Code)))
		if !ok {
			return a.refuse(unknownCode(c.Code))
		}
		entries = []diag.Entry{e}
	}
	switch {
	case a.json():
		return a.printJSON(explanations(entries))
	case c.Code == "":
		for _, e := range entries {
			fmt.Fprintf(a.Stdout, "%-26s %s\n", e.Code, e.Title)
		}
	default:
		printEntry(a, entries[0])
	}
	return nil
}

func printEntry(a *app, e diag.Entry) {
	fmt.Fprintf(a.Stdout, "%s: %s\n\ncause   %s\ncheck   %s\nfix     %s\nstatus  %d\n",
		e.Code, e.Title, e.Cause, e.Check, e.Fix, e.Status)
}

func explanations(entries []diag.Entry) []explained {
	out := make([]explained, 0, len(entries))
	for _, e := range entries {
		out = append(out, explained{e.Code, int(e.Status), e.MessageID, e.Title, e.Cause, e.Check, e.Fix})
	}
	return out
}

func unknownCode(code string) diag.Problem {
	var names []string
	for _, e := range diag.Catalog() {
		names = append(names, string(e.Code))
	}
	p := diag.Problem{
		Code: diag.Usage, Subject: code, Message: "there is no such code", Fix: "justnews-gate explain",
	}
	if near, ok := spell.Nearest(strings.ToUpper(code), names); ok {
		p.Message += fmt.Sprintf("; did you mean %s?", near)
	}
	return p
}

// refuse says one problem and returns its exit status as an error.
func (a *app) refuse(p diag.Problem) error {
	a.talk.Say(report.ProblemLines([]diag.Problem{p}))
	return ended(p.Status())
}

// printJSON prints data for a machine.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.Stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
