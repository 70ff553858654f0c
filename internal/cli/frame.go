// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"justnews/internal/diag"
	"justnews/internal/report"
	"justnews/internal/status"
)

// What a frame keeps of each part if not everything fits.
const (
	gpusOfAFrame   = 2
	causesOfAFrame = 4
)

// frame is a glance on a terminal of that size: the summary, the causes, each on
// a line, the servers, and the table with the worst first.
func (a *app) frame(g *status.Host, at time.Time, columns, rows int) []string {
	view := *a
	view.StdoutTerminal, view.Width = true, func() int { return max(columns-1, 1) } // some terminals begin a new line behind the last column
	lines := []string{view.heading(at), ""}
	if g == nil {
		return lines
	}
	shown := *g
	if n := len(shown.GPU.Devices); n > gpusOfAFrame {
		shown.GPU.Devices = shown.GPU.Devices[:gpusOfAFrame]
		shown.GPU.State += fmt.Sprintf(", %d not shown", n-gpusOfAFrame)
	}
	lines = append(lines, view.tint(toneOfHost(g.State), view.fit(g.Summary, 0)))
	causes := view.causeLines(g.Causes)
	servers := view.drawn(func(v *app) { v.printServers(&shown) })
	table := view.tableOf(unitRows(&shown))
	if len(g.Units) == 0 {
		table = nil
	}
	room := rows - len(lines) - len(servers) - 1
	reserved := 0
	if len(table) > 0 {
		reserved = min(len(table), 3) + 1
	}
	whole := room - 1
	if len(table) > 0 {
		whole -= len(table) + 1
	}
	causes = view.kept(causes, max(min(room-reserved-1, causesOfAFrame), whole, 0))
	if len(causes) > 0 {
		lines = append(append(lines, ""), causes...)
	}
	lines = append(append(lines, ""), servers...)
	if table = view.kept(table, rows-len(lines)-1); len(table) > 1 {
		lines = append(append(lines, ""), table...)
	}
	warnings := view.findingLines(g.Problems[min(len(g.Causes), len(g.Problems)):])
	if warnings = view.kept(warnings, rows-len(lines)-1); len(warnings) > 0 {
		lines = append(append(lines, ""), warnings...)
	}
	return lines[:min(len(lines), rows)]
}

// causeLines are the causes, each on one line, and how many instances it holds.
func (a *app) causeLines(causes []report.Cause) []string {
	var lines []string
	for _, c := range causes {
		holds := ""
		if n := len(c.Holds); n > 0 {
			holds = fmt.Sprintf(" (holds %d)", n)
		}
		lines = append(lines, a.oneLine(c.Problem, holds))
	}
	return lines
}

func (a *app) findingLines(problems []diag.Problem) []string {
	var lines []string
	for _, p := range problems {
		lines = append(lines, a.oneLine(p, ""))
	}
	return lines
}

// oneLine is a problem on one line, of which the end stays.
func (a *app) oneLine(p diag.Problem, end string) string {
	level := p.Severity.String() + ": "
	return a.tint(toneOfProblem(p), level) + a.fit(a.clean([]diag.Problem{p})[0].String(), len(level)+len(end)) + end
}

func toneOfProblem(p diag.Problem) tone {
	switch p.Severity {
	case diag.Warning:
		return pending
	case diag.Notice:
		return plain
	}
	return wrong
}

// kept returns the lines that there is room for, and the number of the others.
func (a *app) kept(lines []string, room int) []string {
	if len(lines) <= room {
		return lines
	}
	if room < 1 {
		return nil
	}
	return append(lines[:room-1:room-1], a.fit(fmt.Sprintf("and %d more, shown on q", len(lines)-room+1), 0))
}

func (a *app) drawn(draw func(*app)) []string {
	var out bytes.Buffer
	view := *a
	view.Stdout = &out
	draw(&view)
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}
