// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"fmt"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/orchestrator"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
	"justnews/internal/unitname"
)

// follower is one run's way through the preload: looks, decisions and the POSTs
// that came of them.
type follower struct {
	*runner
	attempt     attempt
	history     History
	look        facts.ModelsLook
	judged      check.Judgement
	newsAt      time.Time             // when a look last showed progress
	posted      chan facts.ModelsLook // the answer to our POST, when it comes
	refused     *facts.ModelsLook     // an answer that refuses the POST
	errored     facts.Answer          // to the POST: an error that may pass, or no answer yet
	unconfirmed *seenLook
	silent      *diag.Problem // what must be known before the gate opens, but is unknown
	asked       *seenLook     // what the POST was sent for
	canaried    []string      // models that answered a canary of this run
	unanswered  int           // canaries of this run without a valid answer
	proofs      time.Duration // the last pause between two proofs
	empty       *float64      // started_at of the job with which the server answered our POST, finished and empty
}

// awaitModels follows the preload until every model is ready. One gate of the
// host leads; the others wait in the kernel until it lets go, and then look
// for themselves.
func awaitModels(ctx context.Context, r *runner) outcome {
	defer r.release()
	if r.unit.safeMode {
		return outcome{passed: true, detail: "safe mode, models not checked", problems: []diag.Problem{safeModeProblem(r.req)}}
	}
	f := &follower{runner: r, posted: make(chan facts.ModelsLook, 1), history: r.recall()}
	return f.follow(ctx)
}

func (f *follower) follow(ctx context.Context) outcome {
	for {
		f.see(ctx, !f.led)
		if ctx.Err() != nil {
			return f.late()
		}
		if f.judged.State == check.Unreachable {
			if problems := f.orchestratorUnitProblem(ctx); len(problems) > 0 {
				return f.refuse(problems...)
			}
		}
		d := decide(f.situation())
		switch d.act {
		case confirm:
			if f.confirmed(ctx) {
				// The orchestrator may be another process than the greeted one.
				problem, again := f.proven(ctx)
				switch f.silent = problem; {
				case problem == nil:
					return f.open()
				case again == 0:
					return f.refuse(*problem)
				}
				if !f.sleep(ctx, again) {
					return f.late()
				}
			}
			d = decision{act: wait, after: pollBusy}
			if f.attempt.differed >= maxConsecutive {
				d.after = pollInvalid
			}
		case shut:
			return f.refuse(f.problems(d.why)...)
		}
		if f.refused != nil {
			return f.refuse(f.refusal()...)
		}
		if led := f.led; f.world.Lock != nil && !f.leads() {
			// Whatever comes next is the leader's to do.
			if err := f.elect(ctx); err != nil {
				return f.late()
			}
			if led && !pause(ctx, pollBusy) { // lost again and again, the lock must not set the pace
				return f.late()
			}
			f.history = f.recall() // the last leader may have triggered
			continue
		}
		if d.act == trigger {
			if problems := f.trigger(ctx, d.refresh); problems != nil {
				return f.refuse(problems...)
			}
			d.after = pollBusy
		}
		if !f.sleep(ctx, d.after) {
			return f.late()
		}
	}
}

func (f *follower) see(ctx context.Context, fresh bool) {
	f.res.Models.Looks++
	look := f.world.Orchestrator.Models(ctx, fresh)
	if ctx.Err() != nil {
		return // the look was cut short: it says nothing
	}
	judged := orchestrator.Models(look, f.required(ctx, look))
	if judged.State != f.judged.State || judged.Done != f.judged.Done {
		f.newsAt = time.Now()
	}
	f.look, f.judged, f.server = look, judged, look.Server
	f.attempt.note(f.judged, look.Kind)
	if f.history.Job != nil && noJob(look) {
		f.askUnit(ctx) // a restart so quick that no look found the port closed
	}
	f.history = f.history.ofInvocation(f.unit.invocation(), noJob(look))
	f.keepJob()
	f.record()
	f.say("models", f.judged.Reason, f.judged.Done, f.judged.Total)
}

func noJob(look facts.ModelsLook) bool {
	s := look.State
	return look.Kind == facts.Answered && s.HasStartedAt && s.StartedAt == nil
}

