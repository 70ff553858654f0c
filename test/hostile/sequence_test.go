// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/requirement"
)

// beat is a step of a sequence: what the server shows from then on.
type beat struct {
	at    time.Duration
	faces []face
	again bool // another process
}

func show(at time.Duration, faces ...face) beat { return beat{at: at, faces: faces} }

func restart(at time.Duration, faces ...face) beat { return beat{at: at, faces: faces, again: true} }

// play carries beats out, counted from now.
func (o *orchestrator) play(beats []beat) {
	for _, b := range beats {
		if b.at == 0 {
			o.apply(b)
			continue
		}
		o.after(b.at, func(o *orchestrator) { o.apply(b) })
	}
}

// turn changes what the server shows after n looks.
func (o *orchestrator) turn(n int, faces ...face) {
	o.onLook = map[int]func(*orchestrator){n: func(o *orchestrator) { o.faces = faces }}
}

func (o *orchestrator) apply(b beat) {
	if b.again {
		o.incarnation++
	}
	o.faces = b.faces
}

const s = time.Second

// sequence is a recorded or made-up sequence of one server's states, and the gate's expected
// behaviour. An empty posted means that a POST changes nothing.
type sequence struct {
	story   string
	beats   []beat   // from the gate's start
	posted  [][]beat // by the first POST, the second, …; the last one holds for all that follow
	prepare func(*host, *requirement.Run)

	status diag.Status
	code   diag.Code
	posts  int
	within time.Duration
}

func TestSequence_EachEndsAsExpected(t *testing.T) {
	const timeout = 30 * s
	for _, c := range sequences {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOrchestrator()
				h := newHost(o)
				o.play(c.beats)
				o.onPost = func(o *orchestrator) {
					if n := len(o.posts); len(c.posted) > 0 {
						o.play(c.posted[min(n, len(c.posted))-1])
					}
				}
				w := scout(timeout)
				if c.prepare != nil {
					c.prepare(h, &w)
				}
				began := time.Now()
				r := gate.Run(t.Context(), w, h.world())
				if r.Status != c.status || c.code != "" && !has(r, c.code) {
					t.Errorf("status %d, want %d with %s: %v", r.Status, c.status, c.code, r.Problems)
				}
				if len(o.posts) != c.posts {
					t.Errorf("%d POSTs, want %d", len(o.posts), c.posts)
				}
				if took := time.Since(began); took > c.within {
					t.Errorf("took %v, want at most %v", took, c.within)
				}
				for _, broken := range invariants(r, h, timeout, time.Since(began), 1) {
					t.Error(broken)
				}
			})
		})
	}
}

func has(r gate.Result, code diag.Code) bool {
	for _, p := range r.Problems {
		if p.Code == code {
			return true
		}
	}
	return false
}
