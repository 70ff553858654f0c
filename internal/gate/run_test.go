// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/process"
	"justnews/internal/requirement"
)

// Only after Ctrl-C there is no fix.
func TestRun_InterruptionNamesItsSignal(t *testing.T) {
	ending := func(cause error) context.Context {
		ctx, end := context.WithCancelCause(t.Context())
		end(cause)
		return ctx
	}
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for name, c := range map[string]struct {
		ctx   context.Context
		ctrlC bool
		says  string
		fix   bool
	}{
		"Ctrl-C":           {ending(process.Ended{By: os.Interrupt}), true, "interrupted by Ctrl-C", false},
		"a termination":    {ending(process.Ended{By: syscall.SIGTERM}), false, "interrupted (terminated signal received)", true},
		"another cause":    {ending(errors.New("x")), false, "interrupted (x)", true},
		"no cause":         {ending(nil), false, "interrupted by a signal", true},
		"nothing ended it": {t.Context(), false, "interrupted by a signal", true},
	} {
		p := Cut(c.ctx)
		if ByCtrlC(c.ctx) != c.ctrlC || p.Message != c.says || p.Fix.Empty() == c.fix || p.Code != diag.Interrupted {
			t.Errorf("%s: %t %+v", name, ByCtrlC(c.ctx), p)
		}
	}
	if ByCtrlC(late) {
		t.Error("a deadline is Ctrl-C")
	}
}

// Whatever a step returns: with an error the gate stays shut, and it never stays shut
// without one.
func TestRun_StepPassesOnlyWithoutAnError(t *testing.T) {
	failing := diag.Problem{Code: diag.StoreCorrupt}
	for name, c := range map[string]struct {
		out    outcome
		passed bool
		code   diag.Code // of the last problem
	}{
		"passed":                  {outcome{passed: true}, true, ""},
		"passed, with a warning":  {outcome{passed: true, problems: []diag.Problem{failing.As(diag.Warning)}}, true, diag.StoreCorrupt},
		"passed, with an error":   {outcome{passed: true, problems: []diag.Problem{failing}}, false, diag.StoreCorrupt},
		"failed, with an error":   {outcome{problems: []diag.Problem{failing}}, false, diag.StoreCorrupt},
		"failed, with a warning":  {outcome{problems: []diag.Problem{failing.As(diag.Warning)}}, false, diag.Internal},
		"failed without a reason": {outcome{}, false, diag.Internal},
	} {
		ran := false
		later := step{"later", func(context.Context, *runner) outcome { ran = true; return outcome{passed: true} }}
		steps := []step{{"first", func(context.Context, *runner) outcome { return c.out }}, later}
		res := run(t.Context(), requirement.Run{Timeout: requirement.Timeout{Value: time.Minute}}, World{}, steps, stopAtFirst)
		code := diag.Code("")
		if len(res.Problems) > 0 {
			code = res.Problems[len(res.Problems)-1].Code
		}
		if res.Passed() != c.passed || ran != c.passed || code != c.code {
			t.Errorf("%s: status %d, the next step ran: %t, problems %v", name, res.Status, ran, res.Problems)
		}
	}
}

func TestSettle_StatusIsThatOfTheFirstError(t *testing.T) {
	of := func(code diag.Code) diag.Problem { return diag.Problem{Code: code} }
	warned, one, other := of(diag.BusUnreachable).As(diag.Warning), of(diag.StoreCorrupt), of(diag.ConfigValue)
	for _, problems := range [][]diag.Problem{{one, other}, {other, one}, {warned, one, other}} {
		r := Result{Problems: problems}
		r.Settle()
		if want := diag.Errors(problems)[0].Status(); r.Status != want || one.Status() == other.Status() {
			t.Errorf("%v: status %d, want %d", problems, r.Status, want)
		}
	}
}

