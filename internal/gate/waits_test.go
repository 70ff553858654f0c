// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// tries simulates probes: each passes from a certain time on, or never.
type tries struct {
	mu    sync.Mutex
	began time.Time
	after map[string]time.Duration // -1: never
	hangs time.Duration            // from this time on a try lasts until it is given up; 0: never
	asked map[string]int
	late  int // tries after the end
}

func (p *tries) Try(ctx context.Context, name string) facts.Need {
	p.mu.Lock()
	p.asked[name]++
	if ctx.Err() != nil {
		p.late++
	}
	since, after := time.Since(p.began), p.after[name]
	p.mu.Unlock()
	if p.hangs > 0 && since >= p.hangs {
		<-ctx.Done()
		return facts.Need{Detail: "given up"}
	}
	if after < 0 || since < after {
		return facts.Need{Detail: "connection refused"}
	}
	return facts.Need{OK: true}
}

func needsRun(names ...string) requirement.Run {
	w := requirement.Run{Instance: "scout", Timeout: requirement.Timeout{Value: 20 * time.Second}}
	for _, name := range names {
		w.Needs = append(w.Needs, config.Probe{Name: name, Kind: "tcp", Address: "127.0.0.1:1"})
	}
	return w
}

func TestNeeds_AreAwaitedUntilAllHavePassed(t *testing.T) {
	outdated := &diag.Problem{Code: diag.Internal, Message: "outdated"}
	for name, c := range map[string]struct {
		after  map[string]time.Duration
		hangs  time.Duration
		renew  *diag.Problem
		code   diag.Code // "": it passes
		seen   string
		took   time.Duration
		missed []string
	}{
		"at once":                       {after: map[string]time.Duration{"a": 0, "b": 0}},
		"one is late":                   {after: map[string]time.Duration{"a": 0, "b": 5 * time.Second}, took: 5 * time.Second},
		"one never passes":              {after: map[string]time.Duration{"a": 0, "b": -1}, code: diag.NeedUnmet, seen: "connection refused", took: 20 * time.Second, missed: []string{"b"}},
		"none passes":                   {after: map[string]time.Duration{"a": -1, "b": -1}, code: diag.NeedUnmet, seen: "connection refused", took: 20 * time.Second, missed: []string{"a", "b"}},
		"the last try is cut short":     {after: map[string]time.Duration{"a": -1, "b": -1}, hangs: 10 * time.Second, code: diag.NeedUnmet, seen: "connection refused", took: 20 * time.Second, missed: []string{"a", "b"}},
		"the first try is cut short":    {after: map[string]time.Duration{"a": -1, "b": -1}, hangs: 1, code: diag.NeedUnmet, seen: "given up", took: 20 * time.Second, missed: []string{"a", "b"}},
		"its configuration has changed": {after: map[string]time.Duration{"a": -1, "b": 0}, renew: outdated, code: diag.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &tries{began: time.Now(), after: c.after, hangs: c.hangs, asked: map[string]int{}}
				if c.hangs == 1 {
					time.Sleep(time.Second)
				}
				x := World{Needs: p, Jitter: func(d time.Duration) time.Duration { return d }}
				if c.renew != nil {
					x.Renew = func(context.Context) *diag.Problem { return c.renew }
				}
				r := Run(t.Context(), needsRun("a", "b"), x)
				var missed []string
				for _, problem := range r.Problems {
					missed = append(missed, problem.Subject)
					if problem.Code != c.code || problem.Seen != c.seen {
						t.Errorf("%+v", problem)
					}
				}
				if r.Passed() != (c.code == "") || len(c.missed) > 0 && !slices.Equal(missed, c.missed) {
					t.Errorf("%+v", r)
				}
				if r.Elapsed < c.took || r.Elapsed > c.took+2*time.Second {
					t.Errorf("took %v, want %v", r.Elapsed, c.took)
				}
				if c.after["a"] == 0 && p.asked["a"] != 1 || p.late > 0 || r.Passed() && !strings.Contains(r.Steps[len(r.Steps)-1].Detail, "needs met") {
					t.Errorf("asked %v, %d at the end, %+v", p.asked, p.late, r.Steps)
				}
			})
		})
	}
}

