// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"time"

	"justnews/internal/check/orchestrator"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/unitname"
)

// unitMemo is what a run knows of the orchestrator's unit. systemd is asked
// when there is a reason to: at the start, while nobody answers, and before a
// POST.
type unitMemo struct {
	unit     facts.Unit
	known    bool
	err      string // why systemd did not report its state
	asked    time.Time
	restarts int  // when this run first asked
	counted  bool // restarts is known
	safeMode bool
}

// manyRestarts during one run, and none that came up, are worth a refusal that
// names them: systemd goes on, and so does the gate, at its next start.
const manyRestarts = 2

// unitEvery is how often systemd is asked while nobody answers; a Get costs it
// 0.2 to 0.4 ms.
const unitEvery = 250 * time.Millisecond

// invocation is the InvocationID of the orchestrator, "" where it is not known.
func (m *unitMemo) invocation() string {
	if !m.known {
		return ""
	}
	return m.unit.InvocationID
}

// askUnit looks at the orchestrator's unit, if there is one.
func (r *runner) askUnit(ctx context.Context) {
	name := r.req.Orchestrator.Unit
	if name == "" || r.world.Units == nil {
		return
	}
	r.unit.asked = time.Now()
	unit, err := r.world.Units.Unit(ctx, name)
	r.unit.unit, r.unit.known, r.unit.err = unit, err == nil, ""
	if err != nil {
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

// loads asks once more about the orchestrator as it runs now, and returns what
// speaks against its loading models. What is unknown may become known.
func (r *runner) loads(ctx context.Context) (problem *diag.Problem, unknown bool) {
	if !r.req.JustNews() || r.req.Orchestrator.Unit == "" || r.world.Units == nil {
		return nil, false
	}
	r.askUnit(ctx)
	if !r.unit.known {
		p := orchestrator.SystemdSilent(r.subject(), r.unit.err)
		return &p, true
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
