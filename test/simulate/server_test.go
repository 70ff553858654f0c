// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"context"
	"fmt"
	"time"

	"justnews/internal/facts"
)

// orchestrator is one process of the GPU Orchestrator, with the state that is lost when it
// ends. It behaves like upstream's, as in test/reference: it is not single-flight, and the
// older generation loads nothing.
type orchestrator struct {
	h      *host
	old    bool
	group  uint64
	opens  time.Time // its port
	frozen time.Time // it does not answer until then

	jobs    []job
	started *float64
	reset   time.Time // the counters count from here
	total   int
}

// job is one preload: when each of its models is done, and which fail.
type job struct {
	began  time.Time
	ends   []time.Time
	broken int // how many of its first models fail
}

func (j job) over() time.Time {
	if len(j.ends) == 0 {
		return j.began
	}
	return j.ends[len(j.ends)-1]
}

// post is POST /models/preload.
func (o *orchestrator) post(a *actor) facts.ModelsState {
	h := o.h
	h.posts = append(h.posts, time.Now())
	h.posted++
	h.bounded()
	h.entitled(a.of)
	if h.ignores {
		return o.status(false)
	}
	if o.running() {
		h.overlapping++
	}
	at := float64(time.Now().Add(h.wall).UnixMicro()) / 1e6
	o.started, o.reset, o.total = &at, time.Now(), 0
	j := job{began: time.Now(), broken: h.broken}
	if !o.old {
		o.total = h.models - h.short
		for range o.total {
			j.ends = append(j.ends, j.over().Add(a.between(time.Millisecond, h.each)))
		}
	}
	o.jobs = append(o.jobs, j)
	s := o.status(false)
	s.AllReady, s.Errors = false, nil
	return s
}

// running is what the server reports: once the first job ends it says that nothing is in
// progress, even if other jobs are.
func (o *orchestrator) running() bool {
	now := time.Now()
	if o.started == nil {
		return false
	}
	for _, j := range o.jobs {
		if end := j.over(); end.After(o.reset) && !end.After(now) {
			return false
		}
	}
	return o.jobs[len(o.jobs)-1].over().After(now)
}

// status is GET /models/status, answered by the second worker process if there is one, which
// knows of no job.
func (o *orchestrator) status(second bool) facts.ModelsState {
	s := facts.ModelsState{HasStartedAt: true}
	if o.started == nil || second {
		s.AllReady = true
		return s
	}
	at := *o.started
	s.StartedAt, s.Total, s.InProgress = &at, o.total, o.running()
	for _, j := range o.jobs {
		for i, end := range j.ends {
			if end.After(time.Now()) || end.Before(o.reset) {
				continue
			}
			if i < j.broken {
				s.Failed++
				s.Errors = append(s.Errors, facts.ModelError{Agent: "scout", Model: fmt.Sprintf("model-%d", i), Error: "no snapshot"})
				continue
			}
			s.Done++
		}
	}
	if !s.InProgress {
		s.CompletedAt = &at
	}
	s.AllReady = !s.InProgress && s.Failed == 0 && s.Done == s.Total
	return s
}

// ready is the actual state: a job of this process has loaded every model, or as many as this
// generation ever loads. The older one counts as ready as soon as a job has run.
func (o *orchestrator) ready() bool {
	for _, j := range o.jobs {
		if !j.over().After(time.Now()) && (o.old || j.broken == 0 && len(j.ends) >= o.h.models) {
			return true
		}
	}
	return false
}

// end is the process that answers at an address.
type end struct {
	o       *orchestrator
	bus     *busServer
	foreign bool
	group   uint64
}

type busServer struct {
	group uint64
	opens time.Time
}

// Control groups of processes other than servers, which are numbered from 100.
const (
	foreignGroup = 7
	gateGroup    = 8
)

