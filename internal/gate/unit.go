// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/orchestrator"
	checkunit "justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/unitname"
)

// unitMemo is what a run knows about the orchestrator's unit. systemd is queried only when
// there is a reason to: at the start, while nothing answers, and before a POST.
type unitMemo struct {
	unit     facts.Unit
	known    bool
	err      string // why systemd did not report its state
	asked    time.Time
	restarts int  // when this run first asked
	counted  bool // restarts is known
	safeMode bool
}

// manyRestarts during one run without success are a reason to refuse and to report them:
// systemd keeps trying, and so does the gate, at its next start.
const manyRestarts = 2

// unitEvery is how often systemd is queried while nothing answers; a Get costs it 0.2 to
// 0.4 ms.
const unitEvery = 250 * time.Millisecond

// invocation is the InvocationID of the orchestrator, "" where it is not known.
func (m *unitMemo) invocation() string {
	if !m.known {
		return ""
	}
	return m.unit.InvocationID
}

func (r *runner) askUnit(ctx context.Context) {
	name := r.req.Orchestrator.Unit
	if name == "" || r.world.Units == nil {
		return
	}
	r.unit.asked = time.Now()
	unit, err := r.world.Units.Unit(ctx, name)
	r.unit.unit, r.unit.known = unit, err == nil
	switch {
	case err == nil:
		r.unit.err = ""
	case ctx.Err() == nil: // else the question was cut off: it says nothing
		r.unit.err = err.Error()
	}
	if err == nil && !r.unit.counted {
		r.unit.restarts, r.unit.counted = unit.NRestarts, true
	}
}

// orchestratorUnitProblem asks about the unit, not more often than unitEvery,
// and returns what makes waiting for it pointless.
func (r *runner) orchestratorUnitProblem(ctx context.Context) []diag.Problem {
	if time.Since(r.unit.asked) >= unitEvery {
		r.askUnit(ctx)
	}
	if !r.unit.known || ctx.Err() != nil {
		return nil
	}
	problems := orchestrator.Unit(r.unit.unit)
	if r.world.Machine != nil && r.req.JustNews() {
		if dry, unknown := orchestrator.DryRun(r.unit.unit, r.world.Machine.Environment(r.unit.unit), facts.Unit{}); !unknown {
			problems = append(problems, dry...)
		}
	}
	if r.unit.unit.NRestarts-r.unit.restarts >= manyRestarts {
		problems = append(problems, orchestrator.UnitFails(r.unit.unit)...)
	}
	return r.forMemory(diag.Errors(problems))
}

// sameProcess reports whether the unit's process is still the one that systemd reported:
// InvocationID changes with every start, MainPID also if the service replaces its process.
func (r *runner) sameProcess(ctx context.Context) bool {
	known := r.unit.unit
	now, err := r.world.Units.Unit(ctx, known.Name, "InvocationID", "MainPID")
	return err == nil && now.InvocationID == known.InvocationID && now.MainPID == known.MainPID
}

// loads queries the running orchestrator again, unless that was done less than age ago, and
// returns what shows that it does not load models. Unknown facts may become known.
func (r *runner) loads(ctx context.Context, age time.Duration) (problem *diag.Problem, unknown bool) {
	if !r.req.JustNews() || r.req.Orchestrator.Unit == "" || r.world.Units == nil {
		return nil, false
	}
	if !r.unit.known || time.Since(r.unit.asked) >= age && !r.sameProcess(ctx) {
		r.askUnit(ctx)
	}
	switch {
	case r.unit.known:
	case r.unit.err != "":
		return new(orchestrator.SystemdSilent(r.subject(), r.unit.err)), true
	default:
		j := check.Judgement{State: check.Pending, Reason: "the time was up before systemd had described " + r.req.Orchestrator.Unit}
		return &orchestrator.Late(j, facts.ModelsLook{}, r.subject())[0], true
	}
	if r.world.Machine == nil {
		return nil, false
	}
	environment := r.world.Machine.Environment(r.unit.unit)
	problems, unknown := orchestrator.DryRun(r.unit.unit, environment, facts.Unit{})
	if unknown {
		preload, err := r.world.Units.Unit(ctx, unitname.Preload)
		if err != nil {
			preload = facts.Unit{}
		}
		problems, unknown = orchestrator.DryRun(r.unit.unit, environment, preload)
	}
	if len(problems) == 0 {
		return nil, false
	}
	return &problems[0], unknown
}

// Mark is how a gate finds out whether its unit was generated from the current
// configuration.
type Mark struct {
	// Unit asks systemd about the gate's own unit.
	Unit func(ctx context.Context) (facts.Unit, error)
	// Wanted reads the configuration and derives the mark from it.
	Wanted func() (facts.Mark, []diag.Problem)
	// Own is the unit as systemd reported it when the run began, nil if it did not.
	Own *facts.Unit
	// Read is the mark of the configuration that the run's requirement is made of,
	// empty where that is not known: then the first look decides.
	Read facts.Mark
	// Aborts is set if a crash of this process is a signal from its first instruction on.
	Aborts bool
}

// markEvery is the pause before systemd is asked again: during a reload it does
// not answer.
const markEvery = 100 * time.Millisecond

// compareOwnUnit is the first step of a gate: it compares the unit with the configuration,
// as the run found them.
func compareOwnUnit(ctx context.Context, r *runner) outcome {
	mark := r.world.Mark
	if mark.Own == nil || mark.Read.Mark == "" {
		return proveUnit(ctx, r)
	}
	return r.compare(*mark.Own, mark.Read)
}

// proveUnit compares the unit with the configuration, both as they are now. It is the last
// step of a gate: a reload or an edit during the run may have made another unit of it, whose
// start would be the one that is let through.
func proveUnit(ctx context.Context, r *runner) outcome {
	mark := r.world.Mark
	last := errors.New("the time was up before systemd answered")
	for {
		unit, err := mark.Unit(ctx)
		if err == nil {
			want, problems := mark.Wanted()
			if len(diag.Errors(problems)) > 0 {
				return outcome{problems: problems}
			}
			return r.compare(unit, want)
		}
		if ctx.Err() == nil {
			last = err
		}
		if !pause(ctx, markEvery) {
			return outcome{problems: []diag.Problem{checkunit.MarkUnknown(r.req.Unit, last)}}
		}
	}
}

func (r *runner) compare(unit facts.Unit, want facts.Mark) outcome {
	if problems := checkunit.Marked(unit, want); len(problems) > 0 {
		return outcome{problems: problems}
	}
	// A gate that is killed opens such a unit. Any other gate refuses, so that the setting
	// is found before it can be exploited.
	if problems := checkunit.Opened(unit, nil, r.world.Mark.Aborts); len(problems) > 0 {
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
