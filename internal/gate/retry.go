// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/orchestrator"
	checkunit "justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// Resetter resets the failed state and the start counter of a unit, and cancels a
// waiting start.
type Resetter interface {
	ResetFailed(ctx context.Context, unit string) (facts.Start, error)
	Stop(ctx context.Context, unit string) (facts.Start, error)
}

// Again names the units of a retry.
type Again struct {
	Reset []string // that may have failed
	Start []string // that have to be active
}

// Retry resets failed units, requests the models again if the last preload failed, and
// starts the units until each is active or has reported why it is not.
func Retry(ctx context.Context, w requirement.Run, world World, units Again, resetter Resetter) Result {
	steps := []step{{"reset", func(ctx context.Context, r *runner) outcome { return resetFailed(ctx, r, units.Reset, resetter) }}}
	if w.RequireModels {
		steps = append(steps, step{"refresh", refreshFailed})
	}
	steps = append(steps, step{"start", func(ctx context.Context, r *runner) outcome { return startAll(ctx, r, units.Start) }})
	return run(ctx, w, world, steps, stopAtFirst)
}

func resetFailed(ctx context.Context, r *runner, units []string, resetter Resetter) outcome {
	reset := 0
	for _, name := range units {
		u, err := r.unitNow(ctx, name)
		if err == nil && u.LoadState != "loaded" {
			continue
		}
		var done facts.Start
		if err == nil && holds(u) {
			done, err = resetter.Stop(ctx, name)
		}
		if err == nil && done.Refused == "" {
			done, err = resetter.ResetFailed(ctx, name)
		}
		if problem := checkunit.NotDone(name, "reset", done, err); problem != nil {
			return outcome{problems: []diag.Problem{*problem}}
		}
		if u.ActiveState == "failed" {
			reset++
		}
	}
	return outcome{passed: true, detail: diag.Count(reset, "failed unit") + " reset"}
}

// askPatience is how long a retry repeats a question about a unit: during a reload systemd
// does not answer.
const askPatience = 10 * time.Second

func (r *runner) unitNow(ctx context.Context, name string) (facts.Unit, error) {
	patient, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	for {
		u, err := r.world.Units.Unit(ctx, name)
		if err == nil || !pause(patient, markEvery) {
			return u, err
		}
	}
}

// holds reports whether a unit's gate was refused before and looks again every
// few seconds: a start that is asked for now would wait behind it.
func holds(u facts.Unit) bool { return u.ActiveState == "activating" && u.NRestarts > 0 }

// leadPatience is how long a retry waits for the gate that leads. One that looks at a
// job which failed lets go at once; one that waits for an orchestrator may wait for the
// very start that comes after this.
const leadPatience = 2 * time.Second

// refreshFailed has the models loaded again where a job failed or loaded only a
// part of them. A gate that follows a job does that itself.
func refreshFailed(ctx context.Context, r *runner) outcome {
	defer r.release()
	waiting, cancel := context.WithTimeout(ctx, leadPatience)
	defer cancel()
	if !r.lead(waiting) {
		return outcome{passed: true, detail: "another gate follows the preload"}
	}
	if r.world.Memory != nil {
		if err := r.world.Memory.Save(History{}); err != nil {
			return outcome{problems: []diag.Problem{unrecorded(err).As(diag.Error)}}
		}
	}
	look := r.world.Orchestrator.Models(ctx, true)
	failFast := r.req.Preload
	failFast.FailFast = true
	judged := orchestrator.Models(look, failFast)
	switch judged.State {
	case check.Failed, check.Inconsistent:
		if look.State.InProgress {
			return outcome{passed: true, detail: "a preload is already running"}
		}
		r.req.ForceRefresh = true
		return triggerOnce(ctx, r)
	default: // the preload does what is left to do
		return outcome{passed: true, detail: "no preload has failed"}
	}
}

// startAll starts the units all at once: systemd orders them. A masked one is meant to
// stay down, unless nothing else was to be started.
func startAll(ctx context.Context, r *runner, units []string) outcome {
	var mu sync.Mutex
	var wg sync.WaitGroup
	up := 0
	problems := make([][]diag.Problem, len(units))
	r.say("start", fmt.Sprintf("0 of %d units are up", len(units)), 0, len(units))
	for i, name := range units {
		wg.Go(func() {
			problems[i] = startOne(ctx, r, name)
			mu.Lock()
			defer mu.Unlock()
			if len(problems[i]) == 0 {
				up++
			}
			r.say("start", fmt.Sprintf("%d of %d units are up", up, len(units)), up, len(units))
		})
	}
	wg.Wait()
	out := outcome{detail: fmt.Sprintf("%d of %d units are up", up, len(units)), problems: slices.Concat(problems...)}
	if up == 0 {
		for i := range out.problems {
			out.problems[i] = out.problems[i].As(diag.Error)
		}
	}
	out.passed = len(diag.Errors(out.problems)) == 0
	return out
}

