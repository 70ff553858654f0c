// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// slow is how long a test has to take to be listed, in seconds.
const slow = 2

// name is one test, or a package if test is empty.
type name struct{ pkg, test string }

func (n name) String() string {
	return strings.TrimPrefix(n.pkg, "justnews/") + " " + n.test
}

// failure is a failed test with the start of what it printed, so that the end of a long log
// has both.
type failure struct {
	name
	said string
}

// shown is how many characters of a failed test's output its line in the sum has.
const shown = 600

type tally struct {
	output  map[name]*strings.Builder // of what has not ended yet
	passed  map[name]int              // how often: two runs may have the same test
	failed  []failure
	skipped map[name]string // with the reason
	// parts are the slow parts of tests that have not ended: a test's time does not include
	// parts that run in parallel.
	parts map[name][]event
}

func newTally() *tally {
	return &tally{output: map[name]*strings.Builder{}, passed: map[name]int{}, skipped: map[name]string{}, parts: map[name][]event{}}
}

func (t *tally) add(e event) {
	n := name{e.Package, e.Test}
	switch e.Action {
	case "output":
		if t.output[n] == nil {
			t.output[n] = &strings.Builder{}
		}
		t.output[n].WriteString(e.Output)
	case "fail":
		f := failure{name: n}
		if e.Test != "" {
			f.said = reason(t.text(n))
		}
		t.failed = append(t.failed, f)
	case "pass":
		if e.Test != "" {
			t.passed[n]++
		}
	case "skip":
		if e.Test != "" {
			t.skipped[n] = reason(t.text(n))
		}
	}
}

func (t *tally) text(n name) string {
	if b := t.output[n]; b != nil {
		return b.String()
	}
	return ""
}

// reason returns the messages of a skipped or failed test, without the marks of go test.
func reason(output string) string {
	var said []string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "===") || strings.HasPrefix(line, "---") {
			continue
		}
		if _, after, found := strings.Cut(line, ".go:"); found {
			if _, words, found := strings.Cut(after, ": "); found {
				line = words
			}
		}
		said = append(said, line)
	}
	if len(said) == 0 {
		return "no reason given"
	}
	return strings.Join(said, "; ")
}

// say prints the message for an event, if any.
func (t *tally) say(e event, out io.Writer) {
	n := name{e.Package, e.Test}
	switch {
	case e.Action == "build-output":
		_, _ = io.WriteString(out, e.Output)
	case e.Action == "fail" && e.Test != "":
		fmt.Fprintf(out, "%s", t.text(n))
	case e.Action == "fail" && e.Package != "":
		t.sayUnfinished(e.Package, out)
		fmt.Fprintf(out, "FAIL  %-40s %6.1f s\n", e.Package, e.Elapsed)
	case e.Action == "pass" && e.Test == "":
		fmt.Fprintf(out, "ok    %-40s %6.1f s\n", e.Package, e.Elapsed)
	case e.Action == "pass":
		t.saySlow(e, out)
	}
}

// saySlow names a test that took long, or the parts of it that did.
func (t *tally) saySlow(e event, out io.Writer) {
	whole, _, isPart := strings.Cut(e.Test, "/")
	n := name{e.Package, whole}
	if isPart {
		if e.Elapsed >= slow && strings.Count(e.Test, "/") == 1 {
			t.parts[n] = append(t.parts[n], e)
		}
		return
	}
	said := t.parts[n]
	delete(t.parts, n)
	if e.Elapsed >= slow {
		said = []event{e}
	}
	for _, one := range said {
		fmt.Fprintf(out, "  ok  %-60s %6.1f s\n", one.Test, one.Elapsed)
	}
}

// forget drops the output of a test that has ended: the next run may have one with the same
// name.
func (t *tally) forget(e event) {
	if e.Action == "pass" || e.Action == "fail" || e.Action == "skip" {
		delete(t.output, name{e.Package, e.Test})
	}
}

// sayUnfinished prints the output of a package that did not end normally: a panic or a timeout
// ends no test, so the cause is in the output of the test or the package.
func (t *tally) sayUnfinished(pkg string, out io.Writer) {
	for n, text := range t.output {
		if n.pkg == pkg {
			_, _ = io.WriteString(out, text.String())
			delete(t.output, n)
		}
	}
}

func (t *tally) sum(out io.Writer) {
	fmt.Fprintln(out, "== skipped")
	skipped := t.left()
	for _, s := range skipped {
		fmt.Fprintln(out, s)
	}
	if len(skipped) == 0 {
		fmt.Fprintln(out, "nothing")
	}
	if len(t.failed) > 0 {
		fmt.Fprintln(out, "\n== failed")
	}
	tests := 0
	for _, f := range t.failed {
		if f.test == "" {
			fmt.Fprintln(out, strings.TrimSpace(f.String()))
			continue
		}
		tests++
		fmt.Fprintf(out, "%s: %.*s\n", f, shown, f.said)
	}
	passed := 0
	for _, times := range t.passed {
		passed += times
	}
	fmt.Fprintf(out, "\n%d passed, %d failed, %d skipped\n", passed, tests, len(skipped))
}

// left returns the tests that no run ran, with their reasons, sorted.
func (t *tally) left() []string {
	var left []string
	for n, why := range t.skipped {
		if t.passed[n] == 0 {
			left = append(left, n.String()+": "+why)
		}
	}
	slices.Sort(left)
	return left
}

func (t *tally) status() int {
	if len(t.failed) > 0 || len(t.passed)+len(t.skipped) == 0 {
		return 1
	}
	return 0
}
