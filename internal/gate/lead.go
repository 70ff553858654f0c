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

// recall returns the host's record. One that cannot be read counts as none: then
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
	return diag.New(diag.NoLock, "/run/justnews-gate", fmt.Sprintf("the preload was not repeated, because that cannot be recorded: %v", err),
		diag.Do(diag.Run("systemd-tmpfiles", "--create", "justnews.conf"))).As(diag.Warning)
}

// NotExcluded is the notice of a run that does not share the lock of the services'
// gates in a directory.
func NotExcluded(dir, seen string) diag.Problem {
	return diag.Found(diag.NoLock, dir, "this run does not share the lock of the services' gates",
		seen, "", diag.Advise("run it as a member of the group justnews, or create the directory", diag.Run("systemd-tmpfiles", "--create", "justnews.conf"))).As(diag.Notice)
}

// History records the preloads that the gates of one host triggered at one orchestrator. It
// keeps a broken model, or a server that loads nothing, from causing a storm: every trigger
// is recorded before it is sent, and the record limits the next one.
type History struct {
	// Invocation is the InvocationID of the orchestrator's unit when the last
	// trigger was sent, "" where there is no unit to ask.
	Invocation string `json:"invocation,omitempty"`
	// Job is started_at of the job that the last trigger started, in seconds
	// of the server's clock; nil while none was seen.
	Job *float64 `json:"job,omitempty"`
	// Empty is set if the answer to that trigger was a finished job of no models, as
	// from releases of JustNewsAgent since 92cb588, which load none. It opens nothing.
	Empty bool `json:"empty,omitempty"`
	// Canary names the models that answered a canary since the orchestrator was
	// started. Agents can write the record, so it only counts together with systemd's
	// state of the preload.
	Canary []string `json:"canary,omitempty"`
	// Triggers counts the POSTs to an idle orchestrator, Refreshes those after
	// a failed or inconsistent job, both since the orchestrator started or was
	// last ready.
	Triggers  int `json:"triggers,omitempty"`
	Refreshes int `json:"refreshes,omitempty"`
	// LastPost is the uptime of the last of them.
	LastPost time.Duration `json:"last_post,omitempty"`
	// Store is the preload's look at the Model Store after a failed job: a different one
	// is a reason to retry.
	Store string `json:"store,omitempty"`
	// Text, Done and Total are the leader's last progress, for the waiting gates.
	Text  string `json:"text,omitempty"`
	Done  int    `json:"done,omitempty"`
	Total int    `json:"total,omitempty"`
}

// The bounds of triggers. 30 s doubling up to 10 min is the design's own rule;
// jobGrace is how long a server may take from a POST until its status shows
// the job: upstream needs milliseconds, a busy event loop a second or two.
const (
	jobGrace     = 5 * time.Second
	firstBackoff = 30 * time.Second
	lastBackoff  = 10 * time.Minute
)

// ofInvocation returns the part of h that applies to the running orchestrator: nothing if it
// was restarted. Only systemd proves a restart. noJob, that the server knows of no job
// although one ran, does not: that is also the answer of a second worker process, and of a
// process that dies at every trigger. Then the job is gone, but the requests still count.
func (h History) ofInvocation(invocation string, noJob bool) History {
	if h.Invocation != "" && invocation != "" && h.Invocation != invocation {
		return History{Invocation: invocation}
	}
	if noJob {
		h.Job = nil
	}
	return h
}

// mayTrigger reports whether an idle orchestrator may be asked (again) to load,
// and if not, how long to wait until it may. A second POST follows when the
// first led to no job at all within its grace; from then on the waits double.
func (h History) mayTrigger(uptime time.Duration) (bool, time.Duration) {
	switch h.Triggers {
	case 0:
		return true, 0
	case 1:
		return h.since(uptime, jobGrace)
	default:
		return h.since(uptime, backoff(h.Triggers-2))
	}
}

// mayRefresh reports whether a job that ended badly may be run again: attempts
// times at once, then after waits that double, and never where attempts is 0.
// Once the store has changed since, only the first of these waits holds.
func (h History) mayRefresh(attempts int, uptime time.Duration, store string) bool {
	if attempts <= 0 {
		return false
	}
	if h.Refreshes < attempts {
		return true
	}
	if store != "" && h.Store != "" && store != h.Store {
		ok, _ := h.since(uptime, firstBackoff)
		return ok
	}
	ok, _ := h.since(uptime, backoff(h.Refreshes-attempts))
	return ok
}

// since reports whether wait has passed since the last POST, and what is left of
// it. An uptime before the last POST is another boot's record: nothing holds.
func (h History) since(uptime, wait time.Duration) (bool, time.Duration) {
	left := h.LastPost + wait - uptime
	return left <= 0 || uptime < h.LastPost, max(left, 0)
}

// backoff returns 30 s x 2^n, at most 10 min.
func backoff(n int) time.Duration {
	return min(firstBackoff<<min(max(n, 0), 5), lastBackoff)
}
