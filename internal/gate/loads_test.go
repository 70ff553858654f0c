// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/unitname"
)

// machine simulates what the kernel reports of the orchestrator's process.
type machine struct {
	environment facts.Environment
	pids        []int
}

func (machine) Memory(string) facts.Memory                 { return facts.Memory{} }
func (m machine) Processes(string) []int                   { return m.pids }
func (m machine) Environment(facts.Unit) facts.Environment { return m.environment }

// vouched is an orchestrator and a preload, with the times since when they run.
func vouched(orchestrator, preload time.Duration) unitFunc {
	return func(name string) (facts.Unit, error) {
		u, err := activeUnit(name)
		u.Times = facts.UnitTimes{ExecMainStart: orchestrator, ActiveEnter: orchestrator}
		if name == unitname.Preload {
			u.Times.ActiveEnter, u.ExecMainCode = preload, 1 // CLD_EXITED
		}
		return u, err
	}
}

// ended is a preload whose process ended in another way, but whose unit is active.
func ended(code, status int) unitFunc {
	return func(name string) (facts.Unit, error) {
		u, err := vouched(10*time.Second, 20*time.Second)(name)
		if name == unitname.Preload {
			u.ExecMainCode, u.ExecMainStatus = code, status
		}
		return u, err
	}
}

func TestGate_WaitsWhileTheOrchestratorLoadsModels(t *testing.T) {
	env := func(exact bool, assignment ...string) facts.Environment {
		e := facts.Environment{Exact: exact, Values: map[string]string{"MODEL_STORE_ROOT": "/m"}}
		for i := 0; i+1 < len(assignment); i += 2 {
			e.Values[assignment[i]] = assignment[i+1]
		}
		return e
	}
	others := env(true)
	others.Others = []map[string]string{{"MODEL_STORE_DRY_RUN": "1"}}
	silentAfter := func(d time.Duration) func() unitFunc {
		return func() unitFunc {
			at := time.Now().Add(d)
			return func(name string) (facts.Unit, error) {
				if time.Now().After(at) {
					return facts.Unit{}, errors.New("systemd cannot be queried")
				}
				return activeUnit(name)
			}
		}
	}
	for name, c := range map[string]struct {
		environment facts.Environment
		units       func() unitFunc
		code        diag.Code
		status      diag.Status
	}{
		"none in the process":              {environment: env(true)},
		"0 in the process":                 {environment: env(true, "DRY_RUN", "0")},
		"by a file":                        {environment: env(false, "DRY_RUN", "true"), code: diag.OrchestratorDryRun, status: diag.StatusFailed},
		"in the process":                   {environment: env(true, "MODEL_STORE_DRY_RUN", "1"), code: diag.OrchestratorDryRun, status: diag.StatusFailed},
		"an unknown value":                 {environment: env(true, "DRY_RUN", "2"), code: diag.OrchestratorDryRun, status: diag.StatusFailed},
		"in another process of the unit":   {environment: others, code: diag.OrchestratorDryRun, status: diag.StatusFailed},
		"a process that cannot be read":    {environment: env(false), code: diag.OrchestratorDryRun, status: diag.StatusFailed},
		"the preload has read it":          {environment: env(false), units: func() unitFunc { return vouched(10*time.Second, 20*time.Second) }},
		"a preload that was killed":        {environment: env(false), units: func() unitFunc { return ended(2, 9) }, code: diag.OrchestratorDryRun, status: diag.StatusFailed},
		"a preload that refused":           {environment: env(false), units: func() unitFunc { return ended(1, 69) }, code: diag.OrchestratorDryRun, status: diag.StatusFailed},
		"a preload of a process before it": {environment: env(false), units: func() unitFunc { return vouched(20*time.Second, 10*time.Second) }, code: diag.OrchestratorDryRun, status: diag.StatusFailed},
		"systemd falls silent meanwhile":   {environment: env(true), units: silentAfter(3 * time.Second), code: diag.ServerUnproven, status: diag.StatusUnavailable},
		"systemd is silent from the start": {environment: env(true), units: silentAfter(-time.Second), code: diag.ServerUnproven, status: diag.StatusUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(newServer(10, time.Second))
				if c.units != nil {
					h.units = c.units()
				}
				x := h.world()
				x.Machine = machine{environment: c.environment}
				r := Run(t.Context(), scoutRun(time.Minute), x)
				if r.Status != c.status || c.code != "" && !hasCode(r, c.code) {
					t.Errorf("status %d, want %d with %q: %+v", r.Status, c.status, c.code, r.Problems)
				}
			})
		})
	}
}

// slowUnits answers after d, unless its caller gives up before.
type slowUnits struct {
	units Units
	d     time.Duration
}

func (s slowUnits) Unit(ctx context.Context, name string, only ...string) (facts.Unit, error) {
	if !pause(ctx, s.d) {
		return facts.Unit{}, ctx.Err()
	}
	return s.units.Unit(ctx, name, only...)
}

// provenServer is a server whose answers are proven.
type provenServer struct {
	*server
	origin *Origin
}

