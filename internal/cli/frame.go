// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"justnews/internal/diag"
	"justnews/internal/report"
)

// What a frame keeps of each part where there is no room for all of it.
const (
	gpusOfAFrame     = 2
	problemsOfAFrame = 4
)

// frame is a glance on a terminal of that size: the servers, then what is wrong
// before what is well.
func (a *app) frame(g *glance, at time.Time, columns, rows int) []string {
	lines := []string{heading(at, columns), ""}
	if g == nil {
		return lines
	}
	shown := *g
	if n := len(shown.GPU.Devices); n > gpusOfAFrame {
		shown.GPU.Devices = shown.GPU.Devices[:gpusOfAFrame]
		shown.GPU.State += fmt.Sprintf(", %d not shown", n-gpusOfAFrame)
	}
	lines = append(lines, a.drawn(columns, func(view *app) { view.printServers(shown) })...)
	problems := problemRows(g.Problems)
	reserved := 0
	if len(problems) > 0 {
		reserved = 1 + min(len(problems), problemsOfAFrame)
	}
	lines = append(lines, a.unitRows(shown, columns, rows-len(lines)-reserved)...)
	return append(lines, a.problemLines(problems, columns, rows-len(lines))...)
}

// drawn renders with the printers of status as if for a terminal of that width.
// The last column stays free: some terminals begin a new line behind it.
func (a *app) drawn(columns int, draw func(*app)) []string {
	var out bytes.Buffer
	view := *a
	view.Stdout, view.StdoutTerminal, view.Width = &out, true, func() int { return max(columns-1, 1) }
	draw(&view)
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

// unitRows are an empty row, a head and a row for each unit; where there is no
// room, those that do not run come first, and the rest is counted.
func (a *app) unitRows(g glance, columns, room int) []string {
	const head = 2
	if len(g.Units) == 0 || room <= head {
		return nil
	}
	var rest []unitGlance
	if len(g.Units) > room-head {
		units := slices.Clone(g.Units)
		slices.SortStableFunc(units, func(x, y unitGlance) int { return order(x) - order(y) })
		g.Units, rest = units[:room-head-1], units[room-head-1:]
	}
	rows := a.drawn(columns, func(view *app) { view.printUnits(g) })
	if len(g.Units) == 0 {
		rows = []string{""}
	}
	if len(rest) > 0 {
		rows = append(rows, report.Fit(summaryOf(rest), columns-1))
	}
	return rows
}

// order puts what does not run before what does.
func order(u unitGlance) int {
	switch {
	case u.Active == "failed":
		return 0
	case !u.Gated:
		return 1
	case u.Active != "active":
		return 2
	}
	return 3
}

func summaryOf(units []unitGlance) string {
	well := 0
	for _, u := range units {
		if order(u) == 3 {
			well++
		}
	}
	if well == len(units) {
		return fmt.Sprintf("and %d more, all active and gated", well)
	}
	return fmt.Sprintf("and %d more, %d of them not active or not gated", len(units), len(units)-well)
}

// problemRows are the first lines of all problems, the worst first; hints follow
// when the watching ends.
func problemRows(problems []diag.Problem) []report.Line {
	var rows []report.Line
	for _, l := range report.ProblemLines(problems) {
		if l.First {
			rows = append(rows, l)
		}
	}
	slices.SortStableFunc(rows, func(x, y report.Line) int { return x.Priority - y.Priority })
	return rows
}

func (a *app) problemLines(problems []report.Line, columns, room int) []string {
	if len(problems) == 0 || room < 2 {
		return nil
	}
	lines := []string{""}
	kept := problems
	if len(kept) > room-1 {
		kept = kept[:room-2]
	}
	for _, l := range kept {
		level := l.Level + ":"
		text := report.Fit(l.Text, max(columns-2-len(level), 1))
		if l.Level == diag.Error.String() && a.color(true) {
			level = "\x1b[31;1m" + level + "\x1b[0m"
		}
		lines = append(lines, level+" "+text)
	}
	if more := len(problems) - len(kept); more > 0 {
		lines = append(lines, report.Fit(fmt.Sprintf("and %d more, which q shows", more), columns-1))
	}
	return lines
}