// port returns the process that answers on the orchestrator's port, or nil. h.mu is held.
func (h *host) port(a *actor, bus bool) *end {
	if bus && h.busImpostor && (h.bus == nil || a.chance(2)) || !bus && h.impostor && (h.orchestrator == nil || a.chance(2)) {
		return &end{foreign: true, group: foreignGroup}
	}
	now := time.Now()
	switch {
	case bus && h.bus != nil && !now.Before(h.bus.opens):
		return &end{bus: h.bus, group: h.bus.group}
	case !bus && h.orchestrator != nil && !now.Before(h.orchestrator.opens):
		return &end{o: h.orchestrator, group: h.orchestrator.group}
	}
	return nil
}

// network is how often messages are affected: one in n, 0: none.
type network struct{ lost, unanswered, repeated, failing, garbled, slow int }

func (a *actor) hit(n int) bool { return n > 0 && a.chance(n) }

// lookTime is the longest that the probes wait for an answer to a GET.
const lookTime = 3 * time.Second

// exchange is one request. serve is called with its receiver, at the instant at which that
// acts on it, and once more if the message was repeated.
func (a *actor) exchange(ctx context.Context, what string, bus bool, serve func(*end)) facts.Answer {
	h := a.h
	h.mu.Lock()
	net := h.net
	h.mu.Unlock()
	took := a.between(100*time.Microsecond, 3*time.Millisecond)
	if a.hit(net.slow) {
		took = a.between(0, 2500*time.Millisecond)
	}
	if !a.wait(ctx, took/2) {
		return refused("timed out")
	}
	if a.hit(net.lost) {
		return a.silence(ctx)
	}
	to, alive := a.served(what, bus, serve)
	switch alive {
	case nil:
		return refused("connection refused")
	case frozen:
		a.wait(ctx, time.Hour)
		return refused("timed out")
	}
	if a.hit(net.repeated) {
		h.mu.Lock()
		if to.o != nil && to.o == h.orchestrator { // over the same connection
			h.event(a, what+" (repeated)")
			serve(to)
		}
		h.mu.Unlock()
	}
	answered := a.wait(ctx, took/2)
	switch {
	case !answered:
		return refused("timed out")
	case a.hit(net.unanswered):
		return a.silence(ctx)
	case a.hit(net.failing):
		return facts.Answer{Kind: facts.ServerError, Status: 500, Detail: "500 Internal Server Error", Server: socket(to.group)}
	case a.hit(net.garbled):
		return facts.Answer{Kind: facts.Nonsense, Status: 200, Detail: "not an object", Server: socket(to.group)}
	}
	select {
	case <-alive: // reset by the peer's end
		return refused("connection reset")
	default:
	}
	return facts.Answer{Kind: facts.Answered, Status: 200, Server: socket(to.group)}
}

func refused(detail string) facts.Answer { return facts.Answer{Kind: facts.Refused, Detail: detail} }

func socket(group uint64) facts.Server {
	return facts.Server{Local: true, Group: group, UID: 990, Accepted: true}
}

// silence is an exchange without an answer: a reset, or a timeout.
func (a *actor) silence(ctx context.Context) facts.Answer {
	if a.chance(2) {
		return refused("connection reset")
	}
	a.wait(ctx, time.Hour)
	return refused("timed out")
}

// The ends of processes that do not end: another one, and one that does not answer.
var forever, frozen = make(chan struct{}), make(chan struct{})

// served lets the process on the port act. The channel is closed when that process ends; nil:
// nothing listens.
func (a *actor) served(what string, bus bool, serve func(*end)) (*end, <-chan struct{}) {
	h := a.h
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.port(a, bus)
	switch {
	case e == nil:
		h.event(a, what+": nobody")
		return nil, nil
	case e.o != nil && time.Now().Before(e.o.frozen):
		h.event(a, what+": frozen")
		return e, frozen
	case e.foreign:
		h.event(a, what+": impostor")
		serve(e)
		return e, forever
	}
	h.event(a, what)
	serve(e)
	return e, h.lives(e)
}
