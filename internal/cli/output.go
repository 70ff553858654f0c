// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"justnews/internal/diag"
	"justnews/internal/lists"
	"justnews/internal/report"
)

// output remembers whether data was lost: a command whose product is its
// output has failed without it.
type output struct {
	w   io.Writer
	err error
}

// Write passes data on until that fails once.
func (o *output) Write(data []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(data)
	o.err = err
	return n, err
}

func (a *app) print(lines []string) {
	for _, l := range lines {
		fmt.Fprintln(a.Stdout, l)
	}
}

// refuse prints one problem and returns its exit status as an error.
func (a *app) refuse(p diag.Problem) error {
	a.say(p)
	return ended(p.Status())
}

// misuse rejects a command line, and suggests a valid one.
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

func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.Stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// statusOf returns the exit status of what some problems end.
func (a *app) statusOf(problems []diag.Problem) diag.Status {
	status := diag.StatusOf(problems)
	if status != diag.StatusReady {
		status = a.unlessCtrlC(status)
	}
	return status
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// here returns problems with fixes that can be followed on this machine: where
// there is no systemd, as in a container, none names a command that needs it.
func (a *app) here(problems []diag.Problem) []diag.Problem {
	if !a.NoSystemd {
		return problems
	}
	problems = slices.Clone(problems)
	for i := range problems {
		problems[i].Fix = withoutSystemd(problems[i].Fix)
	}
	return problems
}

func withoutSystemd(f diag.Fix) diag.Fix {
	works := func(c diag.Command) bool {
		return len(c) < 2 || !slices.Contains([]string{"systemctl", "journalctl", "systemd-tmpfiles"}, c[0]) && c.String() != diag.Retry().String()
	}
	left := diag.Fix{Advice: f.Advice, Look: lists.Filter(f.Look, works), Commands: lists.Filter(f.Commands, works)}
	if left.Empty() && !f.Empty() {
		left.Advice = "start it again by hand, since no systemd runs here"
	}
	return left
}

func (a *app) problemLines(problems []diag.Problem) []report.Line {
	return report.ProblemLines(a.here(problems))
}

func (a *app) clean(problems []diag.Problem) []diag.Problem {
	return report.Clean(a.here(problems))
}

func (a *app) say(problems ...diag.Problem) { a.talk.Say(a.problemLines(problems)) }
