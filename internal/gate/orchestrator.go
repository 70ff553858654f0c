// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/orchestrator"
	checkunit "justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

var (
	configStep       = step{"config", readMap}
	ownUnitStep      = step{"unit", compareOwnUnit}
	unitStep         = step{"unit", proveUnit}
	mpsStep          = step{"mps", awaitMPS}
	mpsProofStep     = step{"mps", proveMPS}
	gpuStep          = step{"gpu", awaitGPU}
	orchestratorStep = step{"orchestrator", awaitOrchestrator}
	modelsStep       = step{"models", awaitModels}
	busStep          = step{"bus", awaitBus}
	needsStep        = step{"needs", awaitNeeds}
	triggerStep      = step{"trigger", triggerOnce}
)

// awaitOrchestrator makes sure that the orchestrator's unit can become ready, that the unit's
// own process answers, and that it reports ready. The lead that it takes for this is kept for
// the models.
func awaitOrchestrator(ctx context.Context, r *runner) outcome {
	out := greet(ctx, r)
	if !out.passed {
		r.release()
	}
	return out
}

func greet(ctx context.Context, r *runner) outcome {
	g := &handshake{runner: r}
	if r.world.Units == nil && r.req.Orchestrator.Unit != "" {
		g.notes = append(g.notes, checkunit.NoSystemd(diag.Notice, r.req.Orchestrator.Unit, "the unit's state is not checked"))
	}
	for {
		if err := r.elect(ctx); err != nil {
			return g.late()
		}
		r.askUnit(ctx)
		if done, out := g.once(ctx); done {
			return out
		}
		if !pause(ctx, g.after) {
			return g.late()
		}
	}
}

// readMap is the last of the configuration: a map that is wrong cannot get
// better by waiting.
func readMap(_ context.Context, r *runner) outcome {
	problems := r.world.Map.Problems
	return outcome{passed: len(diag.Errors(problems)) == 0, problems: problems}
}

type handshake struct {
	*runner
	health  facts.Health
	heard   time.Time // when health was answered last
	ready   facts.Readiness
	reason  string
	invalid int           // consecutive invalid answers
	wrong   facts.Answer  // the last of them
	silent  *diag.Problem // what is not known of the unit and has to be
	after   time.Duration
	notes   []diag.Problem
}

// heardFor is for how long an answer to the first of two requests stands while the
// second is repeated: a server that loses every second answer would else never be
// heard out. It is longer than a request may take.
const heardFor = 5 * time.Second

// once looks once. It returns true if there is nothing left to wait for.
func (g *handshake) once(ctx context.Context) (bool, outcome) {
	if problems := g.orchestratorUnitProblem(ctx); len(problems) > 0 {
		if g.invalid > 0 { // whatever has its port may be why
			problems = append([]diag.Problem{orchestrator.InvalidAnswer(g.subject(), g.wrong)}, problems...)
		}
		return true, outcome{problems: append(g.notes, problems...), detail: "the unit cannot become ready"}
	}
	if time.Since(g.heard) > heardFor {
		health := g.world.Orchestrator.Health(ctx)
		if g.counts(ctx) {
			g.health = health
		}
		if ctx.Err() != nil {
			return false, outcome{}
		}
		if health.Kind == facts.Answered {
			g.heard = time.Now()
		}
	}
	switch check.Reach(g.health.Answer) {
	case check.Unreachable:
		if g.unit.known {
			if problems := g.unstarted(g.unit.unit, orchestrator.Unit(g.unit.unit)); len(problems) > 0 {
				return true, outcome{problems: append(g.notes, problems...), detail: "nothing starts its unit"}
			}
		}
		return g.again(ctx, check.Unreachable, pollDown, "no answer yet: "+g.health.Detail+g.unitState())
	case check.Nonsense:
		return g.invalidAnswer(ctx, g.health.Answer)
	}
	ready := g.world.Orchestrator.Ready(ctx)
	if g.counts(ctx) {
		g.ready = ready
	}
	if ctx.Err() != nil {
		return false, outcome{}
	}
	return g.readiness(ctx)
}

// counts reports whether the last answer counts: if it was cut off, the previous one is more
// informative.
func (g *handshake) counts(ctx context.Context) bool { return ctx.Err() == nil || g.reason == "" }

