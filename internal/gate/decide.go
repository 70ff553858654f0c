// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"time"

	"justnews/internal/check"
	"justnews/internal/check/orchestrator"
	"justnews/internal/config"
	"justnews/internal/facts"
)

// action is what follows from a look. The zero value ends the run unopened.
type action int

const (
	shut    action = iota // it cannot become ready: end the run
	wait                  // it may become ready: look again
	trigger               // nothing runs: ask for a preload
	confirm               // it looks ready: look again at once, over new connections
)

type decision struct {
	act     action
	after   time.Duration // wait: until the next look
	refresh bool          // trigger: after a job that ended badly (counted apart)
	why     check.State   // shut: what the problems are made from
}

// The intervals of looks, measured in docs/figures.md. pollBusy keeps one leader
// below 13 requests a second and the mean delay from "all ready" to the gate's
// exit near 45 ms; a look costs the gate about 0.5 ms of CPU, the server 0.3 to
// 0.5 ms.
const (
	pollBusy    = 80 * time.Millisecond  // a job is running
	pollQuiet   = 250 * time.Millisecond // a job is running, without progress for a long time
	pollDown    = 100 * time.Millisecond // nothing answers: a refused connection costs nothing
	pollInvalid = 250 * time.Millisecond // an invalid answer, or an error
)

// interval is the time between two looks at a running job: a hundredth of the time
// without progress, so that the cost of looking falls when little is happening, and no
// wait becomes much longer.
func (s situation) interval() time.Duration {
	if s.follow { // the leader looks as well
		return pollQuiet
	}
	return min(max(s.quiet/100, pollBusy), pollQuiet)
}

// maxConsecutive is how often an invalid answer, or two answers that
// contradict each other, are looked at again before they count.
const maxConsecutive = 3

// attempt is the state that one run keeps between looks.
type attempt struct {
	posted   bool              // this run sent a POST
	postedAt time.Duration     // uptime
	before   facts.ModelsState // the look before that POST
	invalid  int               // invalid answers in a row
	differed int               // looks in a row that contradicted themselves or each other
	busy     bool              // the last look that contradicted another one saw a job in progress
	errors   int               // looks in a row that a server answered with an error and no account
}

// situation is everything that a decision depends on.
type situation struct {
	judged  check.Judgement
	state   facts.ModelsState // of the look, where it had one
	attempt attempt
	history History
	uptime  time.Duration
	quiet   time.Duration // since a look last showed progress
	force   bool          // preload --refresh
	follow  bool          // nothing is triggered
	gate    config.Gate
	store   string // what this run saw of the Model Store, "": nothing
	// acceptEmpty is models.accept_empty: a job over no models has not ended badly.
	acceptEmpty bool
}

// decide is the whole policy of a preload, as a pure function. note keeps the
// counters that it depends on.
func decide(s situation) decision {
	if s.force && !s.attempt.posted {
		if d, decided := s.forced(); decided {
			return d
		}
	}
	if s.stale() {
		return decision{act: wait, after: pollBusy}
	}
	switch s.judged.State {
	case check.Ready:
		return decision{act: confirm}
	case check.Pending:
		return decision{act: wait, after: s.interval()}
	case check.Idle:
		return s.idle()
	case check.Failed:
		return s.failed()
	case check.Inconsistent:
		return s.inconsistent()
	case check.Unreachable:
		return decision{act: wait, after: pollDown}
	case check.Nonsense:
		if s.attempt.invalid < maxConsecutive {
			return decision{act: wait, after: pollInvalid}
		}
		return decision{act: shut, why: check.Nonsense}
	default:
		return decision{act: shut, why: check.Unknown}
	}
}

// forced: a refresh that was asked for runs as soon as no job does. Whatever the
// job before it reports, its errors included, is about to be cleared. So is the
// 500 that an old server's status answers after a job for named agents: nothing
// but a refresh ends that, and only a person may ask for one that blindly.
func (s situation) forced() (decision, bool) {
	switch {
	case s.over(), s.attempt.errors >= maxConsecutive:
		return decision{act: trigger, refresh: true}, true
	case s.running():
		return decision{act: wait, after: pollBusy}, true
	default:
		return decision{}, false
	}
}

func (a *attempt) note(j check.Judgement, kind facts.AnswerKind) {
	a.errors++
	if kind != facts.ServerError {
		a.errors = 0
	}
	switch j.State {
	case check.Nonsense:
		a.invalid++
		a.differed, a.busy = 0, false
	case check.Inconsistent:
		a.invalid = 0
		a.differed++
	case check.Ready: // differed is counted by the second look
		a.invalid = 0
	default:
		a.invalid, a.differed, a.busy = 0, 0, false
	}
}

// over and running report whether a job is running; neither is true if the
// server gave no account.
func (s situation) over() bool    { return s.reported() && !s.state.InProgress }
func (s situation) running() bool { return s.reported() && s.state.InProgress }

func (s situation) reported() bool {
	switch s.judged.State {
	case check.Unknown, check.Unreachable, check.Nonsense:
		return false
	default:
		return true
	}
}

// stale reports whether the look still shows the job from before our POST: for a
// moment a server may answer with the old result.
func (s situation) stale() bool {
	a := s.attempt
	if !a.posted || !s.over() || s.uptime-a.postedAt >= jobGrace {
		return false
	}
	if s.state.HasStartedAt {
		return sameJob(a.before.StartedAt, s.state.StartedAt)
	}
	same, _ := orchestrator.Same(a.before, s.state)
	return same
}

// idle: no job, or one that loaded less than the map lists. The latter, when
// it was ours, is a job that ended badly.
func (s situation) idle() decision {
	ours := s.state.StartedAt != nil && sameJob(s.history.Job, s.state.StartedAt)
	// What another run was answered does not open this one, so it asks as well.
	accepted := s.acceptEmpty && s.history.Empty
	if ours && !accepted {
		return s.retryOrFail(check.Idle)
	}
	ok, left := s.history.mayTrigger(s.uptime)
	switch {
	case s.follow:
		return decision{act: wait, after: pollQuiet}
	case ok:
		return decision{act: trigger}
	case left <= jobGrace:
		return decision{act: wait, after: pollBusy}
	default:
		return decision{act: shut, why: check.Idle}
	}
}

// failed: while the job is still running nothing is triggered, and check returns Failed only
// with fail_fast.
func (s situation) failed() decision {
	if s.state.InProgress {
		return decision{act: shut, why: check.Failed}
	}
	return s.retryOrFail(check.Failed)
}

// inconsistent: seen several times, and never answered with a POST while a
// job runs, even if in another worker process.
func (s situation) inconsistent() decision {
	if s.attempt.differed < maxConsecutive || s.state.InProgress || s.attempt.busy {
		return decision{act: wait, after: pollBusy}
	}
	return s.retryOrFail(check.Inconsistent)
}

// retryOrFail: refresh if the host's record allows it, otherwise report it.
func (s situation) retryOrFail(why check.State) decision {
	if s.follow && s.quiet < jobGrace { // a leader may refresh
		return decision{act: wait, after: pollQuiet}
	}
	if !s.follow && s.history.mayRefresh(s.gate.RefreshAttempts, s.uptime, s.store) {
		return decision{act: trigger, refresh: true}
	}
	return decision{act: shut, why: why}
}

func sameJob(a, b *float64) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
