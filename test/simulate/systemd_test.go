// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"context"
	"fmt"
	"math"
	"time"

	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/hostlock"
	"justnews/internal/requirement"
	"justnews/internal/unitname"
)

// unit is one unit as run by systemd: jobs that wait for those of other units (After=),
// restarts with a growing delay, a timeout for the gate.
type unit struct {
	*actor
	name, instance string
	preload        bool
	after          []*unit
	timeout        time.Duration

	active, sub string
	result      string
	invocation  string
	restarts    int
	job         bool
	group       uint64 // control group of the main process, 0: none
	mark        facts.Mark
	times       facts.UnitTimes // since boot
	gate        *process        // its control process, nil: none
	runs        int
	ended       chan string // the main process ended, or a stop or start is requested
}

func (h *host) newUnit(name, instance string, after ...*unit) *unit {
	u := &unit{
		actor: h.actor(name, nil), name: name, instance: instance, preload: name == unitname.Preload, after: after,
		active: "inactive", sub: "dead", result: "success", job: true, timeout: 6 * time.Minute, ended: make(chan string, 8),
	}
	h.units[name] = u
	h.order = append(h.order, u)
	return u
}

// live does everything that systemd does with the unit, from its first job on.
func (u *unit) live(ctx context.Context) {
	for ctx.Err() == nil {
		if !u.awaitOrder(ctx) {
			return
		}
		passed := u.start(ctx)
		if ctx.Err() != nil {
			return
		}
		why := "exit-code"
		if passed {
			why = u.main(ctx)
		}
		if !u.again(ctx, why) {
			return
		}
	}
}

// awaitOrder waits until no unit of After= has a job.
func (u *unit) awaitOrder(ctx context.Context) bool {
	for {
		u.h.mu.Lock()
		busy, changed := false, u.h.changed
		for _, other := range u.after {
			busy = busy || other.job
		}
		u.h.mu.Unlock()
		if !busy {
			break
		}
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		}
		if !u.wait(ctx, 0) {
			return false
		}
	}
	return true
}

// start runs the gate and reports whether it opened.
func (u *unit) start(ctx context.Context) bool {
	if !u.wait(ctx, time.Millisecond) {
		return false
	}
	if u == u.h.mpsUnit { // its gate is ExecStartPost=
		u.h.mu.Lock()
		u.begin()
		u.h.mu.Unlock()
	}
	run, done := u.spawn(ctx)
	limit := time.NewTimer(u.timeout)
	defer limit.Stop()
	for {
		select {
		case <-limit.C:
			u.h.mu.Lock()
			run.kill()
			u.h.mu.Unlock()
		case why := <-u.ended:
			if why == "stop" {
				run.terminate()
			}
		case passed := <-done:
			return u.gateEnded(passed)
		}
	}
}

// gateEnded clears the control process and reports whether the main one starts.
func (u *unit) gateEnded(passed bool) bool {
	u.h.mu.Lock()
	defer u.h.mu.Unlock()
	run := u.gate
	u.gate = nil
	if passed = passed && !run.killed; !passed && u.group != 0 {
		u.finish()
	}
	return passed
}

// spawn starts a process of the gate. The channel reports whether it opened.
func (u *unit) spawn(ctx context.Context) (*process, <-chan bool) {
	h := u.h
	h.mu.Lock()
	defer h.mu.Unlock()
	u.runs++
	own, cancel := context.WithCancelCause(ctx)
	p := &process{unit: u, number: u.runs, cancel: cancel, gone: make(chan struct{})}
	p.actor = h.actor(fmt.Sprintf("%s run %d", u.name, u.runs), p)
	lock, err := hostlock.OpenIn(h.dir, lockName)
	if err != nil {
		h.fail("cannot open the lock: %v", err)
	}
	p.lock = lock
	u.gate, u.active, u.sub = p, "activating", "start-pre"
	u.invocation = fmt.Sprintf("%s-%d", u.name, u.runs)
	h.event(u.actor, "gate starts")
	done := make(chan bool, 1)
	go func() {
		defer func() { h.exited(p, recover()) }()
		passed := false
		defer func() { done <- passed }()
		passed = p.run(own).Passed()
	}()
	return p, done
}

// main is the service from its start to its end, and returns the result.
func (u *unit) main(ctx context.Context) string {
	h := u.h
	u.set(func() {
		u.active, u.sub, u.result, u.job = "active", "running", "success", false
		u.times.ExecMainStart, u.times.ActiveEnter = time.Since(h.boot), time.Since(h.boot)
		u.begin()
	})
	for {
		select {
		case <-ctx.Done():
			return ""
		case why := <-u.ended:
			if why == "start" {
				continue
			}
			if !u.wait(ctx, time.Millisecond) {
				return ""
			}
			h.mu.Lock()
			u.finish()
			h.mu.Unlock()
			return why
		}
	}
}