func (f *follower) situation() situation {
	return situation{
		judged: f.effective(), state: f.look.State, attempt: f.attempt, history: f.history,
		uptime: f.world.Uptime(), quiet: time.Since(f.newsAt), force: f.req.ForceRefresh, follow: f.req.Follow, gate: f.req.Gate,
		store: f.store, acceptEmpty: f.req.AcceptEmpty,
	}
}

// trigger sends the one POST. It is recorded first: a gate that is killed
// between the two costs a wait, the other way round would cost a storm.
func (f *follower) trigger(ctx context.Context, refresh bool) []diag.Problem {
	h := f.history
	f.askUnit(ctx)
	h.Invocation = f.unit.invocation()
	h.LastPost = f.world.Uptime()
	if f.store != "" {
		h.Store = f.store
	}
	h.Job, h.Empty = nil, false
	if refresh {
		h.Refreshes++
	} else {
		h.Triggers++
	}
	if err := f.remember(h); err != nil && refresh && !f.req.ForceRefresh {
		return append(f.problems(f.effective().State), unrecorded(err))
	}
	f.history = h
	f.attempt.posted, f.attempt.postedAt, f.attempt.before = true, h.LastPost, f.look.State
	f.asked, f.unconfirmed = &seenLook{look: f.look, judged: f.effective()}, nil
	f.attempt.invalid, f.attempt.differed, f.attempt.busy = 0, 0, false
	f.errored = facts.Answer{Kind: facts.Refused, Detail: "no answer yet"}
	f.res.Models.Triggers++
	f.say("models", "asking the orchestrator to load the models", 0, f.judged.Total)
	go func() {
		answer := f.world.Orchestrator.Preload(ctx)
		select {
		case f.posted <- answer:
		case <-ctx.Done(): // the run is over, and nobody reads it
		}
	}()
	return nil
}

// sleep waits for the next look, and takes the POST's answer if it comes.
func (f *follower) sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case answer := <-f.posted:
		f.answered(answer)
		return pause(ctx, min(d, pollBusy/4))
	case <-t.C:
		return true
	}
}

// refusal returns the problems after a refused POST: for a server that names its models,
// first why the requested ones failed.
func (f *follower) refusal() []diag.Problem {
	var problems []diag.Problem
	if f.world.Protocol.Loaded != "" && f.asked != nil && f.asked.judged.State == check.Failed {
		problems = orchestrator.Refused(f.asked.judged, f.asked.look, f.subject())
	}
	return append(problems, orchestrator.PreloadRefused(f.subject(), *f.refused))
}

// answered takes the answer to the POST: the job's identity, or a refusal. An
// error that may pass shows in the next looks.
func (f *follower) answered(look facts.ModelsLook) {
	f.errored = facts.Answer{}
	switch look.Kind {
	case facts.Answered:
		f.history.Job, f.history.Empty = look.State.StartedAt, finishedEmpty(look.State)
		if f.history.Empty {
			f.empty = look.State.StartedAt
		}
		f.saveQuietly()
	case facts.Nonsense, facts.Redirected, facts.NotServed:
		f.refused = &look
	case facts.ServerError, facts.Refused:
		f.errored = look.Answer
	}
}

// finishedEmpty reports whether an answer to a POST is a job that is already finished and
// had nothing to load. A server that finds no map first reports its job as in progress.
func finishedEmpty(s facts.ModelsState) bool {
	return s.StartedAt != nil && !s.InProgress && s.Total == 0 && s.Failed == 0 && len(s.Errors) == 0
}

// Required is what has to be true of a look, given this host's record of its job.
func (w World) Required(p requirement.Preload, look facts.ModelsLook) requirement.Preload {
	if w.Memory == nil {
		return p
	}
	h, err := w.Memory.Load()
	if err != nil {
		return p
	}
	p.Empty = h.empty(look)
	return p
}

// empty reports whether, according to the record, a look shows a preload that finished
// empty. Agents can write the record, so it only affects messages.
func (h History) empty(look facts.ModelsLook) bool {
	return h.Empty && look.Kind == facts.Answered && look.State.StartedAt != nil && sameJob(h.Job, look.State.StartedAt)
}

