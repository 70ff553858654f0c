// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/gate"
	"justnews/internal/requirement"
)

// randomSequences is the number of servers against which the property is tested. The seed of
// each is its number, so a failure names the sequence to run again.
const randomSequences = 20_000

// A server that shows anything at any time: whatever it does, a gate opens only on verified
// facts, ends in time, triggers few preloads, and reports why it refuses.
func TestRandom_NoSequenceOfAnswersFoolsTheGate(t *testing.T) {
	n := uint64(randomSequences)
	if testing.Short() {
		n /= 10
	}
	opened := 0
	for seed := range n {
		synctest.Test(t, func(t *testing.T) {
			if storm(t, seed) {
				opened++
			}
		})
		if t.Failed() {
			t.Fatalf("the first broken sequence is number %d", seed)
		}
	}
	t.Logf("%d of %d sequences opened a gate", opened, n)
	// The property means little if no run ever opens, or if all do.
	if opened < int(n)/20 || opened > int(n)*19/20 {
		t.Errorf("%d of %d sequences opened", opened, n)
	}
}

// storm runs one random server against one to four gates, one after another or all at once,
// and reports whether one of them opened.
func storm(t *testing.T, seed uint64) bool {
	rng := rand.New(rand.NewPCG(seed, 8014))
	o := newOrchestrator(fresh())
	h := newHost(o)
	h.systemd = rng.IntN(3) > 0
	timeout := time.Duration(5+rng.IntN(56)) * s
	story := &teller{rng: rng, o: o, kind: rng.IntN(4)}
	story.begin(timeout)
	gates := 1 + rng.IntN(2)*rng.IntN(4)
	spoil(rng, h, timeout, &gates)
	w := scout(timeout)
	w.FailFast, w.Gate.RefreshAttempts = rng.IntN(2) == 0, rng.IntN(2)

	results := make([]gate.Result, gates)
	var all sync.WaitGroup
	began := time.Now()
	for i := range results {
		all.Go(func() { results[i] = runOne(t, w, h) })
	}
	all.Wait()
	took := time.Since(began)
	opened := false
	for _, r := range results {
		opened = opened || r.Passed()
		for _, broken := range invariants(r, h, timeout, took, gates) {
			t.Errorf("sequence %d: %s", seed, broken)
		}
	}
	return opened
}

// runOne is one gate. Between its last look and its end no time passes, so
// that the looks of gates that run at the same time do not matter to its own proof.
func runOne(t *testing.T, w requirement.Run, h *host) gate.Result {
	own := &witness{orchestrator: h.server}
	world := h.world()
	world.Orchestrator = own
	r := gate.Run(t.Context(), w, world)
	if r.Passed() {
		for _, why := range unproven(own.seen) {
			t.Error(why)
		}
	}
	return r
}

// teller chooses what a server shows next.
type teller struct {
	rng  *rand.Rand
	o    *orchestrator
	kind int // 0 behaves after a POST, …, 3 shows anything
}

// begin sets the first answer, the changes over time, and the effect of a POST.
func (r *teller) begin(timeout time.Duration) {
	r.o.faces = r.faces()
	for at := r.gap(); at < timeout; at += r.gap() {
		if r.kind > 0 || r.rng.IntN(4) == 0 {
			r.o.after(at, r.change)
		}
	}
	r.o.onPost = r.posted
}

// gap is the time between two changes: often about a look's interval, sometimes much longer.
func (r *teller) gap() time.Duration {
	ms := 1 + r.rng.IntN(200)
	if r.rng.IntN(2) == 0 {
		ms *= 1 + r.rng.IntN(50)
	}
	return time.Duration(ms) * time.Millisecond
}

// change is something that happens to the server.
func (r *teller) change(o *orchestrator) {
	switch r.rng.IntN(6) {
	case 0:
		o.restart()
	case 1:
		o.faces = []face{down()}
		o.after(r.gap(), (*orchestrator).restart)
	default:
		o.faces = r.faces()
	}
}

// posted is the effect of a POST: usually a job.
func (r *teller) posted(o *orchestrator) {
	if r.rng.IntN(8) == 0 {
		return // swallowed
	}
	o.jobs++
	n, inc := o.jobs, o.incarnation
	o.faces = []face{running(n, 0)}
	end := loaded(n)
	if r.kind > 0 && r.rng.IntN(2) == 0 {
		end = r.face()
	}
	o.after(r.gap(), func(o *orchestrator) {
		if o.incarnation == inc && o.jobs == n {
			o.faces = []face{end}
		}
	})
}

// faces is one worker process, rarely two.
func (r *teller) faces() []face {
	if r.kind == 3 && r.rng.IntN(4) == 0 {
		return []face{r.face(), r.face()}
	}
	return []face{r.face()}
}

var jobFaces = []func(int) face{
	loaded, failed, failing, failed503, subset, emptyJob, noTimes, staleRunning, staleReady,
	doubled, readyRunning, readyShort, readyFailed, neverReady, ready503,
}

func (r *teller) face() face {
	switch r.rng.IntN(12) {
	case 0:
		return fresh()
	case 1:
		return down()
	case 2:
		return trouble(500 + r.rng.IntN(5))
	case 3:
		return []face{nonsense(), redirected(), notServed(), hanging()}[r.rng.IntN(4)]
	case 4, 5:
		return running(r.job(), r.rng.IntN(mapTotal))
	case 6, 7:
		return loaded(r.job())
	default:
		return jobFaces[r.rng.IntN(len(jobFaces))](r.job())
	}
}

// job is the number of a job: the last one, or one that was not requested.
func (r *teller) job() int {
	if r.rng.IntN(3) == 0 {
		r.o.jobs++
	}
	return r.o.jobs
}

// spoil breaks something else on the host in some of the sequences. Without a record or a
// lock nothing limits several gates together, so there is only one then.
func spoil(rng *rand.Rand, h *host, timeout time.Duration, gates *int) {
	switch rng.IntN(8) {
	case 0:
		h.memory.broken, *gates = errors.New("read-only file system"), 1
	case 1:
		h.lock.broken, *gates = errors.New("input/output error"), 1
	case 2:
		h.lock.stolen, *gates = true, 1
	case 3:
		time.AfterFunc(time.Duration(rng.Int64N(int64(timeout))), h.lock.remove)
	}
}
