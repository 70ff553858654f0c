// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"fmt"
	"time"

	"justnews/internal/diag"
)

// lastLook is the time that a follower reserves for its own look, in case the leader takes
// longer: then it can name the cause, not only the queue.
const lastLook = time.Second

// retell is how often a follower passes the leader's progress on. Sixteen that
// did so every second would cost as much CPU as the leader's looks.
const retell = 3 * time.Second

// elect returns when this run leads (led), or should look again itself: a leader released
// the lock, or little time is left. The end of ctx is an error, and so is a second call when
// little time is left, since there was only time for one look. Without a lock every run
// leads.
func (r *runner) elect(ctx context.Context) error {
	if r.led || r.world.Lock == nil {
		return ctx.Err()
	}
	led, err := r.world.Lock.TryExclusive()
	if err != nil {
		return r.unlocked(ctx)
	}
	if led {
		r.led, r.res.Models.Led = true, true
		return ctx.Err()
	}
	reserve := min(lastLook, r.req.Timeout.Value/10)
	if time.Until(r.until) <= reserve {
		if r.lastChance {
			return context.DeadlineExceeded
		}
		r.lastChance = true
		return ctx.Err()
	}
	waiting, cancel := context.WithDeadline(ctx, r.until.Add(-reserve))
	defer cancel()
	stop := r.reportLeader(waiting)
	err = r.world.Lock.WaitShared(waiting)
	stop()
	if err != nil && waiting.Err() == nil {
		return r.unlocked(ctx)
	}
	return ctx.Err()
}

// lead waits until this run leads, and reports whether it does. A leader that releases the
// lock does not choose a successor.
func (r *runner) lead(ctx context.Context) bool {
	for r.world.Lock != nil && !r.led {
		if err := r.elect(ctx); err != nil || !r.led && !pause(ctx, pollBusy) {
			return false
		}
	}
	return true
}

// unlocked continues without a broken lock: it excludes no other gate, and trying it
// repeatedly would cause a storm of requests. The record still limits triggers.
func (r *runner) unlocked(ctx context.Context) error {
	r.world.Lock = nil
	return ctx.Err()
}

// leads reports whether this run still has the lead: after the lock's file is
// removed there may be a second leader, and then neither may trigger until one of
// them has the new file's lock.
func (r *runner) leads() bool {
	if r.led && !r.world.Lock.StillMine() {
		r.release()
	}
	return r.led
}

// reportLeader passes the leader's progress on to this run's observer until
// stopped.
func (r *runner) reportLeader(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			h := r.recall()
			text := "another gate follows the preload"
			if h.Text != "" {
				text += ": " + h.Text
			}
			r.say("models", text, h.Done, h.Total)
			if !pause(ctx, retell) {
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

func (r *runner) release() {
	if r.led {
		r.led = false
		r.world.Lock.Unlock()
	}
}

// recall returns the host's record. One that cannot be read is no record: then
// remember fails too, and nothing is refreshed.
func (r *runner) recall() History {
	if r.world.Memory == nil {
		return History{}
	}
	h, err := r.world.Memory.Load()
	if err != nil {
		return History{}
	}
	return h
}

func (r *runner) remember(h History) error {
	if r.world.Memory == nil {
		return fmt.Errorf("cannot record preloads: no directory is shared")
	}
	return r.world.Memory.Save(h)
}

// unrecorded explains why a failed job was not run again: a refresh that is not recorded
// would be repeated by every restart of every instance.
func unrecorded(err error) diag.Problem {
	return diag.Problem{
		Code: diag.NoLock, Severity: diag.Warning, Subject: "/run/justnews-gate",
		Message: fmt.Sprintf("the preload was not repeated, because that cannot be recorded: %v", err),
		Fix:     diag.Do(diag.Run("systemd-tmpfiles", "--create", "justnews.conf")),
	}
}

// NotExcluded is the notice of a run that does not share the lock of the services'
// gates in a directory.
func NotExcluded(dir, seen string) diag.Problem {
	return diag.Problem{
		Code: diag.NoLock, Severity: diag.Notice, Subject: dir,
		Message: "this run does not share the lock of the services' gates", Seen: seen,
		Fix: diag.Advise("or run as a member of the group justnews", diag.Run("systemd-tmpfiles", "--create", "justnews.conf")),
	}
}
