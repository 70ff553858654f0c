// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/modelmap"
)

// The evidence of a model is hashed once, and only where the disk shows nothing else.
func TestDiagnose_HashesOnlyWhatLooksRight(t *testing.T) {
	corrupt := shelf{spoil: corrupted}
	noTree := shelf{spoil: func(s *facts.Store) { s.Models[0].Tree = -1 }}
	for name, c := range map[string]struct {
		shelf  *shelf
		noMap  bool
		e      facts.ModelError
		ok     bool
		code   diag.Code
		looks  int
		proofs int
	}{
		"it looks right":           {shelf: &shelf{}, e: facts.ModelError{Agent: "scout", Model: "bert"}, ok: true, looks: 1, proofs: 1},
		"the disk shows the cause": {shelf: &corrupt, e: facts.ModelError{Agent: "scout", Model: "bert"}, ok: true, code: diag.StoreCorrupt, looks: 1},
		"another agent's":          {shelf: &shelf{}, e: facts.ModelError{Agent: "critic", Model: "bert"}, looks: 1},
		"another model":            {shelf: &shelf{}, e: facts.ModelError{Agent: "scout", Model: "mini"}, looks: 1},
		"in no version":            {shelf: &noTree, e: facts.ModelError{Agent: "scout", Model: "bert"}, ok: true, looks: 1},
		"no map":                   {shelf: &shelf{}, noMap: true, e: facts.ModelError{Agent: "scout", Model: "bert"}},
		"no store":                 {e: facts.ModelError{Agent: "scout", Model: "bert"}},
	} {
		r := &runner{until: time.Now().Add(time.Minute), world: World{Map: ModelMap{Models: twoModels(t)}}}
		looks, proofs := 0, 0
		if c.shelf != nil {
			r.world.Store = c.shelf
		}
		if c.noMap {
			r.world.Map.Models = nil
		}
		for range 2 {
			d, ok := r.diagnose(c.e)
			if ok != c.ok || d.Code != c.code {
				t.Errorf("%s: %t %+v", name, ok, d)
			}
		}
		if c.shelf != nil {
			looks, proofs = c.shelf.looks, c.shelf.proofs
		}
		if looks != c.looks || proofs != c.proofs {
			t.Errorf("%s: %d looks, %d proofs; want %d, %d", name, looks, proofs, c.looks, c.proofs)
		}
	}
}

// What is hashed is the version of the model that failed.
func TestDiagnose_HashesTheVersionOfTheModel(t *testing.T) {
	m, _ := modelmap.Parse([]byte(`{"scout":["bert","mini"],"memory":["mini"]}`))
	for model, want := range map[facts.ModelError]string{
		{Agent: "scout", Model: "bert"}: "/v0", {Agent: "scout", Model: "mini"}: "/v1", {Agent: "memory", Model: "mini"}: "/v2",
	} {
		rack := &shelf{spoil: func(s *facts.Store) {
			s.Trees = nil
			for i := range s.Models {
				s.Models[i].Tree = i
				s.Trees = append(s.Trees, facts.StoreTree{Owner: s.Models[i].Want.Agent, Path: "/v" + strconv.Itoa(i)})
			}
		}}
		r := &runner{until: time.Now().Add(time.Minute), world: World{Store: rack, Map: ModelMap{Models: m}}}
		if _, ok := r.diagnose(model); !ok || len(rack.proved) != 1 || rack.proved[0] != want {
			t.Errorf("%+v: hashed %q", model, rack.proved)
		}
	}
}

func TestDiagnose_EnvironmentIsThatOfAnInstanceThatRuns(t *testing.T) {
	right := facts.Unit{Name: "justnews@gpu_orchestrator.service", MainPID: 7}
	other := machine{environment: facts.Environment{Exact: true, Values: map[string]string{"MODEL_STORE_ROOT": "/other"}}}
	for name, c := range map[string]struct {
		change func(*runner)
		want   bool
	}{
		"it runs":           {func(*runner) {}, true},
		"it is not known":   {func(r *runner) { r.unit.known = false }, false},
		"it does not run":   {func(r *runner) { r.unit.unit.MainPID = 0 }, false},
		"nobody can look":   {func(r *runner) { r.world.Machine = nil }, false},
		"another kind":      {func(r *runner) { r.req.Kind = "vllm" }, false},
		"a unit of its own": {func(r *runner) { r.unit.unit.Name = "orchestrator.service" }, false},
	} {
		r := &runner{until: time.Now().Add(time.Minute), unit: unitMemo{unit: right, known: true}, world: World{Machine: other}}
		r.req.Models.Root = "/store"
		c.change(r)
		if got := r.environment(); (len(got) > 0) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// hungry is a machine that killed processes because it was out of memory.
type hungry struct{ machine }

func (hungry) Memory(string) facts.Memory { return facts.Memory{Kills: 1} }

func TestUnit_KilledOrchestratorIsNamedWithItsCause(t *testing.T) {
	killed := facts.Unit{LoadState: "loaded", ActiveState: "failed", SubState: "failed", Result: "oom-kill"}
	for name, c := range map[string]struct {
		machine Machine
		want    diag.Code
	}{"the memory is known": {hungry{}, diag.OrchestratorKill}, "it is not": {nil, diag.OrchestratorUnit}} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(newServer(1, 0))
			h.server.down, h.units = true, oneUnit(killed)
			x := h.world()
			x.Machine = c.machine
			if r := Run(t.Context(), scoutRun(time.Minute), x); !hasCode(r, c.want) || r.Elapsed > time.Second {
				t.Errorf("%s: %v after %v", name, r.Problems, r.Elapsed)
			}
		})
	}
}

