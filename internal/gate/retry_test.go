// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	checkunit "justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// retryHost is a systemd on which each start succeeds but that of broken.service.
type retryHost struct {
	sync.Mutex
	units    map[string]string
	restarts int
	denied   bool
	silent   bool
	missing  string
	masked   string

	reset, started, stopped []string
}

func (h *retryHost) Unit(_ context.Context, name string, _ ...string) (facts.Unit, error) {
	h.Lock()
	defer h.Unlock()
	switch {
	case h.silent:
		return facts.Unit{}, errors.New("connection refused")
	case name == h.masked:
		return facts.Unit{Name: name, LoadState: "masked", ActiveState: "inactive"}, nil
	case name == h.missing:
		return facts.Unit{Name: name, LoadState: "not-found", ActiveState: "inactive"}, nil
	}
	return facts.Unit{Name: name, LoadState: "loaded", ActiveState: h.units[name], Result: "exit-code", NRestarts: h.restarts}, nil
}

func (h *retryHost) UnitOfPID(context.Context, int) (facts.Unit, error) {
	return facts.Unit{}, errors.New("none")
}

func (h *retryHost) ResetFailed(_ context.Context, name string) (facts.Start, error) {
	if h.denied {
		return facts.Start{Refused: "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", Detail: "Interactive authentication required."}, nil
	}
	h.Lock()
	defer h.Unlock()
	h.reset = append(h.reset, name)
	if h.units[name] == "failed" {
		h.units[name] = "inactive"
	}
	return facts.Start{}, nil
}

func (h *retryHost) Start(_ context.Context, name string) (facts.Start, error) {
	h.Lock()
	defer h.Unlock()
	h.started = append(h.started, name)
	if name == "broken.service" {
		h.units[name] = "failed"
		return facts.Start{Result: "failed"}, nil
	}
	h.units[name] = "active"
	return facts.Start{Result: "done"}, nil
}

func (h *retryHost) Stop(_ context.Context, name string) (facts.Start, error) {
	h.Lock()
	defer h.Unlock()
	h.stopped = append(h.stopped, name)
	h.units[name] = "inactive"
	return facts.Start{Result: "done"}, nil
}

func TestRetry_EndsAWaitingStart(t *testing.T) {
	h := &retryHost{units: map[string]string{"a.service": "activating", "b.service": "active"}, restarts: 1}
	r := retryOn(t, h, "a.service", "b.service")
	if !r.Passed() || !slices.Equal(h.stopped, []string{"a.service"}) || !slices.Equal(h.started, []string{"a.service"}) {
		t.Errorf("%+v stopped %q started %q", r, h.stopped, h.started)
	}
}

func retryOn(t *testing.T, h *retryHost, start ...string) Result {
	t.Helper()
	w := requirement.Run{Timeout: requirement.Timeout{Value: time.Minute}}
	return Retry(t.Context(), w, World{Units: h, Starter: h}, Again{Reset: start, Start: start}, h)
}

func TestRetry_ResetsAndStartsInactiveUnits(t *testing.T) {
	h := &retryHost{units: map[string]string{"a.service": "failed", "b.service": "active"}}
	r := retryOn(t, h, "a.service", "b.service")
	if !r.Passed() || !slices.Equal(h.reset, []string{"a.service", "b.service"}) || !slices.Equal(h.started, []string{"a.service"}) {
		t.Errorf("%+v reset %q started %q", r, h.reset, h.started)
	}
	if detail := r.Steps[1].Detail; detail != "1 failed unit reset" {
		t.Errorf("%q", detail)
	}
	h = &retryHost{units: map[string]string{"a.service": "failed", "b.service": "failed", "c.service": "active"}}
	if r := retryOn(t, h, "a.service", "b.service", "c.service"); r.Steps[1].Detail != "2 failed units reset" {
		t.Errorf("%q", r.Steps[1].Detail)
	}
}

