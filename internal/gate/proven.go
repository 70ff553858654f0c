// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"slices"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/orchestrator"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// What a proof beyond the server's own word may take, and how often it is repeated: it
// runs the helper of the GPUs, or makes the server compute.
const (
	canaryTime = 30 * time.Second
	proofEvery = time.Second
	proofSlow  = 8 * time.Second
)

// proven returns what prevents opening although the server reports everything as loaded. Again
// is when to look again; 0: that is pointless.
func (f *follower) proven(ctx context.Context) (problem *diag.Problem, again time.Duration) {
	if problem, unknown := f.loads(ctx, 0); problem != nil {
		return problem, after(unknown, pollBusy)
	}
	if f.req.Models.Device == "gpu" {
		if problem, unknown := f.onGPU(ctx); problem != nil {
			return problem, f.slower(unknown)
		}
	}
	if problem, unknown := f.canaries(ctx); problem != nil {
		return problem, f.slower(unknown)
	}
	return nil, 0
}

func after(again bool, d time.Duration) time.Duration {
	if again {
		return d
	}
	return 0
}

func (f *follower) slower(again bool) time.Duration {
	f.proofs = min(max(2*f.proofs, proofEvery), proofSlow)
	return after(again, f.proofs)
}

func (f *follower) onGPU(ctx context.Context) (problem *diag.Problem, again bool) {
	if f.world.Protocol.Placed {
		return orchestrator.OnGPU(f.subject(), f.look.State, nil, facts.GPULook{})
	}
	f.askUnit(ctx)
	var pids []int
	if f.unit.known && f.world.Machine != nil {
		pids = f.world.Machine.Processes(f.unit.unit.ControlGroup)
	}
	look := facts.GPULook{Detail: "it is not queried on this machine"}
	if f.world.GPU != nil {
		look = f.world.GPU.Look(ctx)
	}
	return orchestrator.OnGPU(f.subject(), f.look.State, pids, look)
}

// canaries asks each model for an answer, unless the preload did since the server was
// started. An invalid response is repeated, since a busy server may give one.
func (f *follower) canaries(ctx context.Context) (problem *diag.Problem, again bool) {
	if f.world.Canary == nil || f.answeredBefore(ctx) {
		return nil, false
	}
	for _, name := range f.world.Map.Names {
		if slices.Contains(f.canaried, name) {
			continue
		}
		f.say("models", "asking "+name+" for one token", f.judged.Done, f.judged.Total)
		own, cancel := context.WithTimeout(ctx, canaryTime)
		answer := f.world.Canary.Canary(own, name)
		cancel()
		problem, again := orchestrator.Canary(f.subject(), name, answer)
		if problem != nil {
			f.unanswered++
			return problem, again || f.unanswered < maxConsecutive && answer.Kind != facts.Foreign
		}
		f.canaried = append(f.canaried, name)
	}
	f.history.Canary = f.world.Map.Names
	f.saveQuietly()
	return nil, false
}

// answeredBefore reports whether every model of the running server has answered the preload:
// according to systemd it passed since the server's start, and the record lists the models.
func (f *follower) answeredBefore(ctx context.Context) bool {
	return f.req.Instance != "" && slices.Equal(f.history.Canary, f.world.Map.Names) && f.preloaded(ctx)
}

// confirmed reports whether two more looks, each over a separate connection, agree: another
// worker process may answer there, and a state that differs between looks is not ready. A
// look without an answer is not a contradiction, and is repeated.
func (f *follower) confirmed(ctx context.Context) bool {
	first, lost := f.look, 0
	for n := 0; n < confirmations; {
		f.res.Models.Looks++
		second := f.world.Orchestrator.Models(ctx, true)
		if ctx.Err() != nil {
			return false
		}
		judged := orchestrator.Models(second, f.required(ctx, second))
		same, what := orchestrator.Same(first.State, second.State)
		switch {
		case judged.State == check.Ready && same:
			n++
			continue
		case judged.State == check.Unreachable && lost < maxConsecutive:
			if lost++; pause(ctx, pollBusy) {
				continue
			}
		}
		f.unconfirmed = &seenLook{second, judged, what}
		if second.Kind == facts.Answered {
			f.attempt.differed++
			f.attempt.busy = second.State.InProgress
		}
		return false
	}
	f.attempt.differed, f.attempt.busy = 0, false
	return true
}

// seenLook is a look that did not confirm a ready one, or that a POST was sent
// for.
type seenLook struct {
	look   facts.ModelsLook
	judged check.Judgement
	what   string // differs
}

// confirmations is the number of looks that must agree with the first one.
const confirmations = 2

// effective is the judgement, unless looks kept contradicting each other: then
// a ready one counts no more than the next. While one of them sees a job in
// progress, they may still come to agree.
func (f *follower) effective() check.Judgement {
	j := f.judged
	if j.State == check.Ready && f.attempt.differed >= maxConsecutive && !f.attempt.busy {
		j.State = check.Inconsistent
		j.Reason = "successive answers contradict each other"
		if f.unconfirmed != nil && f.unconfirmed.what != "" {
			j.Reason += ": " + f.unconfirmed.what
		}
	}
	return j
}
