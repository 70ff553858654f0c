// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/journal"
)

func TestWatch_LiveLineIsNeverWiderThanItsTerminal(t *testing.T) {
	for _, width := range []int{1, 2, 5, 20, 40, 80, 200} {
		for _, text := range []string{"", "short", strings.Repeat("long ", 100), strings.Repeat("漢字", 100), strings.Repeat("🙂", 100), hostile, strings.Repeat("x", 1<<20), strings.Repeat("\xff", 300)} {
			for _, total := range []int{0, 16, 1 << 62} {
				p := gate.Progress{Step: "models", Text: text, Done: total / 2, Total: total, Left: 95 * time.Second}
				line := liveLine(p, width)
				if columns(line) >= max(width, 1) && line != "" {
					t.Errorf("width %d: %d columns: %q", width, columns(line), line)
				}
				if diag.Clean(line) != line {
					t.Errorf("width %d: raw: %q", width, line)
				}
			}
		}
	}
	got := liveLine(gate.Progress{Step: "models", Text: "8 of 16 models loaded", Done: 8, Total: 16, Left: 95 * time.Second}, 80)
	if want := "models [########........] 8 of 16 models loaded, gives up in 95 s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := liveLine(gate.Progress{Step: "models", Text: "8 of 16 models loaded", Done: 8, Total: 16}, 20); got != "models 8 of 16 mod…" {
		t.Errorf("narrow: %q", got)
	}
	for _, c := range []struct{ done, total int }{{-1, 4}, {9, 4}, {1, 0}} {
		if b := bar(c.done, c.total); len(b) != barCells+2 {
			t.Errorf("bar(%d, %d) = %q", c.done, c.total, b)
		}
	}
}

// told is a Notifier that records its calls.
type told struct{ said []string }

func (n *told) Status(text string) error { n.said = append(n.said, text); return nil }
func (n *told) Clear() error             { n.said = append(n.said, "(cleared)"); return nil }
func (n *told) Extend(d time.Duration) error {
	n.said = append(n.said, "extend "+d.String())
	return nil
}

func TestWatch_UnitStatusFollowsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &told{}
		w := &Watch{Talk: NewTalk(&bytes.Buffer{}, nil, Layout{}), Notifier: n}
		for i := range 50 { // 50 texts within 50 ms
			w.Progress(gate.Progress{Step: "models", Text: fmt.Sprintf("%d of 50", i), Left: 10 * time.Second})
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		want := []string{"extend 15s", "waiting: models: 0 of 50", "waiting: models: 49 of 50"}
		if !slices.Equal(n.said, want) {
			t.Errorf("got %q, want %q", n.said, want)
		}
		time.Sleep(2 * time.Second)
		w.Progress(gate.Progress{Step: "models", Text: "49 of 50", Left: 7 * time.Second})
		if last := n.said[len(n.said)-1]; last != "extend 12s" {
			t.Errorf("got %q: an extension is repeated, a text is not", n.said)
		}
	})
}

func TestWatch_NothingIsPrintedAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &told{}
		w := &Watch{Talk: NewTalk(&bytes.Buffer{}, nil, Layout{}), Notifier: n}
		w.Progress(gate.Progress{Step: "a", Text: "1"})
		w.Progress(gate.Progress{Step: "a", Text: "2"}) // would be told later
		w.Done(gate.Result{Status: diag.StatusFailed, Problems: []diag.Problem{
			{Code: diag.NoLock, Severity: diag.Notice, Message: "m"},
			{Code: diag.ModelFailed, Subject: "scout", Message: hostile, Fix: diag.Advise("f")},
		}})
		w.Progress(gate.Progress{Step: "a", Text: "3", Left: time.Minute})
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(n.said) != 2 || !strings.HasPrefix(n.said[1], "refused: MODEL-FAILED: scout: ") || diag.Clean(n.said[1]) != n.said[1] {
			t.Errorf("%q", n.said)
		}
	})
}

func TestWatch_SuccessLeavesNoStatusBehind(t *testing.T) {
	for _, r := range []gate.Result{{}, {Status: diag.StatusWarnings, Problems: []diag.Problem{{Severity: diag.Warning}}}} {
		n := &told{}
		(&Watch{Talk: NewTalk(&bytes.Buffer{}, nil, Layout{}), Notifier: n}).Done(r)
		if !slices.Equal(n.said, []string{"(cleared)"}) {
			t.Errorf("%+v: %q", r, n.said)
		}
	}
}