// buses simulates a bus that gives its answers in turn, then always the last one.
type buses struct {
	answers []facts.BusHealth
	asked   int
	late    int
}

func (b *buses) Health(ctx context.Context) facts.BusHealth {
	if ctx.Err() != nil {
		b.late++
	}
	b.asked++
	a := b.answers[min(b.asked, len(b.answers))-1]
	if a.Detail == "hangs" {
		<-ctx.Done()
		return facts.BusHealth{Answer: facts.Answer{Kind: facts.Refused, Detail: "given up"}}
	}
	return a
}

func busSays(kind facts.AnswerKind, detail string) facts.BusHealth {
	return facts.BusHealth{Answer: facts.Answer{Kind: kind, Status: 200, Detail: detail}, State: "ok"}
}

func TestBus_IsAwaited(t *testing.T) {
	up, down, invalid, hangs := busSays(facts.Answered, ""), busSays(facts.Refused, "connection refused"), busSays(facts.Nonsense, "a web page"), busSays(facts.Refused, "hangs")
	failed := facts.Unit{LoadState: "loaded", ActiveState: "failed", SubState: "failed", Result: "exit-code"}
	for name, c := range map[string]struct {
		answers []facts.BusHealth
		unit    string
		units   Units
		code    diag.Code
		seen    string
		asked   int // 0: until the end
		took    time.Duration
	}{
		"it is up":                     {answers: []facts.BusHealth{up}, asked: 1},
		"it is late":                   {answers: []facts.BusHealth{down, down, down, up}, asked: 4, took: 700 * time.Millisecond},
		"it is down":                   {answers: []facts.BusHealth{down}, code: diag.BusUnreachable, seen: "connection refused", took: 20 * time.Second},
		"its last answer is cut short": {answers: []facts.BusHealth{down, hangs}, code: diag.BusUnreachable, seen: "connection refused", took: 20 * time.Second},
		"three invalid answers":        {answers: []facts.BusHealth{invalid}, code: diag.BusNonsense, asked: 3},
		"two invalid answers in a row": {answers: []facts.BusHealth{invalid, invalid, down, invalid, invalid, up}, asked: 6},
		"its unit has failed":          {answers: []facts.BusHealth{down}, unit: "bus.service", units: oneUnit(failed), code: diag.BusUnit, asked: 1},
		"another unit has failed":      {answers: []facts.BusHealth{down}, units: oneUnit(failed), code: diag.BusUnreachable, took: 20 * time.Second},
		"nobody can be asked about it": {answers: []facts.BusHealth{down}, unit: "bus.service", code: diag.BusUnreachable, took: 20 * time.Second},
		"systemd does not answer":      {answers: []facts.BusHealth{down}, unit: "bus.service", units: &unitsByName{unit: failed, err: errors.New("x")}, code: diag.BusUnreachable, took: 20 * time.Second},
		"its unit has its own network": {
			answers: []facts.BusHealth{down}, unit: "bus.service", units: oneUnit{LoadState: "loaded", ActiveState: "active", Sandbox: facts.Sandbox{PrivateNetwork: true}},
			code: diag.BusUnreachable, seen: "connection refused; PrivateNetwork=yes of ", took: 20 * time.Second,
		},
		"its unit is not started (gate)": {answers: []facts.BusHealth{down}, unit: "bus.service", units: oneUnit{LoadState: "loaded", ActiveState: "inactive"}, code: diag.BusUnreachable, took: 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &buses{answers: c.answers}
				w := requirement.Run{Timeout: requirement.Timeout{Value: 20 * time.Second}, RequireBus: true, Bus: requirement.Service{URL: "http://b", Unit: c.unit}}
				r := Run(t.Context(), w, World{Bus: b, Units: c.units, Jitter: func(d time.Duration) time.Duration { return d }})
				if r.Passed() != (c.code == "") || c.code != "" && (len(r.Problems) != 1 || r.Problems[0].Code != c.code || !strings.Contains(r.Problems[0].Seen, c.seen)) {
					t.Errorf("%+v", r.Problems)
				}
				if c.asked > 0 && b.asked != c.asked || b.late > 0 || c.took > 0 && (r.Elapsed < c.took || r.Elapsed > c.took+100*time.Millisecond) {
					t.Errorf("asked %d times, %d of them at the end, took %v", b.asked, b.late, r.Elapsed)
				}
			})
		})
	}
}