func TestRetry_IgnoresUnitsThatDoNotExist(t *testing.T) {
	h := &retryHost{units: map[string]string{"a.service": "failed"}, missing: "none.service"}
	w := requirement.Run{Timeout: requirement.Timeout{Value: time.Minute}}
	r := Retry(t.Context(), w, World{Units: h, Starter: h}, Again{Reset: []string{"none.service", "a.service"}}, h)
	if !r.Passed() || !slices.Equal(h.reset, []string{"a.service"}) {
		t.Errorf("%+v reset %q", r, h.reset)
	}
}

func TestRetry_MaskedUnitStaysDown(t *testing.T) {
	h := &retryHost{units: map[string]string{"a.service": "inactive"}, masked: "masked.service"}
	if r := retryOn(t, h, "masked.service", "a.service"); !r.Passed() || len(r.Problems) != 1 || r.Problems[0].Code != diag.Ungated || !slices.Equal(h.started, []string{"a.service"}) {
		t.Errorf("%+v started %q", r, h.started)
	}
	if r := retryOn(t, h, "masked.service"); r.Passed() || !strings.Contains(r.Problems[0].Fix.String(), "systemctl unmask -- masked.service") {
		t.Errorf("alone: %+v", r)
	}
}

func TestRetry_EndsWhereSystemdDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &retryHost{silent: true}
		if r := retryOn(t, h, "a.service"); r.Passed() || len(h.reset)+len(h.started) > 0 || len(r.Problems) != 1 || r.Elapsed > askPatience+time.Second {
			t.Errorf("%+v reset %q started %q", r, h.reset, h.started)
		}
	})
}

func TestRetry_WaitsForAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &retryHost{silent: true, units: map[string]string{"a.service": "failed"}}
		time.AfterFunc(4*time.Second, func() {
			h.Lock()
			defer h.Unlock()
			h.silent = false
		})
		if r := retryOn(t, h, "a.service"); !r.Passed() || r.Elapsed > 5*time.Second {
			t.Errorf("%+v", r)
		}
	})
}

// A unit that systemd is still starting for the first time is not a waiting gate.
func TestRetry_DoesNotEndAFirstStart(t *testing.T) {
	h := &retryHost{units: map[string]string{"a.service": "activating"}}
	if r := retryOn(t, h, "a.service"); !r.Passed() || len(h.stopped) > 0 {
		t.Errorf("%+v stopped %q", r, h.stopped)
	}
}

// starts answers for one unit: how its start ends, and whether it is up then.
type starts struct {
	retryHost
	start facts.Start
	err   error
	asks  int
}

func (s *starts) Unit(_ context.Context, name string, _ ...string) (facts.Unit, error) {
	if s.asks++; s.asks > 1 {
		return facts.Unit{Name: name, LoadState: "loaded", ActiveState: "active"}, nil
	}
	return facts.Unit{Name: name, LoadState: "loaded", ActiveState: "inactive"}, nil
}

func (s *starts) Start(context.Context, string) (facts.Start, error) { return s.start, s.err }

func TestRetry_StartHasItsOutcome(t *testing.T) {
	for name, c := range map[string]struct {
		start facts.Start
		err   error
		code  diag.Code // "": it is up
		asks  int
	}{
		"it is up":               {facts.Start{Result: "done"}, nil, "", 2},
		"polkit refuses":         {facts.Start{Refused: "org.freedesktop.DBus.Error.AccessDenied", Detail: "d"}, nil, diag.UnitDenied, 1},
		"systemd refuses":        {facts.Start{Refused: "org.freedesktop.systemd1.TransactionIsDestructive", Detail: "d"}, nil, diag.UnitFailed, 1},
		"nobody answers":         {facts.Start{}, errors.New("x"), diag.NoSystemd, 1},
		"it takes until the end": {facts.Start{}, context.DeadlineExceeded, diag.UnitFailed, 1},
	} {
		s := &starts{start: c.start, err: c.err}
		p := startOne(t.Context(), &runner{world: World{Units: s, Starter: s}}, "a.service")
		if s.asks != c.asks || (len(p) == 0) != (c.code == "") {
			t.Errorf("%s: asked %d times, %+v", name, s.asks, p)
		}
		for _, problem := range p {
			if problem.Code != c.code {
				t.Errorf("%s: %+v, want %s", name, problem, c.code)
			}
		}
	}
}