// begin starts the main process. h.mu is held.
func (u *unit) begin() {
	h := u.h
	if u.preload || u.group != 0 {
		return // oneshot: it has none; or it is already running
	}
	h.groupsMade++
	u.group = 100 + h.groupsMade
	switch u {
	case h.orchestratorUnit:
		h.posts, h.opens = nil, 0
		h.orchestrator = &orchestrator{h: h, old: h.old, group: u.group, opens: time.Now().Add(h.slow + u.between(0, 3*time.Second))}
		h.preloadUnit.notify("start") // Wants=
	case h.busUnit:
		h.bus = &busServer{group: u.group, opens: time.Now().Add(u.between(0, 2*time.Second))}
	}
}

// finish ends the main process. h.mu is held.
func (u *unit) finish() {
	h := u.h
	if u.group != 0 {
		close(h.alive(u.group))
		u.group = 0
	}
	switch u {
	case h.orchestratorUnit:
		h.orchestrator = nil
		h.preloadUnit.notify("stop") // BindsTo=
	case h.busUnit:
		h.bus = nil
	}
}

// notify passes on an event of the unit; surplus events are dropped, as systemd merges jobs.
func (u *unit) notify(what string) {
	select {
	case u.ended <- what:
	default:
	}
}

// again follows an end: a delay and another job (Restart=on-failure) or, after a stop, the
// wait for a start.
func (u *unit) again(ctx context.Context, why string) bool {
	if why == "stop" {
		u.set(func() { u.active, u.sub, u.result, u.job, u.restarts = "inactive", "dead", "success", false, 0 })
		for why != "start" {
			select {
			case <-ctx.Done():
				return false
			case why = <-u.ended:
			}
		}
		u.set(func() { u.job = true })
		return true
	}
	u.set(func() {
		u.times.InactiveEnter = time.Since(u.h.boot)
		u.active, u.sub, u.result, u.job = "activating", "auto-restart", why, false
		u.restarts++
	})
	if !u.wait(ctx, u.pause()) {
		return false
	}
	u.set(func() { u.job = true })
	return true
}

// pause is RestartSec=, which grows in five steps (internal/plan/base.go).
func (u *unit) pause() time.Duration {
	if u.preload {
		return time.Second
	}
	return time.Duration(3e9 * math.Pow(10, min(float64(u.restarts-1), 5)/5))
}

// set changes the unit at a unique instant, and notifies everything that waits.
func (u *unit) set(change func()) {
	h := u.h
	u.wait(context.Background(), 0)
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
	h.event(u.actor, u.active+"/"+u.sub)
	close(h.changed)
	h.changed = make(chan struct{})
}

// facts is what systemd reports about the unit. h.mu is held.
func (u *unit) facts() facts.Unit {
	f := facts.Unit{
		Name: u.name, LoadState: "loaded", ActiveState: u.active, SubState: u.sub, Result: u.result, InvocationID: u.invocation,
		NRestarts: u.restarts, TimeoutStart: u.timeout, Job: u.job, ConditionResult: true,
		DropInPaths: u.mark.DropIns, Times: u.times, ExecMainCode: facts.CodeExited, After: u.afterNames(),
	}
	if u.mark.Mark != "" {
		f.Marks = []string{u.mark.Mark}
	}
	if u.group != 0 {
		f.MainPID = int(u.group)
	}
	if u.group != 0 || u.gate != nil {
		f.ControlGroup = u.name
	}
	return f
}

func (u *unit) afterNames() []string {
	var names []string
	for _, other := range u.after {
		names = append(names, other.name)
	}
	return names
}

func (u *unit) seen() facts.Unit {
	u.h.mu.Lock()
	defer u.h.mu.Unlock()
	return u.facts()
}

// leavesIt reports whether this one leaves the look to the preload (internal/cli/hold.go).
func (u *unit) leavesIt(h *host) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.preloadUnit
	return !u.preload && (p.active == "activating" || p.job)
}

// requires is what a process reads from the configuration.
func (p *process) requires() requirement.Run {
	h, u := p.h, p.unit
	h.mu.Lock()
	defer h.mu.Unlock()
	p.config = h.now
	switch u {
	case h.preloadUnit:
		return h.config().host
	case h.mpsUnit:
		return h.config().mps
	}
	return h.config().instances[u.instance]
}

// judge checks the result of one run.
func (h *host) judge(p *process, res gate.Result, took time.Duration, w requirement.Run) {
	p.alive()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.event(p.actor, fmt.Sprintf("result %d", res.Status))
	h.results++
	if took > w.Timeout.Value+grace && !p.halted {
		h.fail("%s ended after %v, its time is %v", p.name, took, w.Timeout.Value)
	}
	if res.Passed() {
		h.opened(p, w)
		return
	}
	h.named(p, res)
}