func TestUnit_RestartsAreCountedFromTheFirstAnswer(t *testing.T) {
	u := facts.Unit{LoadState: "loaded", ActiveState: "activating", SubState: "auto-restart", Result: "exit-code", NRestarts: 5}
	var err error
	r := &runner{world: World{Units: unitFunc(func(string) (facts.Unit, error) {
		if err != nil {
			return facts.Unit{}, err
		}
		return u, nil
	})}}
	r.req.Orchestrator.Unit = "o.service"
	err = errors.New("x")
	r.askUnit(t.Context())
	if r.unit.known || r.unit.err != "x" || r.unit.invocation() != "" {
		t.Errorf("an error: %+v", r.unit)
	}
	err, u.InvocationID = nil, "i"
	for restarts, want := range []int{0, 0, 1, 1} { // 2 and more are reported
		u.NRestarts, r.unit.asked = 5+restarts, time.Time{}
		if got := r.orchestratorUnitProblem(t.Context()); len(got) != want {
			t.Errorf("%d restarts: %v", restarts, got)
		}
	}
	if r.unit.invocation() != "i" {
		t.Errorf("%+v", r.unit)
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	if got := r.orchestratorUnitProblem(ctx); got != nil {
		t.Errorf("at the end: %v", got)
	}
}

// What systemd does not report for a while may become known.
func TestUnit_GateWaitsForSystemdToAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(newServer(1, 0))
		began := time.Now()
		h.units = unitFunc(func(name string) (facts.Unit, error) {
			if time.Since(began) < 3*time.Second {
				return facts.Unit{}, errors.New("connection refused")
			}
			return activeUnit(name)
		})
		if r := Run(t.Context(), scoutRun(time.Minute), h.world()); !r.Passed() || r.Elapsed < 3*time.Second || r.Elapsed > 5*time.Second {
			t.Errorf("%v after %v", r.Problems, r.Elapsed)
		}
	})
}

// environments returns another environment at each look, then always the last one.
type environments struct {
	machine
	all []facts.Environment
	n   *int
}

func (e environments) Environment(facts.Unit) facts.Environment {
	*e.n++
	return e.all[min(*e.n, len(e.all))-1]
}

func TestOrchestrator_DryRunThatShowsAtTheLastMomentIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, n := newHost(newServer(1, 0)), 0
		x := h.world()
		x.Machine = environments{all: []facts.Environment{{Exact: true}, {Exact: true, Values: map[string]string{"DRY_RUN": "1"}}}, n: &n}
		r := run(t.Context(), scoutRun(time.Minute), x, []step{orchestratorStep}, stopAtFirst)
		if r.Passed() || !hasCode(r, diag.OrchestratorDryRun) || r.Steps[1].Detail != r.Problems[0].Message {
			t.Errorf("%+v", r)
		}
	})
}

// dryProcess is a machine on which one process loads nothing.
type dryProcess struct {
	machine
	pid   int
	store string
}

func (d dryProcess) Environment(u facts.Unit) facts.Environment {
	if u.MainPID == d.pid || slices.Contains(u.Environment, "DRY_RUN=1") {
		return facts.Environment{Exact: true, Values: map[string]string{"DRY_RUN": "1"}}
	}
	return facts.Environment{Exact: true, Values: map[string]string{"MODEL_STORE_ROOT": d.store}}
}