// settling is a unit whose start job ends while systemd still starts it.
type settling struct {
	retryHost
	states []facts.Unit // one look after another; the last one remains
}

func (s *settling) Unit(_ context.Context, name string, _ ...string) (facts.Unit, error) {
	u := s.states[0]
	if len(s.states) > 1 {
		s.states = s.states[1:]
	}
	if u.ActiveState == "" {
		return facts.Unit{}, fmt.Errorf("systemd cannot be queried: %w", context.DeadlineExceeded)
	}
	u.Name, u.LoadState = name, "loaded"
	return u, nil
}

func (s *settling) Start(context.Context, string) (facts.Start, error) {
	return facts.Start{Result: "failed"}, nil
}

// The end of the start job is not the end of the start: systemd may have queued another one.
func TestRetry_WaitsWhileSystemdRestartsTheUnit(t *testing.T) {
	failed, queued := facts.Unit{ActiveState: "failed"}, facts.Unit{ActiveState: "activating", SubState: "auto-restart-queued", Job: true}
	starting, up := facts.Unit{ActiveState: "activating", SubState: "start-pre", Job: true}, facts.Unit{ActiveState: "active"}
	stopped, refused := facts.Unit{ActiveState: "inactive"}, queued
	refused.StatusText = checkunit.StatusOfRefusal(diag.Problem{Code: diag.StoreRoot, Message: "m"})
	for name, c := range map[string]struct {
		states []facts.Unit
		says   string // "": it is up
		takes  time.Duration
	}{
		"it comes up":          {[]facts.Unit{failed, queued, starting, starting, up}, "", 3 * settledEvery},
		"systemd reloads":      {[]facts.Unit{failed, starting, {}, up}, "", 2 * settledEvery},
		"systemd falls silent": {[]facts.Unit{failed, starting, {}}, "cannot start it, since systemd cannot be queried", time.Minute},
		"its gate has refused": {[]facts.Unit{failed, starting, refused, up}, checkunit.GateRefused, settledEvery},
		"it is stopped":        {[]facts.Unit{failed, starting, stopped, up}, "it is not up", settledEvery},
		"it crashes":           {[]facts.Unit{failed, queued, starting, {ActiveState: "activating", SubState: "auto-restart"}, up}, "the instance has failed", 2 * settledEvery},
		"it takes too long":    {[]facts.Unit{failed, starting}, "it is not up yet", time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				s := &settling{states: c.states}
				began := time.Now()
				p := startOne(ctx, &runner{world: World{Units: s, Starter: s}}, "a.service")
				if took := time.Since(began); took != c.takes {
					t.Errorf("took %v, want %v", took, c.takes)
				}
				if len(p) > 1 || len(p) == 0 != (c.says == "") || len(p) > 0 && p[0].Message != c.says {
					t.Errorf("%+v, want %q", p, c.says)
				}
			})
		})
	}
}

