// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"fmt"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/orchestrator"
	"justnews/internal/facts"
)

// oneLook is what the one look of a trigger may take: the probe's own limit.
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
