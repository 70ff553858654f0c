// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/hostlock"
	proc "justnews/internal/process"
	"justnews/internal/records"
)

// process is one run of justnews-gate, and what it sees of the host.
type process struct {
	*actor
	unit    *unit
	number  int
	cancel  context.CancelCauseFunc
	gone    chan struct{} // closed when it is killed
	killed  bool
	stopped time.Time // SIGSTOP until then
	halted  bool      // it was stopped at some time
	posts   int
	lock    *hostlock.Lock

	looks     int  // answered in a row by an orchestrator that was ready, and itself
	busLook   bool // the bus's last answer was its own
	mpsLook   bool // at the last look the daemon answered
	storeLook bool // at the last look the store was complete
	config    int  // the configuration that it has read
	markLook  bool // at the last look the unit was the configured one
}

// run is the program: one gate or, while it is refused in a restarted unit, repeated ones
// (internal/cli/hold.go).
func (p *process) run(ctx context.Context) (res gate.Result) {
	began := time.Now()
	own := p.unit.seen()
	for {
		from := time.Now()
		w := p.requires()
		w.Timeout, _ = gate.Budget(w.Timeout, &own)
		until := began.Add(min(w.Timeout.Value, holdFor))
		world := p.world()
		switch p.unit {
		case p.h.preloadUnit:
			res = gate.Preload(ctx, w, world)
		case p.h.mpsUnit:
			res = gate.ProveMPS(ctx, w, world)
		default:
			res = gate.Run(ctx, w, world)
		}
		p.h.judge(p, res, time.Since(from), w)
		if res.Passed() || own.NRestarts == 0 || p.unit == p.h.mpsUnit || ctx.Err() != nil || p.unit.leavesIt(p.h) {
			return res
		}
		if rest := p.between(10*time.Second, 12*time.Second); time.Now().Add(rest).After(until) || !p.wait(ctx, rest) {
			return res
		}
	}
}

// holdFor is internal/cli's.
const holdFor = 3 * time.Minute

// world is the argument of gate.Run, as built by internal/cli.
func (p *process) world() gate.World {
	origin := func(name string) *gate.Origin { return &gate.Origin{Unit: name, Units: p, Groups: p, Must: true} }
	own, uid := p.unit.seen(), agentUID
	x := gate.World{
		Orchestrator: client{p, origin(p.h.orchestratorUnit.name)},
		Bus:          busClient{p, origin(p.h.busUnit.name)},
		Units:        p, Lock: virtualLock{p}, Memory: disk{p, p.h.record()},
		Map: gate.ModelMap{Total: p.h.models, Models: p.h.modelMap}, Store: shelf{p}, GPU: driver{p}, MPS: mpsClient{p}, Starter: p,
		Self: gate.Self{Unit: &own, User: "justnews", InUnit: true, AgentUID: &uid, Environment: func(name string) (string, bool) {
			return pipes, name == "CUDA_MPS_PIPE_DIRECTORY"
		}},
		Uptime: func() time.Duration { return time.Since(p.h.boot) },
		Jitter: func(d time.Duration) time.Duration { return d*3/4 + p.between(0, d/2) },
	}
	if p.unit.instance != "" {
		x.Mark = &gate.Mark{
			Read:   p.h.configs[p.config].marks[p.unit.instance],
			Unit:   func(ctx context.Context) (facts.Unit, error) { return p.Unit(ctx, p.unit.name) },
			Wanted: p.wantedMark,
		}
	}
	return x
}

func (p *process) wantedMark() (facts.Mark, []diag.Problem) {
	p.h.mu.Lock()
	defer p.h.mu.Unlock()
	want := p.h.config().marks[p.unit.instance]
	p.markLook = p.unit.mark.Mark == want.Mark
	return want, nil
}

// kill ends the process as SIGKILL does. h.mu is held.
func (p *process) kill() {
	if p.killed {
		return
	}
	p.killed = true
	close(p.gone)
	p.cancel(errors.New("killed"))
	p.lock.Unlock()
	p.h.lockChanged()
}

func (p *process) terminate() { p.cancel(proc.Ended{By: syscall.SIGTERM}) }