// However recent the first look at the unit is, systemd is asked again before a gate opens,
// and about the whole unit only if it was started anew or has another process.
func TestFollower_ProcessThatReplacedTheFirstIsExamined(t *testing.T) {
	root := t.TempDir()
	for what, replaced := range map[string]func(*facts.Unit){
		"":                       func(*facts.Unit) {},
		"another process":        func(u *facts.Unit) { u.MainPID = 4711 },
		"another start":          func(u *facts.Unit) { u.InvocationID, u.MainPID = "another", 4711 },
		"another start, its PID": func(u *facts.Unit) { u.InvocationID, u.Environment = "another", []string{"DRY_RUN=1"} },
	} {
		synctest.Test(t, func(t *testing.T) {
			loaded := newServer(1, 0)
			loaded.started, loaded.startedAt = new(1.0), time.Now()
			h, whole, asked := newHost(loaded), 0, 0
			h.units = partFunc(func(name string, only []string) (facts.Unit, error) {
				u, err := activeUnit(name)
				if u.MainPID = 42; asked > 0 {
					replaced(&u)
				}
				asked++
				if len(only) > 0 {
					return facts.Unit{Name: name, InvocationID: u.InvocationID, MainPID: u.MainPID}, err
				}
				whole++
				return u, err
			})
			x := h.world()
			w := scoutRun(time.Minute)
			w.Models.Root = root
			x.Machine = dryProcess{pid: 4711, store: root}
			r := run(t.Context(), w, x, []step{orchestratorStep, modelsStep}, stopAtFirst)
			if same := what == ""; r.Passed() != same || hasCode(r, diag.OrchestratorDryRun) == same || whole == 1 != same || asked == 1 {
				t.Errorf("%q: after %d questions, %d about the whole unit: %+v", what, asked, whole, r)
			}
		})
	}
}

// The models may be gone, and their unit failed, while the gate follows them.
func TestFollower_FailedUnitEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(10, time.Second)
		h := newHost(s)
		began := time.Now()
		s.at(3*time.Second, func(s *server) { s.down = true })
		h.units = unitFunc(func(name string) (facts.Unit, error) {
			u, err := activeUnit(name)
			if time.Since(began) >= 3*time.Second {
				u.ActiveState, u.SubState, u.Result = "failed", "failed", "exit-code"
			}
			return u, err
		})
		if r := Run(t.Context(), scoutRun(time.Minute), h.world()); !hasCode(r, diag.OrchestratorUnit) || r.Elapsed > 4*time.Second {
			t.Errorf("%v after %v", r.Problems, r.Elapsed)
		}
	})
}

// A restart that no look saw is found by the unit's invocation, and triggered at once.
func TestFollower_QuickRestartIsTriggeredAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(10, time.Second)
		h := newHost(s)
		began := time.Now()
		s.Preload(t.Context()) // somebody's, the third of the server before
		s.posts = 0
		u, _ := activeUnit("")
		h.memory.history = History{Invocation: u.InvocationID, Job: s.started, Triggers: 3, LastPost: time.Since(h.boot)}
		s.at(2*time.Second, func(s *server) { s.restart() })
		asked := 0
		h.units = unitFunc(func(name string) (facts.Unit, error) {
			u, err := activeUnit(name)
			asked++
			if time.Since(began) >= 2*time.Second {
				u.InvocationID = "another"
			}
			return u, err
		})
		r := Run(t.Context(), scoutRun(time.Minute), h.world())
		if !r.Passed() || s.posts != 1 || r.Elapsed > 13*time.Second {
			t.Errorf("%v, %d POSTs, after %v", r.Problems, s.posts, r.Elapsed)
		}
		if asked > 10 {
			t.Errorf("systemd was asked %d times", asked)
		}
	})
}

// The pause between two looks grows while nothing happens, and progress ends that.
func TestFollower_LooksSeldomAtAJobWithoutProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(5, time.Minute)
		r := Run(t.Context(), scoutRun(10*time.Minute), newHost(s).world())
		if perModel := s.looks / 5; !r.Passed() || perModel < 300 || perModel > 400 {
			t.Errorf("%d looks a minute: %v", perModel, r.Problems)
		}
		if s.freshLooks != confirmations {
			t.Errorf("%d looks of the leader over a connection of their own, want %d", s.freshLooks, confirmations)
		}
	})
}

// afterEnd counts requests that are made after the end of a run.
type afterEnd struct {
	*server
	late int
}

func (e *afterEnd) Models(ctx context.Context, fresh bool) facts.ModelsLook {
	if ctx.Err() != nil {
		e.late++
	}
	return e.server.Models(ctx, fresh)
}

func TestFollower_SendsNoRequestAfterTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &afterEnd{server: newServer(1, time.Hour)}
		x := newHost(e.server).world()
		x.Orchestrator = e
		if r := Run(t.Context(), scoutRun(10*time.Second+30*time.Millisecond), x); r.Passed() || e.late > 0 {
			t.Errorf("%d looks after the deadline, %v", e.late, r.Problems)
		}
	})
}

