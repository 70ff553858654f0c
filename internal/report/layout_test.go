// SPDX-License-Identifier: Apache-2.0

package report

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/journal"
)

func TestWrap_BreaksBetweenWordsOnly(t *testing.T) {
	for _, c := range []struct {
		head, text string
		width      int
		want       string
	}{
		{"error: ", "one two three four", 14, "error: one two\n       three\n       four"},
		{"error: ", "one two", 0, "error: one two"},
		{"error: ", "one two", 80, "error: one two"},
		{"fix: ", "/a/path/longer/than/any/line x", 12, "fix: /a/path/longer/than/any/line\n     x"},
		{"", "", 5, ""},
	} {
		if got := strings.Join(Wrap(c.head, c.text, c.width), "\n"); got != c.want {
			t.Errorf("%q in %d columns:\n%s\nwant\n%s", c.text, c.width, got, c.want)
		}
	}
}

func TestProblem_HasCodeEvidenceAndFixInOrder(t *testing.T) {
	p := diag.Problem{
		Code: diag.StoreSnapshot, Subject: "chief_editor: distilbert", Message: "the model has no snapshot", Seen: "an empty directory", Expected: "snapshots/REVISION",
		Fix: diag.Advise("copy the snapshot there, all of it", diag.Run("sh", "-c", strings.Repeat("long ", 20)), diag.Retry()),
	}
	want := `error: STORE-SNAPSHOT: chief_editor:
       distilbert: the model has no
       snapshot
  seen: an empty directory; expected
        snapshots/REVISION
  fix: copy the snapshot there, all of
       it
    sh -c '` + strings.Repeat("long ", 20) + `'
    justnews-gate retry`
	got := Written(ProblemLines([]diag.Problem{p}), Layout{Width: 38})
	if diff := cmp.Diff(want, strings.Join(got, "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestProblem_EvidenceDoesNotRepeatTheMessage(t *testing.T) {
	for _, c := range []struct{ message, seen, expected, want string }{
		{"P does not exist", "P", "", ""},
		{"must be true or false", `"yes"`, "true or false", "  seen: \"yes\""},
		{"is not a duration", "5 minutes please", "whole seconds", "  seen: 5 minutes please; expected whole seconds"},
		{"no port", "", "1 to 65535", "  expected: 1 to 65535"},
	} {
		got := Written(ProblemLines([]diag.Problem{{Code: diag.ConfigValue, Message: c.message, Seen: c.seen, Expected: c.expected}}), Layout{})
		if text := strings.Join(got[1:], "\n"); text != c.want {
			t.Errorf("%s: %q, want %q", c.message, text, c.want)
		}
	}
}

func TestProblem_ShowsTheLineAndColumn(t *testing.T) {
	p := func(column int) []diag.Problem {
		return []diag.Problem{{Code: diag.ConfigType, Position: &diag.Position{File: "justnews.toml", Line: 4, Column: column}, Message: "must be a list"}}
	}
	written := func(column, width int, line string) string {
		lines := Written(ProblemLines(p(column)), Layout{Width: width, Source: func(at diag.Position) string {
			if at.Line != 4 {
				t.Errorf("asked for %+v", at)
			}
			return line
		}})
		return strings.Join(lines[1:], "\n")
	}
	if got := written(9, 80, "after = \"memory\""); got != "    after = \"memory\"\n            ^" {
		t.Errorf("%q", got)
	}
	if got := written(4, 80, "\té = \x1b[2J\x00"); got != "     é = \\x1b[2J\\x00\n      ^" && got != "     é = \\x1b[2J\\x00\n       ^" {
		t.Errorf("%q", got)
	}
	long := strings.Repeat("x", 500) + "HERE" + strings.Repeat("y", 500)
	got := strings.Split(written(501, 60, long), "\n")
	if at := strings.Index(got[0], "HERE"); at < 0 || len(got[1]) != at+1 || columns(got[0]) > 60 {
		t.Errorf("%q", got)
	}
	for _, column := range []int{0, 1, 999, -1} {
		written(column, 20, "é")
	}
	if got := written(1, 80, ""); got != "" {
		t.Errorf("of a line that is not shown: %q", got)
	}
}

func TestProblem_ASCIIFormIsASCII(t *testing.T) {
	p := Layout{ASCII: true, Width: 30}
	if got := p.Fit(strings.Repeat("a", 50), 10); got != "aaaaaaa..." {
		t.Errorf("%q", got)
	}
	for width := 5; width < 60; width++ {
		line := p.live(gate.Progress{Step: "models", Text: strings.Repeat("word ", 20), Left: time.Minute}, width)
		if strings.Contains(line, "…") || columns(line) >= max(width, 6) {
			t.Errorf("%d columns of %d: %q", columns(line), width, line)
		}
	}
}

func TestVerdict_NamesWhatMayStart(t *testing.T) {
	step := func(name, detail string) gate.StepResult {
		return gate.StepResult{Name: name, Verdict: gate.Passed, Detail: detail}
	}
	counted := func(name, detail string) gate.StepResult {
		s := step(name, detail)
		s.Done, s.Total = 16, 16
		return s
	}
	r := gate.Result{Instance: "scout", Elapsed: 98 * time.Millisecond, Steps: []gate.StepResult{
		step("config", ""), counted("store", "16 of 16 models in the store"), step("orchestrator", "orchestrator ready"), counted("models", "16 of 16 models"), step("bus", "bus healthy"),
	}}
	if got, want := passed("gate", r), "scout may start: store 16/16, models 16/16, bus healthy (98 ms)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	r.Instance, r.Steps = "gpu_orchestrator", r.Steps[:1]
	if got, want := passed("ready", r), "gpu_orchestrator is ready: it waits for nothing (98 ms)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := passed("gate", r), "gpu_orchestrator may start: it waits for nothing"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestVerdict_ReportsStoppedUnits(t *testing.T) {
	r := gate.Result{Problems: []diag.Problem{{Code: diag.PortFreed, Severity: diag.Notice, Message: "stopped"}, {Code: diag.PortFreed, Severity: diag.Notice, Message: "stopped"}}}
	text := strings.Join(Written(Lines("preflight", r), Layout{}), "\n")
	if !strings.HasSuffix(text, "\nstopped: 2 units are down now; to start them again\n    justnews-gate retry") {
		t.Error(text)
	}
	r.Problems = r.Problems[:1]
	if text = strings.Join(Written(Lines("preflight", r), Layout{}), "\n"); !strings.Contains(text, "\nstopped: 1 unit is down now; to start it again\n") {
		t.Error(text)
	}
}

func TestShort_KeepsTheUnitsOwnWarnings(t *testing.T) {
	r := gate.Result{Instance: "scout", Status: diag.StatusUnavailable, Problems: []diag.Problem{
		{Code: diag.BusUnreachable, Message: "no answer"},
		{Code: diag.StatusOpens, Severity: diag.Warning, Message: "it lists 69", Seen: "SuccessExitStatus=69"},
		{Code: diag.NoLock, Severity: diag.Notice, Message: "no lock"},
	}}
	lines := Short("gate", r, "justnews-preload.service")
	if len(lines) != 2 || lines[0].Level != "warning" || lines[0].Text != "STATUS-OPENS: it lists 69" || lines[1].Level != "refused" {
		t.Errorf("%+v", lines)
	}
}

func TestShort_IsOneLineWithCodeAndReference(t *testing.T) {
	r := gate.Result{Instance: "scout", Status: diag.StatusStoreIncomplete, Problems: []diag.Problem{
		{Code: diag.NoLock, Severity: diag.Notice, Message: "no lock"},
		{Code: diag.StoreSnapshot, Subject: "chief_editor", Message: "no snapshot", Seen: "nothing", Fix: diag.Do(diag.Retry())},
	}}
	lines := Short("gate", r, "justnews-preload.service")
	if len(lines) != 1 || lines[0].Problem != &r.Problems[1] || !lines[0].First || lines[0].Priority != journal.Err ||
		lines[0].Text != "scout: STORE-SNAPSHOT: chief_editor: no snapshot, exit status 66; details: journalctl -b -u justnews-preload.service" {
		t.Errorf("%+v", lines)
	}
}
