// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"math/rand/v2"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/orchestrator"
	checkunit "justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// The bus and the needs are looked at by every gate for itself, so the rhythm
// slows down: 17 gates at 1 s are 17 requests a second, each refused or
// answered within a millisecond.
const (
	pollFirst = 100 * time.Millisecond
	pollSlow  = time.Second
)

// awaitBus waits until the MCP bus answers.
func awaitBus(ctx context.Context, r *runner) outcome {
	var last facts.BusHealth
	strange := 0
	for every := pollFirst; ; every = slower(every) {
		look := r.world.Bus.Health(ctx)
		if ctx.Err() == nil {
			last = look
		}
		switch check.Reach(look.Answer) {
		case check.Ready:
			return outcome{passed: true, detail: "bus " + orchestrator.BusState(look), problems: orchestrator.Bus(r.req.Bus.URL, look)}
		case check.Nonsense:
			if strange++; strange >= maxConsecutive {
				return outcome{detail: look.Detail, problems: orchestrator.Bus(r.req.Bus.URL, look)}
			}
		default:
			strange = 0
			if problems := r.busUnitProblem(ctx); len(problems) > 0 {
				return outcome{detail: problems[0].Message, problems: problems}
			}
			if problems := r.renew(ctx); problems != nil {
				return outcome{detail: problems[0].Message, problems: problems}
			}
		}
		r.say("bus", "no answer yet: "+look.Detail, 0, 0)
		if !pause(ctx, r.jitter(every)) {
			return outcome{detail: last.Detail, problems: orchestrator.Bus(r.req.Bus.URL, last)}
		}
	}
}

func (r *runner) busUnitProblem(ctx context.Context) []diag.Problem {
	if r.req.Bus.Unit == "" || r.world.Units == nil {
		return nil
	}
	unit, err := r.world.Units.Unit(ctx, r.req.Bus.Unit)
	if err != nil {
		return nil
	}
	problems := orchestrator.BusUnit(unit)
	if unstarted := r.unstarted(unit, problems); len(unstarted) > 0 {
		return unstarted
	}
	return diag.Errors(problems)
}

// unstarted returns the problems of a unit whose server does not answer and that has
// no start job. A gate still waits, since it may be started; a survey does not.
func (r *runner) unstarted(u facts.Unit, problems []diag.Problem) []diag.Problem {
	if !r.survey || checkunit.Judge(u).State != check.Idle {
		return nil
	}
	for i := range problems {
		problems[i].Severity = diag.Error
	}
	return problems
}

// slower doubles a pause up to pollSlow.
func slower(d time.Duration) time.Duration { return min(2*d, pollSlow) }

// jitter spreads the requests of gates that started together: 75 to 125 %.
func (r *runner) jitter(d time.Duration) time.Duration {
	if r.world.Jitter != nil {
		return r.world.Jitter(d)
	}
	return d*3/4 + rand.N(d/2) //nolint:gosec // spread, not a secret
}
