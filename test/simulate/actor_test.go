// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"time"
)

// actor is one source of events: a goroutine of a gate, of systemd, or a fault. Each has its
// own random numbers, and each of its events happens at a unique instant, so the order of a
// host's events only depends on the seed, not on Go's scheduler.
type actor struct {
	h    *host
	name string
	rng  *rand.Rand
	of   *process // its process, nil: it cannot be killed
}

func (h *host) actor(name string, of *process) *actor {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(name))
	return &actor{h: h, name: name, rng: rand.New(rand.NewPCG(h.seed, sum.Sum64())), of: of}
}

// between returns a time from low to high.
func (a *actor) between(low, high time.Duration) time.Duration {
	return low + time.Duration(a.rng.Int64N(int64(high-low)+1))
}

// chance reports true once in n times.
func (a *actor) chance(n int) bool { return a.rng.IntN(n) == 0 }

// wait waits for d, and a fraction of a millisecond that makes the instant unique. It returns
// false if ctx ended first. In a killed process it does not return, and in a stopped one only
// once that is continued.
func (a *actor) wait(ctx context.Context, d time.Duration) bool {
	a.alive()
	t := time.NewTimer(d + time.Duration(1+a.rng.IntN(999_999)))
	defer t.Stop()
	select {
	case <-ctx.Done():
		a.alive()
		a.unlessStopped()
		return false
	case <-a.gone():
		runtime.Goexit()
	case <-t.C:
	}
	a.unlessStopped()
	return ctx.Err() == nil
}

// alive ends the goroutine of a killed process.
func (a *actor) alive() {
	select {
	case <-a.gone():
		runtime.Goexit()
	default:
	}
}

func (a *actor) gone() <-chan struct{} {
	if a.of == nil {
		return nil
	}
	return a.of.gone
}

func (a *actor) unlessStopped() {
	if a.of == nil {
		return
	}
	for {
		a.h.mu.Lock()
		left := time.Until(a.of.stopped)
		a.h.mu.Unlock()
		if left <= 0 {
			return
		}
		select {
		case <-a.gone():
			runtime.Goexit()
		case <-time.After(left):
		}
	}
}
