// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"context"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// The behaviours that the engine looks up by name.
const (
	emptyMap   = "empty-map"
	cachedMap  = "cached-map"
	subset     = "subset"
	hold       = "hold"
	readyAfter = "ready-after"
	loadDelay  = "load-delay"
	failModel  = "fail-model"
	dryRun     = "dry-run"
	safeMode   = "safe-mode"
	twoWorkers = "two-workers"
	notReady   = "not-ready"
)

var engineBehaviours = []Behaviour{
	{Name: emptyMap, Doc: "a job runs over zero models, as with a missing or malformed map: all_ready, 0 of 0, started_at set"},
	{Name: cachedMap, Doc: "the map is read once: what is changed in it later is not seen, as by the newer upstream's loader"},
	{Name: subset, Value: "how many, default 1", check: checkCount, Doc: "a job loads only the first models of the map, then says all_ready"},
	{Name: hold, Doc: "the last model stays in loading until release"},
	{Name: readyAfter, Value: "duration since the server's start", check: checkDuration, Doc: "the last model stays in loading for that long after the start"},
	{Name: loadDelay, Value: "duration", check: checkDuration, Doc: "each model takes at least that long"},
	{Name: failModel, Value: "agent or model id, default the map's first", Doc: "that model fails with JustNews' error message although its files exist"},
	{Name: dryRun, Doc: "MODEL_STORE_DRY_RUN=1: every model is ok, nothing is read"},
	{Name: safeMode, Doc: "SAFE_MODE=true in /health; has no effect"},
	{Name: twoWorkers, Doc: "two worker processes with separate state answer in turn"},
	{Name: notReady, Doc: "GET /ready: 200 with ready:false"},
}

// wanted is the list of models that a job has to load.
func (e *engine) wanted(req preloadRequest) ([]entry, error) {
	s := e.server
	if _, on := s.conduct.value(emptyMap); on {
		return nil, nil
	}
	all, err := e.readMap()
	if req.named {
		all = slices.DeleteFunc(all, func(e entry) bool { return !slices.Contains(req.agents, e.agent) })
	}
	if v, on := s.conduct.value(subset); on {
		n := 1
		if v != "" {
			n, _ = strconv.Atoi(v) // checked when it was set
		}
		all = all[:min(n, len(all))]
	}
	return all, err
}

func (e *engine) readMap() ([]entry, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, cached := e.server.conduct.value(cachedMap); !cached || e.first == nil {
		var err error
		if e.first, err = readMap(e.server.opt.Map); err != nil {
			return nil, err
		}
	}
	return slices.Clone(e.first), nil
}

func (s *Server) delay() time.Duration {
	if v, on := s.conduct.value(loadDelay); on {
		return duration(v, 0)
	}
	return s.opt.LoadDelay
}

func (s *Server) loadModel(e entry) error {
	s.ledger.note(func(c *Counters) { c.Loads++ })
	l := loader{root: s.opt.Root, strict: s.opt.Strict, dry: s.opt.DryRun}
	if _, on := s.conduct.value(dryRun); on {
		l.dry = true
	}
	if v, on := s.conduct.value(failModel); on && (v == e.agent || v == e.id || v == "" && s.isFirst(e)) {
		return l.failed(e)
	}
	return l.load(e)
}

func (s *Server) isFirst(e entry) bool {
	all, _ := readMap(s.opt.Map)
	return len(all) > 0 && all[0] == e
}

// pause waits, and reports whether the process is still running.
func (s *Server) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// held holds back the last model while hold or ready-after is in force. It returns false if
// the process is gone.
func (s *Server) held(ctx context.Context) bool {
	for {
		changed := s.conduct.changes()
		_, held := s.conduct.value(hold)
		var due <-chan time.Time
		if v, on := s.conduct.value(readyAfter); on && !held {
			left := time.Until(s.begun.Add(duration(v, 0)))
			if left > 0 {
				held, due = true, time.After(left)
			}
		}
		if !held {
			return ctx.Err() == nil
		}
		select {
		case <-changed:
		case <-due:
		case <-ctx.Done():
			return false
		}
	}
}

// turn counts the requests that two workers share.
type turn struct{ n atomic.Int64 }

// next is 0, 1, 0, 1, …
func (t *turn) next() int { return int((t.n.Add(1) - 1) % 2) }