// What the Model Store was like is recorded with the POST, where it was seen.
func TestFollower_PostRecordsTheStore(t *testing.T) {
	for seen, want := range map[string]string{"": "before", "now": "now"} {
		m := &saves{History: History{Store: "before"}}
		f := followerOf(m)
		f.world.Orchestrator, f.store, f.posted = newServer(1, 0), seen, make(chan facts.ModelsLook, 1)
		f.history = m.History
		if p := f.trigger(t.Context(), false); p != nil || m.Store != want || m.Triggers != 1 || m.Refreshes != 0 {
			t.Errorf("%q: %v, %+v", seen, p, m.History)
		}
		<-f.posted
	}
}

// Removing the lock's file again and again does not make gates query more often.
func TestLeader_LostLockCausesNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(1, time.Hour)
		l := &lostLock{}
		x := newHost(s).world()
		x.Lock = l
		r := Run(t.Context(), scoutRun(10*time.Second), x)
		if r.Passed() || s.looks > 300 || s.posts > 1 || r.Elapsed < 10*time.Second {
			t.Errorf("%d looks, %d POSTs: %v", s.looks, s.posts, r.Problems)
		}
		if l.unlocked > l.locked {
			t.Errorf("%d times unlocked, %d times locked", l.unlocked, l.locked)
		}
	})
}

// lostLock is always free, and never kept.
type lostLock struct{ locked, unlocked int }

func (l *lostLock) TryExclusive() (bool, error)      { l.locked++; return true, nil }
func (l *lostLock) WaitShared(context.Context) error { return nil }
func (l *lostLock) StillMine() bool                  { return false }
func (l *lostLock) Unlock()                          { l.unlocked++ }

// countedLock counts what is asked of a lock.
type countedLock struct {
	*ticket
	locked, unlocked int
}

func (c *countedLock) TryExclusive() (bool, error) { c.locked++; return c.ticket.TryExclusive() }
func (c *countedLock) Unlock()                     { c.unlocked++; c.ticket.Unlock() }

func TestLeader_LocksAndUnlocksOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(newServer(2, time.Second))
		h.server.down = true
		h.server.at(5*time.Second, func(s *server) { s.down = false })
		x := h.world()
		l := &countedLock{ticket: h.lock.ticket()}
		x.Lock = l
		if r := Run(t.Context(), scoutRun(time.Minute), x); !r.Passed() || l.locked != 1 || l.unlocked != 1 {
			t.Errorf("locked %d times, unlocked %d times: %v", l.locked, l.unlocked, r.Problems)
		}
		x.Lock = nil // there may be no directory to share
		h.server.down = true
		h.server.at(5*time.Second, func(s *server) { s.down = false })
		if r := Run(t.Context(), scoutRun(time.Minute), x); !r.Passed() {
			t.Errorf("without a lock: %v", r.Problems)
		}
	})
}

// heard records the progress of a run.
type heard struct {
	mu   sync.Mutex
	text []string
}

func (h *heard) Progress(p Progress) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text = append(h.text, p.Text)
}

func (h *heard) has(text string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Contains("\n"+strings.Join(h.text, "\n")+"\n", "\n"+text+"\n")
}

func TestLeader_FollowersRetellItsProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(newServer(10, time.Second))
		leader := h.lock.ticket()
		if led, err := leader.TryExclusive(); err != nil || !led {
			t.Fatal(led, err)
		}
		x, o := h.world(), &heard{}
		x.Observer = o
		time.AfterFunc(2*time.Second, func() { _ = h.memory.Save(History{Text: "5 of 10 models loaded", Done: 5, Total: 10}) })
		if r := Run(t.Context(), scoutRun(10*time.Second), x); r.Passed() {
			t.Errorf("%v", r.Problems)
		}
		for _, text := range []string{"another gate follows the preload", "another gate follows the preload: 5 of 10 models loaded"} {
			if !o.has(text) {
				t.Errorf("%q lacks %q", o.text, text)
			}
		}
	})
}

func TestOrchestrator_SilenceIsReportedWithTheStateOfItsUnit(t *testing.T) {
	for text, units := range map[string]Units{
		"no answer yet: connection refused":                                              nil,
		"no answer yet: connection refused; justnews@gpu_orchestrator.service is active": unitFunc(activeUnit),
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(newServer(1, 0))
			h.server.down, h.units = true, units
			x, o := h.world(), &heard{}
			x.Observer = o
			if Run(t.Context(), scoutRun(time.Second), x); !o.has(text) {
				t.Errorf("%q lacks %q", o.text, text)
			}
		})
	}
}
