// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"sync"
	"time"

	"justnews/internal/config"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// server simulates an orchestrator in virtual time. Its fields may be changed
// while a test runs, by at.
type server struct {
	mu        sync.Mutex
	down      bool
	ready     bool
	safeMode  bool
	total     int           // models that a job loads
	each      time.Duration // time of one model
	broken    int           // models that fail
	workers   int           // 2: every second look over a fresh connection sees a worker without a job
	ignore    bool          // POSTs start nothing
	override  func() facts.ModelsLook
	server    facts.Server // of its socket
	started   *float64
	startedAt time.Time
	spoilt    int // broken, as it was when the job began

	looks, posts  int
	duringJob     int // POSTs while a job ran: must stay 0
	freshLooks    int
	jobsStarted   int
	healthLooks   int
	preloadAnswer *facts.ModelsLook
}

func newServer(total int, each time.Duration) *server {
	return &server{ready: true, total: total, each: each}
}

// at changes the server after d.
func (s *server) at(d time.Duration, change func(*server)) {
	time.AfterFunc(d, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		change(s)
	})
}

func (s *server) restart() { s.started, s.startedAt = nil, time.Time{} }

func (s *server) answer() facts.Answer {
	if s.down {
		return facts.Answer{Kind: facts.Refused, Detail: "connection refused"}
	}
	return facts.Answer{Kind: facts.Answered, Status: 200, Server: s.server}
}

func (s *server) Health(context.Context) facts.Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.healthLooks++
	return facts.Health{Answer: s.answer(), SafeMode: s.safeMode}
}

func (s *server) Ready(context.Context) facts.Readiness {
	s.mu.Lock()
	defer s.mu.Unlock()
	return facts.Readiness{Answer: s.answer(), Ready: s.ready}
}

func (s *server) Models(_ context.Context, fresh bool) facts.ModelsLook {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
	if fresh {
		s.freshLooks++
	}
	if s.override != nil && !s.down {
		return s.override()
	}
	if s.workers == 2 && fresh && s.freshLooks%2 == 0 {
		return facts.ModelsLook{Answer: s.answer(), State: facts.ModelsState{HasStartedAt: true, AllReady: true}}
	}
	return s.look()
}

func (s *server) look() facts.ModelsLook {
	l := facts.ModelsLook{Answer: s.answer()}
	if s.down {
		return l
	}
	l.State.HasStartedAt = true
	if s.started == nil {
		l.State.AllReady = true // vacuous, as upstream is
		return l
	}
	id := *s.started
	l.State.StartedAt = &id
	tried := s.total
	if s.each > 0 {
		tried = min(int(time.Since(s.startedAt)/s.each), s.total)
	}
	l.State.Total = s.total
	l.State.Failed = min(tried, s.spoilt)
	l.State.Done = tried - l.State.Failed
	for range l.State.Failed {
		l.State.Errors = append(l.State.Errors, facts.ModelError{Agent: "scout", Model: "bert", Error: "no snapshot"})
	}
	l.State.InProgress = tried < s.total
	l.State.AllReady = !l.State.InProgress && l.State.Failed == 0
	return l
}

func (s *server) Preload(_ context.Context) facts.ModelsLook {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posts++
	if s.down {
		return facts.ModelsLook{Answer: s.answer()}
	}
	if s.preloadAnswer != nil {
		return *s.preloadAnswer
	}
	if s.look().State.InProgress {
		s.duringJob++
	}
	if !s.ignore {
		s.jobsStarted++
		id := 1795439865 + float64(s.jobsStarted)
		s.started, s.startedAt, s.spoilt = &id, time.Now(), s.broken
	}
	return s.look()
}

// lock is a host lock in virtual time.
type lock struct {
	mu     sync.Mutex
	holder *ticket
	free   chan struct{}
}

func newLock() *lock { return &lock{free: make(chan struct{})} }

// ticket is one process's view of the lock.
type ticket struct{ lock *lock }

func (l *lock) ticket() *ticket { return &ticket{l} }

func (t *ticket) TryExclusive() (bool, error) {
	t.lock.mu.Lock()
	defer t.lock.mu.Unlock()
	if t.lock.holder == nil || t.lock.holder == t {
		t.lock.holder = t
		return true, nil
	}
	return false, nil
}

func (t *ticket) WaitShared(ctx context.Context) error {
	t.lock.mu.Lock()
	free := t.lock.free
	held := t.lock.holder != nil
	t.lock.mu.Unlock()
	if !held {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-free:
		return nil
	}
}

func (t *ticket) StillMine() bool {
	t.lock.mu.Lock()
	defer t.lock.mu.Unlock()
	return t.lock.holder == t
}

func (t *ticket) Unlock() {
	t.lock.mu.Lock()
	defer t.lock.mu.Unlock()
	if t.lock.holder == t {
		t.lock.holder = nil
		close(t.lock.free)
		t.lock.free = make(chan struct{})
	}
}

// memory is a host's record.
type memory struct {
	mu      sync.Mutex
	history History
	broken  bool
}

func (m *memory) Load() (History, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.history, nil
}

func (m *memory) Save(h History) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken {
		return errors.New("read-only file system")
	}
	m.history = h
	return nil
}

// unitFunc is a systemd that knows one answer.
type unitFunc func(name string) (facts.Unit, error)

func (f unitFunc) Unit(_ context.Context, name string, _ ...string) (facts.Unit, error) {
	return f(name)
}

// partFunc is a systemd that is told which properties it is asked for.
type partFunc func(name string, only []string) (facts.Unit, error)

func (f partFunc) Unit(_ context.Context, name string, only ...string) (facts.Unit, error) {
	return f(name, only)
}

func activeUnit(name string) (facts.Unit, error) {
	return facts.Unit{
		Name: name, LoadState: "loaded", ActiveState: "active", SubState: "running", Result: "success",
		InvocationID: "00112233445566778899aabbccddeeff",
	}, nil
}

type busFunc func() facts.BusHealth

func (f busFunc) Health(context.Context) facts.BusHealth { return f() }

func healthyBus() facts.BusHealth {
	return facts.BusHealth{Answer: facts.Answer{Kind: facts.Answered, Status: 200}, State: "ok"}
}

// host is what the gates of one test share.
type host struct {
	server *server
	lock   *lock
	memory *memory
	boot   time.Time
	units  Units
	models int // that the map lists
}

func newHost(s *server) *host {
	return &host{server: s, lock: newLock(), memory: &memory{}, boot: time.Now().Add(-time.Hour), units: unitFunc(activeUnit), models: s.total}
}

func (h *host) world() World {
	return World{
		Orchestrator: h.server, Bus: busFunc(healthyBus), Units: h.units, Lock: h.lock.ticket(), Memory: h.memory,
		Map: ModelMap{Total: h.models}, Uptime: func() time.Duration { return time.Since(h.boot) },
	}
}

func scoutRun(timeout time.Duration) requirement.Run {
	return requirement.Run{
		Instance: "scout", Unit: "justnews@scout.service",
		Timeout:       requirement.Timeout{Value: timeout, Origin: "test"},
		Orchestrator:  requirement.Service{URL: "http://127.0.0.1:8014", Unit: "justnews@gpu_orchestrator.service"},
		Bus:           requirement.Service{URL: "http://127.0.0.1:8000"},
		RequireModels: true, RequireBus: true, Preload: requirement.Preload{FailFast: true}, Gate: config.Gate{RefreshAttempts: 1},
	}
}