// greeted simulates an orchestrator that answers Health and Ready in turn.
type greeted struct {
	*server
	health, readies  []facts.Answer
	notReady         bool
	hasHealth, hasRd int
	late             int
}

func (g *greeted) answer(ctx context.Context, all []facts.Answer, n *int) facts.Answer {
	if ctx.Err() != nil {
		g.late++
	}
	*n++
	if len(all) == 0 {
		return facts.Answer{Kind: facts.Answered, Status: 200}
	}
	a := all[min(*n, len(all))-1]
	if a.Detail == "hangs" {
		<-ctx.Done()
		return facts.Answer{Kind: facts.Refused, Detail: "given up"}
	}
	return a
}

func (g *greeted) Health(ctx context.Context) facts.Health {
	return facts.Health{Answer: g.answer(ctx, g.health, &g.hasHealth)}
}

func (g *greeted) Ready(ctx context.Context) facts.Readiness {
	return facts.Readiness{Answer: g.answer(ctx, g.readies, &g.hasRd), Ready: !g.notReady}
}

func TestOrchestrator_NetworkNamespaceOfItsUnitIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(newServer(1, 0))
		h.server.down = true
		x := h.world()
		x.Units = oneUnit{Name: "o.service", LoadState: "loaded", ActiveState: "active", Sandbox: facts.Sandbox{PrivateNetwork: true}}
		w := scoutRun(20 * time.Second)
		w.Orchestrator.Unit = "o.service"
		r := Run(t.Context(), w, x)
		if len(r.Problems) != 1 || r.Problems[0].Code != diag.OrchestratorUnreachable || !strings.HasSuffix(r.Problems[0].Seen, "; PrivateNetwork=yes of o.service") {
			t.Errorf("%+v", r.Problems)
		}
	})
}