// A step of the wall clock must not lengthen a run: all its times count from one that has a
// reading of the monotonic clock, which time.Time prints.
func TestRun_CountsOnTheMonotonicClock(t *testing.T) {
	for name, began := range map[string]time.Time{"a run's": {}, "a process's": process.Began} {
		res := run(t.Context(), requirement.Run{Timeout: requirement.Timeout{Value: time.Minute}}, World{Began: began}, nil, stopAtFirst)
		if text := res.Started.String(); !strings.Contains(text, " m=") {
			t.Errorf("%s beginning is %s", name, text)
		}
	}
}

// A gate does not look at anything with a map that cannot be read; a survey does.
func TestRun_InvalidMapEndsAGateOnly(t *testing.T) {
	for name, c := range map[string]struct {
		run    func(context.Context, requirement.Run, World) Result
		looked bool
	}{
		"a gate":   {Run, false},
		"a survey": {Survey, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(newServer(1, 0))
			x := h.world()
			x.Map.Problems = []diag.Problem{{Code: diag.MapInvalid, Subject: "map"}}
			if r := c.run(t.Context(), scoutRun(time.Minute), x); r.Passed() || !hasCode(r, diag.MapInvalid) || (h.server.healthLooks > 0) != c.looked || len(r.Steps) < 3 {
				t.Errorf("%s: %+v, %d looks", name, r, h.server.healthLooks)
			}
		})
	}
}

func TestRefusal_HasItsOwnProblemsOnly(t *testing.T) {
	known := Refusal("scout", "u", time.Now(), []diag.Problem{{Code: diag.ConfigValue, Subject: "x"}})
	if len(known.Problems) != 1 || !known.Refused || known.Status != diag.StatusConfig {
		t.Errorf("%+v", known)
	}
	warned := Refusal("scout", "u", time.Now(), []diag.Problem{{Code: diag.ConfigValue, Severity: diag.Warning}})
	if len(warned.Problems) != 2 || warned.Problems[1].Code != diag.Internal || warned.Passed() {
		t.Errorf("%+v", warned)
	}
}

func TestKeepShut_ReportsHowTheProcessEndsInstead(t *testing.T) {
	var every []int
	for i := 1; i < 256; i++ {
		every = append(every, i)
	}
	for want, success := range map[string][]int{"it exits with 70 instead": {69}, "signal 6 terminates it instead": every} {
		r := Result{Status: diag.StatusUnavailable}
		KeepShut(&r, Own{Unit: &facts.Unit{SuccessExitStatus: success}, Known: true})
		if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Message+r.Problems[0].Seen, want) {
			t.Errorf("%+v lacks %q", r.Problems, want)
		}
	}
}