func startOne(ctx context.Context, r *runner, name string) []diag.Problem {
	u, err := r.unitNow(ctx, name)
	switch {
	case err == nil && u.LoadState == "masked":
		return checkunit.Gated(u, false)
	case err == nil && checkunit.Judge(u).State == check.Ready:
		return nil
	}
	var started facts.Start
	if err == nil {
		started, err = r.world.Starter.Start(ctx, name)
	}
	if err == nil && started.Refused == "" {
		u, err = settled(ctx, r, name)
	}
	if errors.Is(err, context.DeadlineExceeded) && u.LoadState != "" {
		err = nil
	} else if err == nil && checkunit.Judge(u).State == check.Ready {
		return nil
	}
	if problem := checkunit.NotDone(name, "start", started, err); problem != nil {
		return []diag.Problem{*problem}
	}
	return []diag.Problem{checkunit.NotUp(name, u)}
}

// settledEvery is how often a unit is looked at whose job has ended while systemd still works
// on it; it waits 3 s before a restart (plan.DefaultRestart).
const settledEvery = 500 * time.Millisecond

// settled waits until a unit is up, or systemd is not working on it. The end of a start job
// alone does not say so: the unit may have been restarted by then, with a job of its own.
func settled(ctx context.Context, r *runner, name string) (facts.Unit, error) {
	for {
		u, err := r.world.Units.Unit(context.WithoutCancel(ctx), name)
		if err != nil && pause(ctx, settledEvery) {
			continue
		}
		if err != nil || !checkunit.WordOf(u, true).Pending() || checkunit.LastRefused(u) || !pause(ctx, settledEvery) {
			return u, err
		}
	}
}

// Started records how a server was started: the gates of the orchestrator and the bus leave
// it for the gates that wait for them. Agents can write it too, so it never opens a gate: at
// most an unused server is restarted.
type Started struct {
	Invocation string `json:"invocation"` // InvocationID of the unit's start
	Mark       string `json:"mark"`       // of its configuration
	// Files are states of what else systemd made the process of, by path: NoFile,
	// UnknownFile where it may not be looked at, or OldFile where systemd may have read
	// another state than the present one.
	Files map[string]string `json:"files"`
}

// What is known of a file that has no state.
const (
	NoFile      = ""
	UnknownFile = "?"
	OldFile     = "old"
)

// Outdated reports whether u is active, and was started with something else than
// now, which is what systemd would start it with.
func (s Started) Outdated(u facts.Unit, now Started) bool {
	if u.ActiveState != "active" || s.Invocation == "" || s.Invocation != u.InvocationID {
		return false
	}
	if s.Mark != now.Mark {
		return true
	}
	return differ(s.Files, now.Files) || differ(now.Files, s.Files)
}

// differ reports whether a file of one has a different state in the other; a missing
// file has the state NoFile.
func differ(one, other map[string]string) bool {
	for path, state := range one {
		if there := other[path]; there != state && there != UnknownFile && state != UnknownFile {
			return true
		}
	}
	return false
}

// renew requests the restart of a server that was started with an outdated
// configuration, and returns the problem if this run itself is outdated. It is called
// only while a run makes no progress.
func (r *runner) renew(ctx context.Context) []diag.Problem {
	if r.world.Renew == nil || ctx.Err() != nil {
		return nil
	}
	if p := r.world.Renew(ctx); p != nil {
		return []diag.Problem{*p}
	}
	return nil
}

// oneLook limits the single look of a trigger: the probe's own limit.
const oneLook = 3 * time.Second

func triggerOnce(ctx context.Context, r *runner) outcome {
	defer r.release()
	if !r.lead(ctx) {
		busy := check.Judgement{State: check.Pending, Reason: "another gate follows the preload"}
		return outcome{detail: busy.Reason, problems: orchestrator.Late(busy, facts.ModelsLook{}, r.subject())}
	}
	f := &follower{runner: r, posted: make(chan facts.ModelsLook, 1), history: r.recall()}
	r.askUnit(ctx)
	f.see(ctx, false)
	if ctx.Err() != nil {
		return f.late()
	}
	switch f.judged.State {
	case check.Unknown, check.Unreachable, check.Nonsense:
		if !r.req.ForceRefresh || f.look.Kind != facts.ServerError {
			once := f.subject()
			once.Timeout = oneLook
			return f.refuse(orchestrator.Refused(f.judged, f.look, once)...)
		}
	case check.Ready:
		if !r.req.ForceRefresh {
			return outcome{passed: true, detail: fmt.Sprintf("nothing to do: %d of %d models are loaded", f.judged.Done, f.judged.Total)}
		}
	}
	if f.look.State.InProgress {
		return outcome{passed: true, detail: "a preload is already running: " + f.judged.Reason}
	}
	if problems := f.trigger(ctx, f.judged.State != check.Idle); problems != nil {
		return f.refuse(problems...)
	}
	select {
	case <-ctx.Done():
		return f.late()
	case answer := <-f.posted:
		f.answered(answer)
		switch {
		case f.refused != nil:
			return f.refuse(orchestrator.PreloadRefused(r.subject(), answer))
		case answer.Kind != facts.Answered:
			f.look, f.judged = answer, orchestrator.Models(answer, f.req.Preload)
			return f.late()
		}
	}
	return outcome{passed: true, detail: "the preload was triggered"}
}
