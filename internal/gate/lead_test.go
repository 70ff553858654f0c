// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// brokenLock always fails. It ends a run that retries for ever, since no time passes in
// between.
type brokenLock struct {
	asked int
	end   func()
}

func (l *brokenLock) TryExclusive() (bool, error) {
	if l.asked++; l.asked > 100 {
		l.end()
	}
	return false, errors.New("no locks available")
}

func (l *brokenLock) WaitShared(context.Context) error { return nil }
func (l *brokenLock) StillMine() bool                  { return false }
func (l *brokenLock) Unlock()                          {}

func TestLeader_BrokenLockCausesNeitherRefusalNorStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		defer end()
		s := newServer(10, time.Second)
		lock := &brokenLock{end: end}
		x := newHost(s).world()
		x.Lock = lock
		r := Run(ctx, scoutRun(60*time.Second), x)
		if !r.Passed() || s.posts != 1 {
			t.Errorf("status %d after %d POSTs, the lock was asked %d times", r.Status, s.posts, lock.asked)
		}
	})
}

// fleetingLock is never free, and never waited for.
type fleetingLock struct{ brokenLock }

func (l *fleetingLock) TryExclusive() (bool, error) {
	_, _ = l.brokenLock.TryExclusive()
	return false, nil
}

func TestLeader_FleetingLockCausesNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		defer end()
		l := &fleetingLock{brokenLock{end: end}}
		r := &runner{res: &Result{}, req: scoutRun(5 * time.Second), until: time.Now().Add(5 * time.Second), world: World{Lock: l}}
		if r.lead(ctx) || l.asked < 20 || ctx.Err() != nil {
			t.Errorf("led after %d tries: %t, %v", l.asked, r.led, ctx.Err())
		}
	})
}