func TestWatch_TerminalLineCountsDownAndIsCleared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		w := &Watch{Talk: NewTalk(&out, nil, Layout{}), Width: func() int { return 80 }}
		for left := 3; left > 0; left-- {
			w.Progress(gate.Progress{Step: "bus", Text: "no answer yet", Left: time.Duration(left) * time.Second})
			time.Sleep(time.Second)
		}
		w.Done(gate.Result{})
		want := "\r\x1b[Kbus no answer yet, gives up in 3.0 s\r\x1b[Kbus no answer yet, gives up in 2.0 s\r\x1b[Kbus no answer yet, gives up in 1.0 s\r\x1b[K"
		if out.String() != want {
			t.Errorf("got %q", out.String())
		}
	})
}

func TestWatch_LogGetsAtMostOneLineASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		w := &Watch{Talk: NewTalk(&out, nil, Layout{}), Log: true}
		for i := range 300 { // 3 s
			w.Progress(gate.Progress{Step: "models", Text: fmt.Sprintf("%d of 300", i)})
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 4 || lines[3] != "justnews-gate: waiting: models: 299 of 300" {
			t.Errorf("%q", lines)
		}
	})
}

// sink is a journal that keeps what is written.
type sink struct {
	way     journal.Way
	entries []entry
}

type entry struct {
	priority journal.Priority
	message  string
	fields   map[string]string
}

func (s *sink) Way() journal.Way { return s.way }
func (s *sink) Write(p journal.Priority, message string, fields ...journal.Field) error {
	e := entry{p, message, map[string]string{}}
	for _, f := range fields {
		e.fields[f.Name] = f.Value
	}
	s.entries = append(s.entries, e)
	return nil
}

func TestWatch_JournalGetsFieldsAndOneMessageIDForEachProblem(t *testing.T) {
	s := &sink{way: journal.Native}
	talk := NewTalk(&bytes.Buffer{}, s, Layout{Color: true})
	talk.About("scout")
	r := results()["refused"]
	r.Problems = append(r.Problems, r.Problems[1]) // the same code again is another problem
	r.Problems[1].Subject = hostile
	talk.Say(Lines("gate", r))
	ids := 0
	for i, e := range s.entries {
		if e.fields["JUSTNEWS_INSTANCE"] != "scout" || e.fields["SYSLOG_IDENTIFIER"] != "justnews-gate" {
			t.Errorf("%d: %v", i, e.fields)
		}
		for _, v := range append([]string{e.message}, e.fields["JUSTNEWS_SUBJECT"]) {
			if diag.Clean(v) != v || strings.Contains(e.message, "\x1b") {
				t.Errorf("%d: raw: %q", i, v)
			}
		}
		id, has := e.fields["MESSAGE_ID"]
		if !has {
			continue
		}
		ids++
		code := diag.Code(e.fields["JUSTNEWS_CODE"])
		if code.MessageID() != id || strings.HasPrefix(e.message, "hint: ") || strings.HasPrefix(e.message, "seen: ") {
			t.Errorf("%d: %s, %v", i, e.message, e.fields)
		}
	}
	if ids != len(r.Problems) {
		t.Errorf("%d message ids for %d problems", ids, len(r.Problems))
	}
	last := s.entries[len(s.entries)-1]
	if _, ok := last.fields["JUSTNEWS_CODE"]; ok || last.priority != journal.Err || !strings.HasPrefix(last.message, "refused: scout: ") {
		t.Errorf("the verdict: %+v", last)
	}
}

func TestWatch_PipeGetsThePrefixAndATerminalDoesNot(t *testing.T) {
	s := &sink{way: journal.Prefixed}
	NewTalk(&bytes.Buffer{}, s, Layout{}).Say([]Line{{Priority: journal.Info, Level: "pass", Text: "scout"}})
	if len(s.entries) != 1 || s.entries[0].message != "justnews-gate: scout" || s.entries[0].priority != journal.Info {
		t.Errorf("%+v", s.entries)
	}
	var out bytes.Buffer
	plain := &sink{way: journal.Plain}
	NewTalk(&out, plain, Layout{}).Say([]Line{{Priority: journal.Info, Level: "pass", Text: "scout"}})
	if len(plain.entries) != 0 || out.String() != "justnews-gate: scout\n" {
		t.Errorf("%+v, %q", plain.entries, out.String())
	}
}