func (p provenServer) Health(ctx context.Context) facts.Health {
	h := p.server.Health(ctx)
	h.Answer = from(ctx, p.origin, h.Server)
	return h
}

func (p provenServer) Ready(ctx context.Context) facts.Readiness {
	r := p.server.Ready(ctx)
	r.Answer = from(ctx, p.origin, r.Server)
	return r
}

func (p provenServer) Models(ctx context.Context, fresh bool) facts.ModelsLook {
	l := p.server.Models(ctx, fresh)
	l.Answer = from(ctx, p.origin, l.Server)
	return l
}

// A gate's deadline may come during any of its questions to systemd. That is not systemd's
// silence.
func TestGate_QuestionThatTheDeadlineCutsOffIsNoFinding(t *testing.T) {
	seen := map[diag.Code]int{}
	for timeout := time.Millisecond; ; timeout += time.Millisecond {
		var r Result
		synctest.Test(t, func(t *testing.T) {
			h := newHost(newServer(2, 20*time.Millisecond))
			h.server.server = facts.Server{Local: true, Group: 5, UID: 1, Accepted: true}
			x := h.world()
			units := slowUnits{x.Units, 4 * time.Millisecond}
			origin := &Origin{Unit: "justnews@gpu_orchestrator.service", Units: units, Groups: groupsByPath{"": {5}}, Must: true}
			x.Units, x.Orchestrator = units, provenServer{h.server, origin}
			x.Mark = &Mark{
				Unit: func(ctx context.Context) (facts.Unit, error) {
					unit, err := units.Unit(ctx, "justnews@scout.service")
					unit.Marks = []string{"mark"}
					return unit, err
				},
				Wanted: func() (facts.Mark, []diag.Problem) { return facts.Mark{Mark: "mark"}, nil },
			}
			x.Machine = machine{environment: facts.Environment{Exact: true}}
			r = Run(t.Context(), scoutRun(timeout), x)
		})
		if r.Passed() {
			break
		}
		if timeout > 10*time.Second {
			t.Fatalf("does not pass within %s: %v", timeout, r.Problems)
		}
		for _, p := range diag.Errors(r.Problems) {
			seen[p.Code]++
			if p.Code == diag.ServerUnproven || strings.Contains(p.Seen+p.Message, "deadline") {
				t.Errorf("after %s: %s, %s", timeout, p, p.Seen)
			}
		}
	}
	for _, code := range []diag.Code{diag.UnitUnmarked, diag.OrchestratorUnreachable, diag.ModelsTimeout} {
		if seen[code] == 0 {
			t.Errorf("no deadline led to %s: %v", code, seen)
		}
	}
}

func TestStore_LinkToTheStoreIsTheStore(t *testing.T) {
	root := t.TempDir()
	dir, link, other := filepath.Join(root, "dir"), filepath.Join(root, "link"), filepath.Join(root, "other")
	if err := errors.Join(os.Mkdir(dir, 0o755), os.Mkdir(other, 0o755), os.Symlink("dir", link)); err != nil {
		t.Fatal(err)
	}
	for value, differs := range map[string]bool{dir: false, link: false, other: true, "dir": true} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(newServer(10, time.Second))
			h.units = unitFunc(func(name string) (facts.Unit, error) {
				u, err := activeUnit(name)
				u.MainPID = 7
				return u, err
			})
			x := h.world()
			x.Machine = machine{environment: facts.Environment{Exact: true, Values: map[string]string{"MODEL_STORE_ROOT": value}}}
			w := scoutRun(time.Minute)
			w.Models.Root = dir
			if r := Run(t.Context(), w, x); hasCode(r, diag.StoreEnvironment) != differs {
				t.Errorf("%s for %s: %+v", value, dir, r.Problems)
			}
		})
	}
}

// A name that led to another host when the Model Store was to be checked.
func TestOrigin_AddressThatBecameLocalIsNotTrusted(t *testing.T) {
	for _, local := range []bool{true, false} {
		kind, _ := (&Origin{Away: true}).Prove(t.Context(), facts.Server{Local: local})
		if (kind == facts.Unattributed) != local {
			t.Errorf("local %t: %v", local, kind)
		}
	}
}

// hungPreload is a server that answers a request to load when its client gives up.
type hungPreload struct{ *server }

func (h hungPreload) Preload(ctx context.Context) facts.ModelsLook {
	h.mu.Lock()
	h.posts++
	h.mu.Unlock()
	<-ctx.Done()
	return facts.ModelsLook{Answer: facts.Answer{Kind: facts.Refused, Detail: "timed out"}}
}

func TestRun_LeavesNoRequestBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // fails if a goroutine remains
		h := newHost(newServer(3, time.Second))
		w := h.world()
		w.Orchestrator = hungPreload{h.server}
		if r := Run(t.Context(), scoutRun(20*time.Second), w); r.Passed() || h.server.posts < 2 {
			t.Errorf("status %d after %d requests to load", r.Status, h.server.posts)
		}
	})
}
