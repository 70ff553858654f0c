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

func (m *unitMemo) invocation() string {
	if !m.known {
		return ""
	}
	return m.unit.InvocationID
}

// fresh asks again and returns the InvocationID of the orchestrator as it runs
// now, "" where that can't be known.
func (m *unitMemo) fresh(ctx context.Context, k *walk) string {
	k.askUnit(ctx)
	return m.invocation()
}

// askUnit looks at the orchestrator's unit, where there is one to look at.
func (k *walk) askUnit(ctx context.Context) {
	name := k.req.Orchestrator.Unit
	if name == "" || k.world.Units == nil {
		return
	}
	k.unit.asked = time.Now()
	unit, err := k.world.Units.Unit(ctx, name)
	k.unit.unit, k.unit.known, k.unit.err = unit, err == nil, ""
	if err != nil {
		k.unit.err = err.Error()
	}
	if err == nil && !k.unit.counted {
		k.unit.restarts, k.unit.counted = unit.NRestarts, true
	}
}

// orchestratorUnitProblem asks about the unit, not more often than unitEvery,
// and returns what makes waiting for it pointless.
func (k *walk) orchestratorUnitProblem(ctx context.Context) []diag.Problem {
	if time.Since(k.unit.asked) >= unitEvery {
		k.askUnit(ctx)
	}
	if !k.unit.known || ctx.Err() != nil {
		return nil
	}
	problems := orchestrator.Unit(k.unit.unit)
	if k.world.Machine != nil {
		if dry, unknown := orchestrator.DryRun(k.unit.unit, k.world.Machine.Environment(k.unit.unit), facts.Unit{}); !unknown {
			problems = append(problems, dry...)
		}
	}
	if k.unit.unit.NRestarts-k.unit.restarts >= manyRestarts {
		problems = append(problems, orchestrator.UnitFails(k.unit.unit)...)
	}
	return k.forMemory(diag.Errors(problems))
}

// loads asks once more about the orchestrator as it runs now, and returns what
// speaks against its loading models. What is unknown may become known.
func (k *walk) loads(ctx context.Context) (problem *diag.Problem, unknown bool) {
	if k.req.Orchestrator.Unit == "" || k.world.Units == nil {
		return nil, false
	}
	k.askUnit(ctx)
	if !k.unit.known {
		p := orchestrator.SystemdSilent(k.subject(), k.unit.err)
		return &p, true
	}
	if k.world.Machine == nil {
		return nil, false
	}
	environment := k.world.Machine.Environment(k.unit.unit)
	problems, unknown := orchestrator.DryRun(k.unit.unit, environment, facts.Unit{})
	if unknown {
		preload, err := k.world.Units.Unit(ctx, unitname.Preload)
		if err != nil {
			preload = facts.Unit{}
		}
		problems, unknown = orchestrator.DryRun(k.unit.unit, environment, preload)
	}
	if len(problems) == 0 {
		return nil, false
	}
	return &problems[0], unknown
}
