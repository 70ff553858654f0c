// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"justnews/internal/diag"
	"justnews/internal/lists"
	"justnews/internal/report"
	"justnews/internal/status"
)

// Console is a terminal that was taken over for a while; *screen.Screen is one.
type Console interface {
	Size() (columns, rows int)
	Draw(lines []string) error
	Keys() <-chan byte
	Resized() <-chan os.Signal
	Close() error
}

// watchEvery is the pause between two looks: they never overlap, however long
// one takes, so a watcher costs a host one request at a time.
const watchEvery = 2 * time.Second

type watcher struct {
	console Console
	look    func(context.Context) *status.Host
	frame   func(g *status.Host, at time.Time, columns, rows int) []string

	last *status.Host
	at   time.Time
}

// looked is what a look found, or the panic that ended it: the terminal has to be
// given back first.
type looked[T any] struct {
	found T
	crash any
}

// begin looks once in a separate goroutine.
func begin[T any](ctx context.Context, look func(context.Context) T) <-chan looked[T] {
	results := make(chan looked[T], 1)
	go func() {
		var l looked[T]
		defer func() {
			l.crash = recover()
			results <- l
		}()
		ctx, cancel := context.WithTimeout(ctx, statusTimeout+mpsTimeout)
		defer cancel()
		l.found = look(ctx)
	}()
	return results
}

// run refreshes until a key, a signal or the end of the terminal, and reports
// whether a person ended it.
func (w *watcher) run(ctx context.Context) (byKey bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results, keys := begin(ctx, w.look), w.console.Keys()
	var next <-chan time.Time
	for w.draw() {
		select {
		case <-ctx.Done():
			return false
		case key, open := <-keys:
			if !open {
				return false
			}
			if key == 'q' || key == 'Q' || key == 3 { // ^C
				return true
			}
		case <-w.console.Resized():
		case r := <-results:
			if r.crash != nil {
				panic(r.crash)
			}
			if ctx.Err() == nil { // else it was cut short
				w.last, w.at = r.found, time.Now()
			}
			next = time.After(watchEvery)
		case <-next:
			results = begin(ctx, w.look)
		}
	}
	return false
}

// draw fails if the terminal was closed.
func (w *watcher) draw() bool {
	columns, rows := w.console.Size()
	return w.console.Draw(w.frame(w.last, w.at, columns, rows)) == nil
}

// watchStatus shows the status until a key is pressed, and then prints the last look again,
// where it stays.
func (a *app) watchStatus() error {
	if a.json() {
		return a.refuse(watchRefused("--watch cannot be combined with --json"))
	}
	if a.Console == nil || a.getenv("TERM") == "dumb" {
		return a.refuse(watchRefused("--watch needs a terminal that can move its cursor"))
	}
	console, err := a.Console()
	if err != nil {
		return a.refuse(watchRefused("--watch needs a terminal: " + err.Error()))
	}
	w := watcher{console: console, look: a.glanceOnce, frame: a.frame}
	byKey, err := w.runAndClose(a.ctx)
	switch {
	case err != nil:
		return fmt.Errorf("cannot give the terminal back: %w", err)
	case w.last == nil, !byKey && w.last.Status == int(diag.StatusReady):
		return a.refuse(diag.New(diag.Interrupted, "status", "ended before there was any output",
			diag.Do(diag.Run("justnews-gate", "status"))))
	}
	return a.printStatus(w.last)
}

// runAndClose gives the terminal back also where a look crashes.
func (w *watcher) runAndClose(ctx context.Context) (byKey bool, err error) {
	defer func() { err = w.console.Close() }()
	return w.run(ctx), nil
}

func watchRefused(message string) diag.Problem {
	return diag.New(diag.Usage, "", message, diag.Advise("run the command without --watch", diag.Run("justnews-gate", "status")))
}

func (a *app) heading(at time.Time) string {
	when := "looking"
	if !at.IsZero() {
		when = at.Format("15:04:05")
	}
	return a.fit(fmt.Sprintf("justnews-gate status, %s, every %d s, q quits", when, int(watchEvery.Seconds())), 0)
}

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
	warnings := lists.Map(g.Problems[min(len(g.Causes), len(g.Problems)):], func(p diag.Problem) string { return view.oneLine(p, "") })
	if warnings = view.kept(warnings, rows-len(lines)-1); len(warnings) > 0 {
		lines = append(append(lines, ""), warnings...)
	}
	return lines[:min(len(lines), rows)]
}

// causeLines are the causes, each on one line, and how many instances it holds.
func (a *app) causeLines(causes []report.Cause) []string {
	return lists.Map(causes, func(c report.Cause) string {
		holds := ""
		if n := len(c.Holds); n > 0 {
			holds = fmt.Sprintf(" (holds %d)", n)
		}
		return a.oneLine(c.Problem, holds)
	})
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