func TestOrchestrator_IsAwaitedUntilItReportsReady(t *testing.T) {
	ok, down := facts.Answer{Kind: facts.Answered, Status: 200}, facts.Answer{Kind: facts.Refused, Detail: "connection refused"}
	invalid, hangs := facts.Answer{Kind: facts.Nonsense, Status: 200, Detail: "a web page"}, facts.Answer{Kind: facts.Refused, Detail: "hangs"}
	for name, c := range map[string]struct {
		health, ready []facts.Answer
		notReady      bool
		renew         *diag.Problem
		code          diag.Code
		seen          string
		asked         int // Health, 0: any
		readyAsked    int // Ready, 0: any
		renewed       bool
		took          time.Duration
	}{
		"it is up":                              {asked: 1, readyAsked: 1},
		"it is late":                            {health: []facts.Answer{down, down, down, ok}, asked: 4, took: 300 * time.Millisecond, renewed: true},
		"its second answer is late":             {ready: []facts.Answer{down, down, down, ok}, asked: 1, readyAsked: 4, took: 300 * time.Millisecond, renewed: true},
		"it is down":                            {health: []facts.Answer{down}, code: diag.OrchestratorUnreachable, seen: "connection refused", took: 20 * time.Second, renewed: true},
		"it does not answer at all":             {health: []facts.Answer{hangs}, code: diag.OrchestratorUnreachable, seen: "given up", asked: 1, took: 20 * time.Second},
		"it is down, and does not answer":       {health: []facts.Answer{down, hangs}, code: diag.OrchestratorUnreachable, seen: "connection refused", asked: 2, took: 20 * time.Second, renewed: true},
		"it was not ready, and does not answer": {ready: []facts.Answer{ok, hangs}, notReady: true, code: diag.OrchestratorNotReady, asked: 1, readyAsked: 2, took: 20 * time.Second},
		"its second answer does not come":       {ready: []facts.Answer{hangs}, code: diag.OrchestratorUnreachable, seen: "given up", asked: 1, readyAsked: 1, took: 20 * time.Second},
		"three invalid answers":                 {health: []facts.Answer{invalid}, code: diag.OrchestratorNonsense, asked: 3, took: 500 * time.Millisecond},
		"three invalid second answers":          {ready: []facts.Answer{invalid}, code: diag.OrchestratorNonsense, readyAsked: 3, took: 500 * time.Millisecond},
		"two invalid answers, time and again":   {health: []facts.Answer{invalid, invalid, down, invalid, invalid, down, ok}, asked: 7, renewed: true, took: 1200 * time.Millisecond},
		"it never gets ready":                   {notReady: true, code: diag.OrchestratorNotReady, took: 20 * time.Second},
		"its configuration has changed":         {health: []facts.Answer{down}, renew: &diag.Problem{Code: diag.Internal, Message: "outdated"}, code: diag.Internal, asked: 1, renewed: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(newServer(1, 0))
				g := &greeted{server: h.server, health: c.health, readies: c.ready, notReady: c.notReady}
				x := h.world()
				x.Orchestrator, x.Units = g, nil
				renewed := false
				x.Renew = func(context.Context) *diag.Problem { renewed = true; return c.renew }
				w := scoutRun(20 * time.Second)
				w.Orchestrator.Unit = ""
				var out outcome
				led := false
				r := run(t.Context(), w, x, []step{{"orchestrator", func(ctx context.Context, r *runner) outcome {
					out, led = awaitOrchestrator(ctx, r), r.led
					r.world.Renew = nil // the end of the run asks as well
					return out
				}}}, stopAtFirst)
				if out.passed != (c.code == "") || c.code != "" && (len(r.Problems) != 1 || r.Problems[0].Code != c.code || !strings.Contains(r.Problems[0].Seen, c.seen)) {
					t.Errorf("%+v", r.Problems)
				}
				if led != out.passed || led != (h.lock.holder != nil) {
					t.Errorf("passed: %t, leads: %t", out.passed, led)
				}
				if c.asked > 0 && g.hasHealth != c.asked || c.readyAsked > 0 && g.hasRd != c.readyAsked || g.late > 0 || renewed != c.renewed {
					t.Errorf("asked %d and %d times, %d of them at the end; renewed: %t", g.hasHealth, g.hasRd, g.late, renewed)
				}
				if r.Elapsed < c.took || r.Elapsed > c.took+100*time.Millisecond {
					t.Errorf("took %v, want %v", r.Elapsed, c.took)
				}
			})
		})
	}
}

// A server that cannot have its port ends again and again, sooner than three invalid answers
// prove another process there: that is named all the same, and first.
func TestAwaitOrchestrator_AnswersOfOthersExplainAFailingUnit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(newServer(1, 0))
		x := h.world()
		x.Orchestrator = &greeted{server: h.server, health: []facts.Answer{{Kind: facts.Foreign, Detail: "UID 65534"}}}
		u := facts.Unit{Name: "justnews@gpu_orchestrator.service", LoadState: "loaded", ActiveState: "activating", SubState: "auto-restart", Result: "exit-code"}
		x.Units = unitFunc(func(string) (facts.Unit, error) { u.NRestarts += manyRestarts; return u, nil })
		w := scoutRun(20 * time.Second)
		w.Orchestrator.Unit = u.Name
		r := run(t.Context(), w, x, []step{orchestratorStep}, stopAtFirst)
		var codes []diag.Code
		for _, p := range diag.Errors(r.Problems) {
			codes = append(codes, p.Code)
		}
		if !slices.Equal(codes, []diag.Code{diag.OrchestratorImpostor, diag.OrchestratorUnit}) || r.Status != diag.StatusNonsense {
			t.Errorf("status %d: %v", r.Status, codes)
		}
	})
}
