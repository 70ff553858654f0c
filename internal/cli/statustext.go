// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/report"
	"justnews/internal/safefile"
	"justnews/internal/status"
)

// printGlance prints the most important facts first: whether the host is up, what keeps it
// down with its fix, and then the states of the instances. On a terminal lines are cut at
// its width; elsewhere nothing is cut or wrapped.
func (a *app) printGlance(g *status.Host) {
	fmt.Fprintln(a.Stdout, a.tint(toneOfHost(g.State), a.fit(g.Summary, 0)))
	for _, c := range g.Causes {
		fmt.Fprintln(a.Stdout)
		a.printFinding(c.Problem, c.Holds)
	}
	if !g.Unconfigured {
		fmt.Fprintln(a.Stdout)
		a.printServers(g)
		a.printUnits(g)
	}
	for i, p := range g.Problems[min(len(g.Causes), len(g.Problems)):] {
		if i == 0 {
			fmt.Fprintln(a.Stdout)
		}
		a.printFinding(p, nil)
	}
}

func (a *app) printFinding(p diag.Problem, holds []string) {
	a.print(report.Written(a.problemLines([]diag.Problem{p}), a.layout()))
	if len(holds) > 0 {
		a.print(report.Wrap("  holds: ", strings.Join(holds, ", "), a.layout().Width))
	}
}

func (a *app) layout() report.Layout { return a.layoutOf(a.StdoutTerminal) }

func (a *app) layoutOf(terminal bool) report.Layout {
	p := report.Layout{Color: a.color(terminal), ASCII: !a.utf8(), Source: a.sourceLine}
	if terminal && a.Width != nil {
		p.Width = a.Width()
	}
	return p
}

// maxSource bounds what is read to show one line, as the configuration is.
const maxSource = 1 << 20

// sourceLine returns a line of the configuration. Environment files hold secrets
// and are not shown.
func (a *app) sourceLine(at diag.Position) string {
	if at.Line < 1 || !strings.HasSuffix(at.File, ".toml") {
		return ""
	}
	path := at.File
	if a.ConfigFile == "" {
		path = a.below(path)
	}
	text, err := safefile.Read(path, maxSource)
	if err != nil {
		return ""
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if n++; n == at.Line {
			return strings.TrimRight(line, "\r\n")
		}
	}
	return ""
}

// utf8 reports whether the caller's locale has more characters than ASCII.
func (a *app) utf8() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v, _ := a.Lookup(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}

func (a *app) printServers(g *status.Host) {
	a.row("orchestrator", toneOfServer(g.Orchestrator), wordOf(g.Orchestrator), where(g.Orchestrator))
	a.row("models", toneOfModels(g), modelsWord(g), g.Models.Reason)
	if g.MPS != nil {
		a.mpsRow(*g.MPS)
	}
	a.row("bus", toneOfServer(g.Bus), wordOf(g.Bus), where(g.Bus))
	a.printGPUs(g)
	a.watchRow(g.Watch)
}

// wordOf is the state of a server: what it reports, or what its unit does while it
// is silent.
func wordOf(s report.ServerStatus) string {
	if s.State != "answers" && s.Unit != nil && s.Unit.State != unit.Up {
		return string(s.Unit.State)
	}
	return s.State
}

func where(s report.ServerStatus) string {
	if s.Unit == nil {
		return s.URL
	}
	return s.URL + ", unit " + string(s.Unit.State)
}

func modelsWord(g *status.Host) string {
	if g.Loading {
		return "loading"
	}
	return g.Models.State
}

// A tone is the meaning of a colour: good, on its way, wrong, or nothing.
type tone int

const (
	plain tone = iota
	good
	pending
	wrong
)

func toneOfHost(state string) tone {
	switch state {
	case status.Up:
		return good
	case status.Starting, status.Stopped, status.Unknown:
		return pending
	}
	return wrong
}

func toneOfServer(s report.ServerStatus) tone {
	switch {
	case s.State == "answers":
		return good
	case s.Unit != nil && s.Unit.State != unit.Up:
		return toneOf(*s.Unit)
	}
	return wrong
}

func toneOfModels(g *status.Host) tone {
	switch {
	case g.Models.State == check.Ready.String():
		return good
	case g.Loading || status.OnItsWay(g.Orchestrator.Unit) || g.PreloadPending() || g.State == status.Stopped:
		return pending
	case g.Models.State == check.Unknown.String():
		return plain
	}
	return wrong
}

func toneOf(u report.UnitStatus) tone {
	switch {
	case !u.Gated:
		return wrong
	case u.State == unit.Up:
		return good
	case u.State.Pending(), u.State == unit.Stopped, u.State == unit.Masked:
		return pending
	case u.State == unit.Disabled:
		return plain
	}
	return wrong
}