func TestTrigger_RequestsOnePreloadAndDoesNotWait(t *testing.T) {
	held := func(h *host, _ *World) {
		if led, err := h.lock.ticket().TryExclusive(); err != nil || !led {
			panic("it cannot be taken")
		}
	}
	for name, c := range map[string]struct {
		prepare   func(*host, *World)
		refresh   bool
		code      diag.Code // "": it passes
		detail    string
		posts     int
		refreshes int
		took      time.Duration
	}{
		"no job":         {detail: "the preload was triggered", posts: 1},
		"without a lock": {prepare: func(_ *host, x *World) { x.Lock = nil }, detail: "the preload was triggered", posts: 1},
		"a job runs":     {prepare: func(h *host, _ *World) { h.server.Preload(t.Context()); h.server.posts = 0 }, detail: "a preload is already running: 0 of 2 models loaded"},
		"all are loaded": {prepare: func(h *host, _ *World) { h.server.each = 0; h.server.Preload(t.Context()); h.server.posts = 0 }, detail: "nothing to do: 2 of 2 models are loaded"},
		"a refresh":      {prepare: func(h *host, _ *World) { h.server.each = 0; h.server.Preload(t.Context()); h.server.posts = 0 }, refresh: true, detail: "the preload was triggered", posts: 1, refreshes: 1},
		"a failed job": {prepare: func(h *host, _ *World) {
			h.server.each, h.server.broken = 0, 1
			h.server.Preload(t.Context())
			h.server.posts = 0
		}, detail: "the preload was triggered", posts: 1, refreshes: 1},
		"nobody answers":   {prepare: func(h *host, _ *World) { h.server.down = true }, code: diag.OrchestratorUnreachable},
		"the lock is held": {prepare: held, code: diag.ModelsTimeout, detail: "another gate follows the preload", took: 19*time.Second + 200*time.Millisecond},
		"it is held a while": {prepare: func(h *host, _ *World) {
			leader := h.lock.ticket()
			_, _ = leader.TryExclusive()
			time.AfterFunc(3*time.Second, leader.Unlock)
		}, detail: "the preload was triggered", posts: 1, took: 3 * time.Second},
		"the POST is refused": {prepare: func(h *host, _ *World) {
			h.server.preloadAnswer = &facts.ModelsLook{Answer: facts.Answer{Kind: facts.Nonsense, Status: 422, Detail: "unprocessable"}}
		}, code: diag.PreloadRefused, posts: 1},
		"the POST has no answer": {prepare: func(h *host, _ *World) {
			h.server.preloadAnswer = &facts.ModelsLook{Answer: facts.Answer{Kind: facts.ServerError, Status: 500, Detail: "Internal Server Error"}}
		}, code: diag.OrchestratorUnreachable, posts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(newServer(2, time.Minute))
				x := h.world()
				if c.prepare != nil {
					c.prepare(h, &x)
				}
				w := scoutRun(20 * time.Second)
				w.ForceRefresh = c.refresh
				r := Trigger(t.Context(), w, x)
				if r.Passed() != (c.code == "") || c.code != "" && (len(r.Problems) == 0 || r.Problems[0].Code != c.code) || c.detail != "" && r.Steps[1].Detail != c.detail {
					t.Errorf("%+v", r)
				}
				if h.server.posts != c.posts || h.memory.history.Refreshes != c.refreshes {
					t.Errorf("%d POSTs, %+v", h.server.posts, h.memory.history)
				}
				if r.Elapsed < c.took-200*time.Millisecond || r.Elapsed > c.took+200*time.Millisecond {
					t.Errorf("took %v, want %v", r.Elapsed, c.took)
				}
				time.Sleep(time.Minute) // the leader's timer
			})
		})
	}
}

func TestHung_BusyMachineIsReported(t *testing.T) {
	for wait, says := range map[time.Duration]string{0: "it does not return", time.Second - 1: "it does not return", time.Second: "for 1.0 s"} {
		p := Hung("scout", "justnews@scout.service", time.Now(), "the step models", "models", 0, wait).Problems[0]
		if busy := wait >= time.Second; !strings.Contains(p.Message+p.Seen, says) || strings.Contains(p.Message, "does not return") == busy || strings.Contains(p.Fix.String(), "gate.timeout") != busy {
			t.Errorf("%v: %q, seen %q, fix %q", wait, p.Message, p.Seen, p.Fix)
		}
	}
	// Some waiting in a long run is normal, and explains nothing.
	if p := Hung("", "", time.Now().Add(-3*time.Minute), "d", "", 0, 5*time.Second).Problems[0]; !strings.Contains(p.Message, "does not return") || p.Seen != "" {
		t.Errorf("%q, seen %q", p.Message, p.Seen)
	}
	for pressure, busy := range map[float64]bool{-1: false, 0: false, 49: false, 50: true, 97.6: true} {
		res := Hung("scout", "justnews@scout.service", time.Now(), "the step models", "models", pressure, 0)
		p := res.Problems[0]
		if res.Status != diag.StatusTimeout || p.Code != diag.Hung || res.Steps[0].Name != "models" {
			t.Errorf("%v: status %v, %v in step %s", pressure, res.Status, p, res.Steps[0].Name)
		}
		if got := strings.Contains(p.Seen, fmt.Sprintf("%.0f %%", pressure)) && strings.Contains(p.Fix.String(), "gate.timeout"); got != busy {
			t.Errorf("%v: seen %q, fix %q", pressure, p.Seen, p.Fix)
		}
	}
}