// Unit queries systemd over D-Bus.
func (p *process) Unit(ctx context.Context, name string, _ ...string) (facts.Unit, error) {
	h := p.h
	h.mu.Lock()
	hung := h.dbusHangs
	h.mu.Unlock()
	took := p.between(100*time.Microsecond, time.Millisecond)
	if hung {
		took = 2 * time.Second
	}
	if !p.wait(ctx, took) {
		return facts.Unit{}, fmt.Errorf("no answer from systemd: %w", ctx.Err())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if hung || h.dbusDown {
		h.event(p.actor, "D-Bus: no answer")
		return facts.Unit{}, errors.New("no answer from systemd")
	}
	h.event(p.actor, "D-Bus")
	if u := h.units[name]; u != nil {
		return u.facts(), nil
	}
	return facts.Unit{Name: name, LoadState: "not-found", ActiveState: "inactive"}, nil
}

// Groups finds control groups.
func (p *process) Groups(group string) []uint64 {
	p.h.mu.Lock()
	defer p.h.mu.Unlock()
	switch u := p.h.units[group]; {
	case u == nil:
		return nil
	case u.group != 0:
		return []uint64{u.group}
	case u.gate != nil: // the gate itself is in it
		return []uint64{gateGroup}
	}
	return nil
}

// client is a process's connection to the orchestrator, whose answers are proven as in
// package orchestrator.
type client struct {
	p      *process
	origin *gate.Origin
}

// get is one request within the deadline of a look.
func (p *process) get(ctx context.Context, what string, bus bool, serve func(*end)) facts.Answer {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	return p.exchange(ctx, what, bus, serve)
}

func proven(ctx context.Context, o *gate.Origin, a facts.Answer) facts.Answer {
	if a.Kind == facts.Refused {
		return a
	}
	if kind, why := o.Prove(ctx, a.Server); kind != facts.Answered {
		a.Kind, a.Detail = kind, why
	}
	return a
}

func (c client) Health(ctx context.Context) facts.Health {
	return facts.Health{Answer: proven(ctx, c.origin, c.p.get(ctx, "GET /health", false, func(*end) {}))}
}

func (c client) Ready(ctx context.Context) facts.Readiness {
	answer := proven(ctx, c.origin, c.p.get(ctx, "GET /ready", false, func(*end) {}))
	return facts.Readiness{Answer: answer, Ready: answer.Kind == facts.Answered}
}

func (c client) Models(ctx context.Context, fresh bool) facts.ModelsLook {
	var state facts.ModelsState
	ready, foreign := false, false
	answer := c.p.get(ctx, "GET /models/status", false, func(e *end) {
		if e.foreign {
			state, foreign = perfect(c.p.h.models), true
			return
		}
		c.p.h.turn++
		state = e.o.status(c.p.h.workers && fresh && c.p.h.turn%2 == 0)
		ready = e.o.ready()
	})
	switch {
	case foreign || answer.Kind != facts.Answered: // it proves nothing
	case !ready:
		c.p.looks = 0
	default:
		c.p.looks++
	}
	answer = proven(ctx, c.origin, answer)
	if answer.Kind != facts.Answered {
		state = facts.ModelsState{}
	}
	return facts.ModelsLook{Answer: answer, State: state}
}

// perfect is an impostor's answer.
func perfect(models int) facts.ModelsState {
	at := 1.0
	return facts.ModelsState{AllReady: true, Total: models, Done: models, HasStartedAt: true, StartedAt: &at, CompletedAt: &at}
}

func (c client) Preload(ctx context.Context) facts.ModelsLook {
	h := c.p.h
	h.mu.Lock()
	c.p.posts++
	a := h.actor(fmt.Sprintf("%s POST %d", c.p.name, c.p.posts), c.p)
	h.mu.Unlock()
	var state facts.ModelsState
	answer := a.exchange(ctx, "POST /models/preload", false, func(e *end) {
		if e.foreign {
			state = perfect(h.models)
			return
		}
		state = e.o.post(a)
	})
	answer = proven(ctx, c.origin, answer)
	if answer.Kind != facts.Answered {
		state = facts.ModelsState{}
	}
	return facts.ModelsLook{Answer: answer, State: state}
}

type busClient client

func (c busClient) Health(ctx context.Context) facts.BusHealth {
	c.p.busLook = false
	answer := proven(ctx, c.origin, c.p.get(ctx, "GET bus /health", true, func(e *end) { c.p.busLook = e.bus != nil }))
	if answer.Kind != facts.Answered {
		return facts.BusHealth{Answer: answer}
	}
	return facts.BusHealth{Answer: answer, State: "ok"}
}

// virtualLock is a process's hostlock that waits in virtual time: waiting in flock(2) would
// stop the clock.
type virtualLock struct{ p *process }

func (l virtualLock) TryExclusive() (bool, error) {
	l.p.wait(context.Background(), 20*time.Microsecond)
	l.p.h.mu.Lock()
	defer l.p.h.mu.Unlock()
	if l.p.chance(8) { // a waiter that is just waking up gets it
		return false, nil
	}
	ok, err := l.p.lock.TryExclusive()
	l.p.h.event(l.p.actor, fmt.Sprintf("lock: %v", ok))
	if ok {
		l.p.h.holders[l.p] = true
	}
	return ok, err
}

func (l virtualLock) WaitShared(ctx context.Context) error {
	for {
		l.p.h.mu.Lock()
		free, changed := l.p.h.lockFree(), l.p.h.freed
		l.p.h.mu.Unlock()
		if free {
			if !l.p.wait(ctx, 20*time.Microsecond) {
				return context.Cause(ctx)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			l.p.alive()
			return ctx.Err()
		case <-changed:
		}
	}
}

func (l virtualLock) StillMine() bool {
	l.p.h.mu.Lock()
	defer l.p.h.mu.Unlock()
	return l.p.lock.StillMine()
}

// Unlock takes no time, as at the end of a process.
func (l virtualLock) Unlock() {
	l.p.h.mu.Lock()
	defer l.p.h.mu.Unlock()
	l.p.lock.Unlock()
	delete(l.p.h.holders, l.p)
	l.p.h.lockChanged()
}

// disk is a process's records, on the real file system, with its faults.
type disk struct {
	p     *process
	state records.State[gate.History]
}

func (d disk) Load() (gate.History, error) {
	d.p.alive()
	d.p.h.mu.Lock()
	defer d.p.h.mu.Unlock()
	if d.p.h.diskFails == eio {
		return gate.History{}, syscall.EIO
	}
	return d.state.Load()
}

func (d disk) Save(next gate.History) error {
	d.p.wait(context.Background(), 100*time.Microsecond)
	h := d.p.h
	h.mu.Lock()
	defer h.mu.Unlock()
	h.event(d.p.actor, "save")
	if was, err := d.state.Load(); err == nil && was.Triggers+was.Refreshes > 0 && next.Triggers+next.Refreshes == 0 {
		h.opens++
	}
	var err error
	switch h.diskFails {
	case eio:
		return syscall.EIO
	case full:
		err = syscall.ENOSPC
	default:
		err = d.state.Save(next)
	}
	if _, broken := d.state.Load(); broken != nil {
		h.fail("after a save (%v) the record cannot be read: %v", err, broken)
	}
	if h.diskFails == late { // written, and reported as failed
		return syscall.EIO
	}
	return err
}