func (g *handshake) readiness(ctx context.Context) (bool, outcome) {
	switch {
	case g.ready.Kind == facts.NotServed, g.ready.Kind == facts.Answered && g.ready.Ready:
		if problem, unknown := g.loads(ctx, unitEvery); unknown {
			g.silent = problem
			return g.again(ctx, check.Unreachable, pollInvalid, problem.Message)
		} else if problem != nil {
			return true, outcome{problems: append(g.notes, *problem), detail: problem.Message}
		}
		g.unit.safeMode = g.req.HonorSafeMode && g.health.SafeMode
		return true, outcome{passed: true, detail: "orchestrator ready", problems: append(g.notes, g.environment()...)}
	case g.ready.Kind == facts.Answered:
		return g.again(ctx, check.Pending, pollInvalid, "the orchestrator answers, but reports that it is not ready")
	case check.Reach(g.ready.Answer) == check.Unreachable:
		return g.again(ctx, check.Unreachable, pollDown, "no answer yet: "+g.ready.Detail)
	default:
		return g.invalidAnswer(ctx, g.ready.Answer)
	}
}

func (g *handshake) again(ctx context.Context, why check.State, after time.Duration, reason string) (bool, outcome) {
	if why != check.Nonsense {
		g.invalid = 0
	}
	if why == check.Unreachable {
		if problems := g.renew(ctx); problems != nil {
			return true, outcome{problems: append(g.notes, problems...), detail: problems[0].Message}
		}
	}
	g.reason, g.after = reason, after
	if g.silent != nil && g.silent.Message != reason {
		g.silent = nil
	}
	g.say("orchestrator", reason, 0, 0)
	return false, outcome{}
}

// invalidAnswer counts invalid answers; if they do not stop, it ends the
// wait.
func (g *handshake) invalidAnswer(ctx context.Context, a facts.Answer) (bool, outcome) {
	g.wrong = a
	if g.invalid++; g.invalid >= maxConsecutive {
		return true, outcome{problems: append(g.notes, orchestrator.InvalidAnswer(g.subject(), a)), detail: a.Detail}
	}
	return g.again(ctx, check.Nonsense, pollInvalid, "an invalid answer: "+a.Detail)
}

// unitState is what systemd adds to the silence of an orchestrator: that it is
// still starting, or that nothing starts it.
func (g *handshake) unitState() string {
	if !g.unit.known {
		return ""
	}
	return "; " + g.req.Orchestrator.Unit + " is " + checkunit.Judge(g.unit.unit).Reason
}

// late reports what was missing at the deadline. A problem of the unit that did not end the
// wait may be the cause, so it comes first.
func (g *handshake) late() outcome {
	problems := g.notes
	if g.unit.known {
		problems = append(problems, g.forMemory(orchestrator.Unit(g.unit.unit))...)
		problems = append(problems, orchestrator.UnitFails(g.unit.unit)...)
	}
	if g.silent != nil {
		return outcome{detail: g.reason, problems: append(problems, *g.silent)}
	}
	return outcome{detail: g.reason, problems: append(problems, orchestrator.WhySilent(orchestrator.Silent(g.subject(), g.health, g.ready), diag.OrchestratorUnreachable, g.unit.unit)...)}
}

func (r *runner) subject() orchestrator.Subject {
	return orchestrator.Subject{
		URL: r.req.Orchestrator.URL, Unit: r.req.Orchestrator.Unit, Timeout: r.req.Timeout.Value,
		Map: r.req.Models.Map, Expected: r.world.Map.Total, Models: r.world.Map.Models, Diagnose: r.diagnose,
		Protocol: r.world.Protocol, Stale: orchestrator.Stale(r.req.Models.Map, r.world.Map.Changed, r.unit.unit),
	}
}

func safeModeProblem(w requirement.Run) diag.Problem {
	return diag.Found(diag.OrchestratorSafeMode, w.Orchestrator.URL, "the orchestrator is in safe mode: the models were not checked",
		`"safe_mode": true in /health, and orchestrator.honor_safe_mode = true`, "",
		diag.Advise("end safe mode, or set honor_safe_mode = false", diag.Reload())).As(diag.Warning)
}