// unitRow is one row of the table: the instances that are in the same state for
// the same reason.
type unitRow struct {
	state, since, note string
	names              []string
	tone               tone
	rank               int
}

// wordOrder lists the states of instances as the table does, the worst first.
func wordOrder() []unit.Word {
	return []unit.Word{
		unit.Refused, unit.Failed, unit.Missing, unit.Masked, unit.Waiting, unit.Queued,
		unit.Starting, unit.Stopping, unit.Stopped, unit.Disabled, unit.Up,
	}
}

// unitRows groups units in the same state into rows, the worst first.
func unitRows(g *status.Host) []unitRow {
	var rows []unitRow
	first, last := map[int]float64{}, map[int]float64{}
	for _, u := range g.Units {
		r := unitRow{state: string(u.State), tone: toneOf(u), rank: 2 * slices.Index(wordOrder(), u.State), note: unit.WaitsFor(u.Text)}
		if !u.Gated && u.State != unit.Missing {
			r.state, r.rank = "UNGATED, "+r.state, -1
		}
		if u.State == unit.Refused {
			r.note = ""
			if len(g.Causes) > 1 {
				r.note = string(u.Cause)
			}
		}
		if u.State == unit.Failed && u.Result != "" && u.Result != "success" {
			r.note = "Result: " + diag.Clean(u.Result)
		}
		at := slices.IndexFunc(rows, func(o unitRow) bool { return o.state == r.state && o.note == r.note })
		if at < 0 {
			at = len(rows)
			rows = append(rows, r)
			first[at], last[at] = u.For, u.For
		}
		rows[at].names = append(rows[at].names, u.Instance)
		first[at], last[at] = min(first[at], u.For), max(last[at], u.For)
	}
	for i := range rows {
		rows[i].since = sinceText(first[i], last[i])
	}
	slices.SortStableFunc(rows, func(x, y unitRow) int { return cmp.Compare(x.rank, y.rank) })
	return rows
}

// sinceText is how long some units have been in a state, one span where they
// differ little.
func sinceText(shortest, longest float64) string {
	a, b := age(shortest), age(longest)
	switch {
	case a == b || a == "" || longest-shortest < 10:
		return b
	default:
		return a + " to " + b
	}
}

// age is a coarse span: 12 s, 3 min, 5 h, 2 d.
func age(s float64) string {
	d := seconds(s)
	switch {
	case d <= 0:
		return ""
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}

func (a *app) printUnits(g *status.Host) {
	if len(g.Units) == 0 {
		return
	}
	fmt.Fprintln(a.Stdout)
	a.print(a.tableOf(unitRows(g)))
}

// tableOf is the head of the table and its rows.
func (a *app) tableOf(rows []unitRow) []string {
	state, since := len("STATE"), len("FOR")
	for _, r := range rows {
		state, since = max(state, len(r.state)), max(since, len(r.since))
	}
	lines := []string{fmt.Sprintf("%-*s  %-*s  %s", state, "STATE", since, "FOR", "INSTANCES")}
	for _, r := range rows {
		head := fmt.Sprintf("%-*s", state, r.state)
		wrapped := report.Wrap(fmt.Sprintf("%s  %-*s  ", head, since, r.since), strings.Join(r.names, ", "), a.layout().Width)
		wrapped[0] = a.tint(r.tone, head) + strings.TrimPrefix(wrapped[0], head)
		lines = append(lines, wrapped...)
		if r.note != "" {
			indent := state + since + 4
			lines = append(lines, strings.Repeat(" ", indent)+a.fit(r.note, indent))
		}
	}
	return lines
}

// row prints one server: its name, its state in a word, and the rest. If the state is an
// error's text, it gets a separate line.
func (a *app) row(name string, t tone, state, rest string) {
	const indent, word = 14, 18
	if len(state) > word {
		fmt.Fprintf(a.Stdout, "%-*s%s\n", indent, name, a.tint(t, a.fit(state, indent)))
		if rest != "" {
			fmt.Fprintf(a.Stdout, "%-*s%s\n", indent, "", a.fit(rest, indent))
		}
		return
	}
	fmt.Fprintln(a.Stdout, strings.TrimRight(fmt.Sprintf("%-*s%s  %s", indent, name, a.tint(t, fmt.Sprintf("%-*s", word, state)), a.fit(rest, indent+word+2)), " "))
}

// fit cuts a text that begins behind used columns.
func (a *app) fit(text string, used int) string {
	p := a.layout()
	if p.ASCII {
		text = strings.ReplaceAll(text, "…", "...")
	}
	if p.Width == 0 {
		return text
	}
	return p.Fit(text, max(p.Width-used, 1))
}

// tint gives a text the colour of its tone: green, yellow or red.
func (a *app) tint(t tone, text string) string {
	return a.layout().Paint([...]string{plain: "", good: "32", pending: "33", wrong: "31;1"}[t], text)
}
