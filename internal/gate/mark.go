// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"time"

	checkunit "justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Mark is how a gate finds out whether its unit was generated from the current
// configuration.
type Mark struct {
	// Unit asks systemd about the gate's own unit.
	Unit func(ctx context.Context) (facts.Unit, error)
	// Wanted reads the configuration and derives the mark from it.
	Wanted func() (facts.Mark, []diag.Problem)
	// Read is the mark of the configuration that the run's requirement is made of,
	// "" where that is not known: then the first look decides.
	Read string
}

// markEvery is the pause before systemd is asked again: during a reload it does
// not answer.
const markEvery = 100 * time.Millisecond

// proveUnit compares the unit with the configuration, both as they are now. It
// is the first step of a gate and the last: in between, a reload or an edit may
// have made another unit of it, whose start would be the one that is let
// through.
func proveUnit(ctx context.Context, r *runner) outcome {
	mark := r.world.Mark
	for {
		unit, err := mark.Unit(ctx)
		if err == nil {
			return r.compare(unit)
		}
		if !pause(ctx, markEvery) {
			return outcome{problems: []diag.Problem{checkunit.MarkUnknown(r.req.Unit, err)}}
		}
	}
}

func (r *runner) compare(unit facts.Unit) outcome {
	want, problems := r.world.Mark.Wanted()
	if len(diag.Errors(problems)) > 0 {
		return outcome{problems: problems}
	}
	if problems = checkunit.Marked(unit, want); len(problems) > 0 {
		return outcome{problems: problems}
	}
	// A gate that is killed opens such a unit. One that is not refuses, so that the
	// setting is found before somebody makes use of it.
	if problems = checkunit.Opened(unit, nil); len(problems) > 0 {
		return outcome{problems: problems}
	}
	if r.mark == "" {
		r.mark = want.Mark
	}
	if r.mark != want.Mark {
		return outcome{problems: []diag.Problem{checkunit.Changed(r.req.Unit)}}
	}
	return outcome{passed: true}
}
