// SPDX-License-Identifier: Apache-2.0

package hostlock

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestTake_ManyTakeTurns(t *testing.T) {
	dir := sharedDir(t)
	var inside, most, turns atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			l := openIn(t, dir)
			for range 20 {
				if err := l.Take(t.Context()); err != nil {
					t.Error(err)
					return
				}
				if n := inside.Add(1); n > most.Load() {
					most.Store(n)
				}
				turns.Add(1)
				inside.Add(-1)
				l.Unlock()
			}
		})
	}
	all.Wait()
	if most.Load() != 1 || turns.Load() != 16*20 {
		t.Errorf("%d turns, %d at once", turns.Load(), most.Load())
	}
}

func TestTake_LateLockIsReleased(t *testing.T) {
	dir := sharedDir(t)
	leader, late := openIn(t, dir), openIn(t, dir)
	leads(t, leader, true)
	ctx, cancel := context.WithCancel(t.Context())
	took := make(chan error, 1)
	go func() { took <- late.Take(ctx) }()
	awaitWaiters(t, leader.Where(), 1)
	cancel()
	if err := <-took; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the context's error", err)
	}
	leader.Unlock()
	awaitWaiters(t, leader.Where(), 0) // or the leader could overtake it
	again, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := leader.Take(again); err != nil {
		t.Errorf("the turn was kept: %v", err)
	}
}

func TestTake_LockOnAReplacedFileIsInvalid(t *testing.T) {
	dir := sharedDir(t)
	leader, waiter := openIn(t, dir), openIn(t, dir)
	leads(t, leader, true)
	took := make(chan error, 1)
	go func() { took <- waiter.Take(t.Context()) }()
	awaitWaiters(t, leader.Where(), 1)
	if err := os.Remove(leader.Where()); err != nil {
		t.Fatal(err)
	}
	leader.Unlock()
	if err := <-took; err != nil {
		t.Fatal(err)
	}
	if !waiter.StillMine() {
		t.Error("it holds a file that nobody else finds")
	}
}
