// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/report"
)

// printGlance prints what a person wants to know first: do the three servers
// answer, and which units do not run. On a terminal no line is longer than it
// is wide; anywhere else nothing is cut.
func (a *app) printGlance(g glance) {
	a.printServers(g)
	a.printUnits(g)
}

func (a *app) printServers(g glance) {
	a.row("orchestrator", g.Orchestrator.State == "answers", g.Orchestrator.State, where(g.Orchestrator))
	a.row("models", g.Models.State == "ready", g.Models.State, g.Models.Reason)
	if g.MPS != nil {
		a.mpsRow(*g.MPS)
	}
	a.row("bus", g.Bus.State == "answers", g.Bus.State, where(g.Bus))
	a.printGPUs(g)
}

func (a *app) printUnits(g glance) {
	if len(g.Units) == 0 {
		return
	}
	name, state := len("UNIT"), len("STATE")
	for _, u := range g.Units {
		name, state = max(name, len(u.Instance)), max(state, len(stateOf(u)))
	}
	fmt.Fprintf(a.Stdout, "\n%-*s  %-*s  %s\n", name, "UNIT", state, "STATE", "GATE")
	for _, u := range g.Units {
		gated := "yes"
		if !u.Gated {
			gated = "NO, UNGATED"
		}
		line := strings.TrimRight(fmt.Sprintf("  %-3s  %s", gated, u.Text), " ")
		line = a.fit(line, name+2+state)
		fmt.Fprintf(a.Stdout, "%-*s  %s%s\n", name, u.Instance, a.mark(u.Active == "active", fmt.Sprintf("%-*s", state, stateOf(u))), line)
	}
}

// row prints one server: its name, its state in a word, and the rest. A state
// that is no word, but an error's text, gets a line of its own.
func (a *app) row(name string, good bool, state, rest string) {
	const indent, word = 14, 18
	if len(state) > word {
		fmt.Fprintf(a.Stdout, "%-*s%s\n%-*s%s\n", indent, name, a.mark(good, a.fit(state, indent)), indent, "", a.fit(rest, indent))
		return
	}
	fmt.Fprintf(a.Stdout, "%-*s%s  %s\n", indent, name, a.mark(good, fmt.Sprintf("%-*s", word, state)), a.fit(rest, indent+word+2))
}

func where(s serviceGlance) string {
	if s.Unit == nil {
		return s.URL
	}
	return s.URL + ", unit " + stateOf(*s.Unit)
}

// stateOf is what systemctl shows of a unit.
func stateOf(u unitGlance) string {
	if u.Active == "failed" && u.Result != "" {
		return diag.Clean("failed (" + u.Result + ")")
	}
	return diag.Clean(u.Active + " (" + u.Sub + ")")
}

// fit cuts a text that begins behind used columns.
func (a *app) fit(text string, used int) string {
	if !a.StdoutTerminal || a.Width == nil {
		return text
	}
	return report.Fit(text, max(a.Width()-used, 1))
}

func (a *app) mark(good bool, text string) string {
	switch {
	case !a.color(a.StdoutTerminal):
		return text
	case good:
		return "\x1b[32m" + text + "\x1b[0m"
	default:
		return "\x1b[31;1m" + text + "\x1b[0m"
	}
}