// required is what has to be true of a look. An empty preload is accepted if the server
// finished it in its answer to this run, or if according to systemd the preload has passed
// since the server was started.
func (f *follower) required(ctx context.Context, look facts.ModelsLook) requirement.Preload {
	p := f.req.Preload
	p.Empty = f.history.empty(look)
	if !p.AcceptEmpty || p.Expected <= 0 || look.Kind != facts.Answered || look.State.Total != 0 {
		return p
	}
	own := f.empty != nil && sameJob(f.empty, look.State.StartedAt)
	p.AcceptEmpty = own || f.preloaded(ctx)
	p.Empty = p.Empty || p.AcceptEmpty
	return p
}

// preloaded asks systemd whether justnews-preload.service passed since the
// orchestrator was started.
func (r *runner) preloaded(ctx context.Context) bool {
	if r.world.Units == nil || r.req.Orchestrator.Unit == "" {
		return false
	}
	r.askUnit(ctx)
	preload, err := r.world.Units.Unit(ctx, unitname.Preload)
	return err == nil && r.unit.known && orchestrator.Preloaded(r.unit.unit, preload)
}

// keepJob notes the job that our POST started, once a look shows it.
func (f *follower) keepJob() {
	s := f.look.State
	if f.look.Kind != facts.Answered || s.StartedAt == nil || f.history.LastPost == 0 || f.history.Job != nil {
		return
	}
	if f.attempt.posted && !sameJob(f.attempt.before.StartedAt, s.StartedAt) {
		f.history.Job = s.StartedAt
		f.saveQuietly()
	}
}

// record writes the leader's progress for the followers, if it has changed.
func (f *follower) record() {
	if !f.led || (f.history.Text == f.judged.Reason && f.history.Done == f.judged.Done) {
		return
	}
	f.history.Text, f.history.Done, f.history.Total = f.judged.Reason, f.judged.Done, f.judged.Total
	f.saveQuietly()
}

// saveQuietly writes what merely helps other gates: without it they wait a little
// longer.
func (f *follower) saveQuietly() { _ = f.remember(f.history) }

func (f *follower) open() outcome {
	f.tally(f.judged)
	if f.led && (f.history.Triggers > 0 || f.history.Refreshes > 0) {
		f.history = History{Invocation: f.history.Invocation, Job: f.look.State.StartedAt, Empty: f.history.Empty, Canary: f.history.Canary}
		f.saveQuietly()
	}
	out := outcome{
		passed: true, detail: fmt.Sprintf("%d of %d models", f.judged.Done, f.judged.Total),
		done: f.judged.Done, total: f.judged.Total,
	}
	if f.judged.Total == 0 {
		out.problems = []diag.Problem{orchestrator.AcceptedEmpty(f.subject())}
	}
	return out
}

func (f *follower) refuse(problems ...diag.Problem) outcome {
	if f.led && f.store != "" && f.history.LastPost != 0 && f.history.Store == "" {
		f.history.Store = f.store // the job was an instance's, and this is what it met
		f.saveQuietly()
	}
	f.tally(f.judged)
	return outcome{detail: f.judged.Reason, problems: problems}
}

// late returns the problem at the deadline, from the last look.
func (f *follower) late() outcome {
	f.tally(f.judged)
	j, look := f.effective(), f.look
	switch {
	case f.asked != nil && f.situation().stale():
		j, look = f.asked.judged, f.asked.look // what led to the POST still shows
	case j.State == check.Ready && f.unconfirmed != nil:
		j, look = f.unconfirmed.judged, f.unconfirmed.look
	}
	if j.State == check.Ready && f.silent != nil {
		return outcome{detail: f.silent.Message, problems: []diag.Problem{*f.silent}}
	}
	return outcome{detail: j.Reason, problems: orchestrator.Late(j, look, f.subject())}
}

func (f *follower) problems(why check.State) []diag.Problem {
	j := f.effective()
	j.State = why
	return orchestrator.Refused(j, f.look, f.subject())
}

// subject has the job's data from the record.
func (f *follower) subject() orchestrator.Subject {
	s := f.runner.subject()
	s.Empty, s.Error = f.history.empty(f.look), f.errored
	return s
}

func (f *follower) tally(j check.Judgement) {
	m := &f.res.Models
	m.State, m.Done, m.Total, m.Failed = j.State.String(), j.Done, j.Total, f.look.State.Failed
}