// Only a job that ended badly is repeated, once its record is deleted.
func TestRetry_RequestsTheModelsOfAFailedJobOnly(t *testing.T) {
	failed := func(s *server) {
		s.broken = 1
		s.Preload(t.Context())
		s.posts, s.broken = 0, 0
	}
	for name, c := range map[string]struct {
		prepare func(*server, *host, *World)
		posts   int
		detail  string
		fails   bool
	}{
		"a job that failed": {func(s *server, _ *host, _ *World) { failed(s) }, 1, "the preload was triggered", false},
		"a job that runs":   {func(s *server, _ *host, _ *World) { s.each = time.Hour; s.Preload(t.Context()); s.posts = 0 }, 0, "no preload has failed", false},
		"a gate that lets go": {func(s *server, h *host, _ *World) {
			failed(s)
			leader := h.lock.ticket()
			_, _ = leader.TryExclusive()
			time.AfterFunc(time.Second, leader.Unlock)
		}, 1, "the preload was triggered", false},
		"a gate that goes on": {func(s *server, h *host, _ *World) {
			failed(s)
			leader := h.lock.ticket()
			_, _ = leader.TryExclusive()
			time.AfterFunc(time.Minute, leader.Unlock)
		}, 0, "another gate follows the preload", false},
		"a broken lock": {func(s *server, _ *host, x *World) {
			failed(s)
			x.Lock = &brokenLock{end: func() {}}
		}, 1, "the preload was triggered", false},
		"no job":                          {func(*server, *host, *World) {}, 0, "no preload has failed", false},
		"without a lock":                  {func(_ *server, _ *host, x *World) { x.Lock = nil }, 0, "no preload has failed", false},
		"without a record":                {func(_ *server, _ *host, x *World) { x.Memory = nil }, 0, "no preload has failed", false},
		"a record that cannot be deleted": {func(_ *server, h *host, _ *World) { h.memory.broken = true }, 0, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(newServer(2, 0))
				x := h.world()
				h.memory.history.Triggers = 3
				c.prepare(h.server, h, &x)
				w := scoutRun(time.Minute)
				var out outcome
				r := run(t.Context(), w, x, []step{{"refresh", func(ctx context.Context, r *runner) outcome { out = refreshFailed(ctx, r); return out }}}, stopAtFirst)
				if r.Passed() == c.fails || out.detail != c.detail || h.server.posts != c.posts {
					t.Errorf("%+v, %d POSTs", out, h.server.posts)
				}
				if recorded := h.memory.history.Triggers; recorded > c.posts && !c.fails && x.Memory != nil && name != "a gate that goes on" {
					t.Errorf("the record has %d triggers", recorded)
				}
				time.Sleep(time.Minute) // the other gate's timer
				h.lock.mu.Lock()
				defer h.lock.mu.Unlock()
				if h.lock.holder != nil {
					t.Error("the lead is kept")
				}
			})
		})
	}
}

func TestRetry_ReportsUnitsThatAreStillDown(t *testing.T) {
	h := &retryHost{units: map[string]string{"a.service": "failed", "broken.service": "failed"}}
	r := retryOn(t, h, "a.service", "broken.service")
	if r.Passed() || len(r.Problems) != 1 || r.Problems[0].Code != diag.UnitFailed || r.Problems[0].Subject != "broken.service" || r.Problems[0].Fix.Empty() {
		t.Errorf("%+v", r)
	}
}

func TestRetry_PermissionErrorNamesTheRequiredGroup(t *testing.T) {
	h := &retryHost{units: map[string]string{"a.service": "failed"}, denied: true}
	r := retryOn(t, h, "a.service")
	if r.Status != diag.StatusPermission || len(h.started) != 0 || len(r.Problems) != 1 || r.Problems[0].Fix.String() != "sudo justnews-gate retry" {
		t.Errorf("%+v", r)
	}
}

// A gate that leads waits for the orchestrator that a retry has stopped: the retry must
// not wait for that gate before it starts the orchestrator.
func TestRetry_WaitingLeaderDoesNotBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(newServer(2, time.Second))
		leader := h.lock.ticket()
		if led, err := leader.TryExclusive(); err != nil || !led {
			t.Fatal(led, err)
		}
		units := &retryHost{units: map[string]string{"orchestrator.service": "inactive"}}
		x := h.world()
		x.Units, x.Starter = units, units
		w := requirement.Run{Timeout: requirement.Timeout{Value: time.Minute}, RequireModels: true}
		r := Retry(t.Context(), w, x, Again{Start: []string{"orchestrator.service"}}, units)
		if !r.Passed() || !slices.Equal(units.started, []string{"orchestrator.service"}) || r.Elapsed > 3*time.Second {
			t.Errorf("%v, started %q after %v", r.Problems, units.started, r.Elapsed)
		}
	})
}
