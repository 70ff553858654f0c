// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"

	"justnews/internal/check"
	"justnews/internal/check/orchestrator"
	"justnews/internal/facts"
)

// confirmed reports whether two more looks, each over a connection of its own,
// say the same: another worker process may answer there, and what differs
// between two looks is not ready. A look without an answer contradicts nothing,
// and is repeated.
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
