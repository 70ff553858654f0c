// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"context"
	"slices"
	"sync"
	"time"
)

// preloadRequest is the body of POST /models/preload.
type preloadRequest struct {
	agents  []string
	named   bool // agents was given
	refresh bool
}

// load is one model's entry under per_agent.
type load struct {
	entry
	status   string // pending, loading, ok, error; old: success
	err      any    // string or nil
	duration any    // seconds or nil
}

// engine is the preload state of one worker process. It follows the newer upstream, and like
// that is not single-flight: a job may start while another runs, both count into the same
// summary, and the first to end reports that nothing is in progress.
type engine struct {
	server *Server
	ctx    context.Context // ends with the process that this engine simulates

	mu        sync.Mutex
	first     []entry // what was read of the map last
	started   *float64
	completed *float64
	running   bool
	total     int
	done      int
	failed    int
	loads     []*load
	shallow   []string // old: agents of the last job that named some, one level less deep
}

// preload answers POST /models/preload.
func (e *engine) preload(req preloadRequest) answer {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.started != nil && !e.running && !req.refresh {
		return e.lastResult()
	}
	if e.server.opt.Generation == Old {
		e.runOld(req)
	} else {
		e.startNew(req)
	}
	state := e.fields()
	state.add("all_ready", false)
	return answer{status: 200, state: state}
}

// lastResult is the answer to a trigger without refresh after a job: its result, as 503 if
// anything failed.
func (e *engine) lastResult() answer {
	if len(e.shallow) > 0 {
		return brokenState()
	}
	state := e.fields()
	state.add("all_ready", e.allReady())
	state.add("errors", e.errors())
	if e.failed > 0 {
		return answer{status: 503, state: state, wrapped: true}
	}
	return answer{status: 200, state: state}
}

// status answers GET /models/status.
func (e *engine) status() answer {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.shallow) > 0 {
		return brokenState()
	}
	return answer{status: 200, state: &object{
		{"all_ready", e.allReady()},
		{"in_progress", e.running},
		{"summary", e.summary()},
		{"errors", e.errors()},
		{"started_at", e.started},
		{"completed_at", e.completed},
	}}
}

// brokenState is the old server's answer after a job for named agents: it takes the text
// "success" for an object.
func brokenState() answer { return answer{status: 500, text: "Internal Server Error"} }

func (e *engine) allReady() bool { return !e.running && e.failed == 0 && e.done == e.total }

func (e *engine) summary() *object {
	return &object{{"total", e.total}, {"done", e.done}, {"failed", e.failed}}
}

func (e *engine) fields() *object {
	return &object{
		{"started_at", e.started},
		{"completed_at", e.completed},
		{"in_progress", e.running},
		{"summary", e.summary()},
		{"per_agent", e.perAgent()},
	}
}

func (e *engine) perAgent() *object {
	agents := &object{}
	for _, a := range e.shallow {
		agents.add(a, &object{{"status", "success"}})
	}
	for _, l := range e.loads {
		if agents.get(l.agent) == nil {
			agents.add(l.agent, &object{})
		}
		agents.get(l.agent).(*object).add(l.id, &object{
			{"status", l.status},
			{"error", l.err},
			{"duration_s", l.duration},
			{"variant", l.variant},
			{"approx_vram_mb", nil},
		})
	}
	return agents
}

func (e *engine) errors() []any {
	list := []any{}
	for _, l := range e.loads {
		if l.status == "error" {
			list = append(list, &object{{"agent", l.agent}, {"model", l.id}, {"error", l.err}})
		}
	}
	return list
}

// runOld is the old server's job: it runs inside the request, loads nothing without agents,
// accepts any name as an agent, cannot fail, and never resets its counters.
func (e *engine) runOld(req preloadRequest) {
	e.begin()
	e.total += len(req.agents)
	e.done += len(req.agents)
	e.shallow = nil
	for _, a := range req.agents {
		if !slices.Contains(e.shallow, a) {
			e.shallow = append(e.shallow, a)
		}
	}
	e.completed = wallSeconds()
	if len(req.agents) > 0 {
		e.server.ledger.note(func(c *Counters) { c.Loads += len(req.agents) })
	}
}

func (e *engine) begin() {
	e.started, e.completed = wallSeconds(), nil
	e.server.ledger.note(func(c *Counters) {
		c.Jobs++
		c.JobsNS = append(c.JobsNS, Monotonic())
	})
}

// startNew starts a worker and resets the counters, even those of a worker that is still
// running. The previous job's per_agent entries remain until the worker reaches them.
func (e *engine) startNew(req preloadRequest) {
	e.begin()
	e.running, e.total, e.done, e.failed = true, 0, 0, 0
	e.server.opt.Log("preload: job started (refresh=%t agents=%v)", req.refresh, req.agents)
	e.server.spawn(func() { e.work(req) })
}

// work is the worker thread.
func (e *engine) work(req preloadRequest) {
	todo, err := e.wanted(req)
	if err != nil {
		e.server.opt.Log("preload: %v", err) // upstream continues with an empty map
	}
	e.plan(todo)
	for i, en := range todo {
		e.update(en, func(l *load) { l.status = "loading" })
		start := time.Now()
		if !e.server.pause(e.ctx, e.server.delay()) || i == len(todo)-1 && !e.beforeLast() {
			return // the process is gone
		}
		loadErr := e.server.loadModel(en)
		if i < len(todo)-1 {
			e.finish(en, start, loadErr)
			if i == 0 && e.server.stage(StageLoading) {
				return
			}
			continue
		}
		e.end(func() { e.record(en, start, loadErr) })
	}
	if len(todo) == 0 {
		e.end(func() {})
	}
	e.server.stage(StageDone)
}

// beforeLast waits for whatever delays the last model. It returns false if the process is
// gone.
func (e *engine) beforeLast() bool {
	return !e.server.stage(StageLast) && e.server.held(e.ctx)
}

// plan replaces the entries of the models to load and leaves those of others,
// errors included, as upstream does.
func (e *engine) plan(todo []entry) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, en := range todo {
		fresh := &load{entry: en, status: "pending"}
		if i := e.find(en); i >= 0 {
			e.loads[i] = fresh
		} else {
			e.loads = append(e.loads, fresh)
		}
	}
	e.total = len(todo)
}

func (e *engine) find(en entry) int {
	return slices.IndexFunc(e.loads, func(l *load) bool { return l.agent == en.agent && l.id == en.id })
}

func (e *engine) update(en entry, change func(*load)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i := e.find(en); i >= 0 {
		change(e.loads[i])
	}
}

func (e *engine) finish(en entry, start time.Time, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.record(en, start, err)
}

func (e *engine) record(en entry, start time.Time, err error) {
	l := e.loads[e.find(en)]
	l.duration = time.Since(start).Seconds()
	if err != nil {
		l.status, l.err = "error", err.Error()
		e.failed++
		return
	}
	l.status = "ok"
	e.done++
}

// end records the last model and ends the job in one step, so that the flip is atomic.
func (e *engine) end(last func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	last()
	e.running, e.completed = false, wallSeconds()
	now := Monotonic()
	e.server.opt.Log("preload: job ended: %d of %d models, %d failed", e.done, e.total, e.failed)
	if e.allReady() && e.total > 0 {
		e.server.ledger.note(func(c *Counters) { c.FlipsNS = append(c.FlipsNS, now) })
	}
}
