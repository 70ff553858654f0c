// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"os"
	"time"

	"justnews/internal/check/orchestrator"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/process"
	"justnews/internal/requirement"
)

// A step verifies one condition. It returns when that is true, when it cannot become true,
// or when ctx ends, with the problems.
type step struct {
	name string
	run  func(context.Context, *runner) outcome
}

// outcome of a step. The zero value has not passed.
type outcome struct {
	passed   bool
	detail   string
	done     int // of total, where the step counted models
	total    int
	problems []diag.Problem
}

type runner struct {
	req   requirement.Run
	world World
	began time.Time
	until time.Time
	res   *Result
	unit  unitMemo
	// server is the socket that answered last.
	server facts.Server
	mark   string // of the own unit: what the configuration was read with, or at the first look

	led        bool                   // this run holds the lock
	lastChance bool                   // a follower's last look before its deadline was granted
	found      *orchestrator.Evidence // what was looked at to explain errors
	proven     map[string]bool        // versions that were hashed for that, by path
	store      string                 // what the preload saw of the Model Store
	survey     bool                   // for a person: all findings, also those that shut nothing
}

type policy bool

const (
	stopAtFirst policy = false
	goOn        policy = true
)

// gateSteps lists the required steps, in the order of a gate run.
func gateSteps(w requirement.Run) []step {
	var steps []step
	if w.RequireMPS {
		steps = append(steps, mpsStep)
	}
	if w.GPU.Needed {
		steps = append(steps, gpuStep)
	}
	if w.RequireModels {
		steps = append(steps, modelSteps(w)...)
	}
	if w.RequireBus {
		steps = append(steps, busStep)
	}
	if len(w.Needs) > 0 {
		steps = append(steps, needsStep)
	}
	return steps
}

// surveySteps are gateSteps, and a look at the GPU also where none is needed.
func surveySteps(w requirement.Run) []step {
	steps := gateSteps(w)
	if w.GPU.Needed {
		return steps
	}
	return append([]step{gpuStep}, steps...)
}

// modelSteps lists the steps that get the models loaded.
func modelSteps(w requirement.Run) []step {
	if w.Verify != "presence" && w.Verify != "manifest" {
		return []step{orchestratorStep, modelsStep}
	}
	return []step{storeStep, orchestratorStep, modelsStep}
}

func run(ctx context.Context, w requirement.Run, world World, steps []step, p policy) Result {
	began := world.Began
	if began.IsZero() {
		began = time.Now()
	}
	res := Result{Instance: w.Instance, Unit: w.Unit, Started: began, Timeout: w.Timeout}
	w.Expected = world.Map.Total
	res.Models.Expected = w.Expected
	k := &runner{req: w, world: world, began: began, until: began.Add(w.Timeout.Value), res: &res, survey: p == goOn}
	if world.Mark != nil {
		k.mark = world.Mark.Read.Mark
	}
	ctx, cancel := context.WithDeadline(ctx, k.until)
	defer cancel()
	stopped := !k.take(ctx, configStep) && p == stopAtFirst
	deadline, down := k.until, false
	for i, s := range steps {
		if stopped || down && s.name == modelsStep.name { // it could only say the same again
			res.Steps = append(res.Steps, StepResult{Name: s.name})
			continue
		}
		if p == goOn {
			k.until = deadline.Add(-reserved(w.Timeout.Value, len(steps)-1-i))
		}
		passed := k.takeUntil(ctx, s)
		stopped = !passed && (p == stopAtFirst || interrupted(ctx))
		down = down || !passed && s.name == orchestratorStep.name
	}
	k.until = deadline
	res.Elapsed = time.Since(began)
	Sandboxed(res.Problems, world.Self.Unit, w)
	world.Self.Overridden(res.Problems, w)
	if res.Settle(); !res.Passed() {
		k.renew(ctx)
	}
	return res
}

// surveyLook is the time that a survey reserves for each later step: one look. Without it the
// first server that is down would use up the budget, and the others would be reported as down
// without having been queried.
const surveyLook = 4 * time.Second

// reserved returns the time that has to be left for that many steps.
func reserved(budget time.Duration, steps int) time.Duration {
	return time.Duration(steps) * min(surveyLook, budget/time.Duration(steps+1))
}

// takeUntil is take with the deadline that holds for this step.
func (r *runner) takeUntil(ctx context.Context, s step) bool {
	ctx, cancel := context.WithDeadline(ctx, r.until)
	defer cancel()
	return r.take(ctx, s)
}

func (r *runner) take(ctx context.Context, s step) bool {
	start := time.Since(r.began)
	if r.world.Doing != nil {
		r.world.Doing(s.name)
	}
	out := s.run(ctx, r)
	// A signal is the cause of whatever the step could not finish.
	if !out.passed && interrupted(ctx) {
		out.problems = []diag.Problem{interruption(ctx, s.name, out.detail)}
	}
	if out.passed && len(diag.Errors(out.problems)) > 0 {
		out.passed = false
	}
	if !out.passed && len(diag.Errors(out.problems)) == 0 {
		out.problems = append(out.problems, unexplained(s.name))
	}
	verdict := Failed
	if out.passed {
		verdict = Passed
	}
	r.res.Problems = append(r.res.Problems, out.problems...)
	r.res.Steps = append(r.res.Steps, StepResult{
		Name: s.name, Verdict: verdict, Start: start,
		Elapsed: time.Since(r.began) - start, Detail: out.detail, Done: out.done, Total: out.total,
	})
	return out.passed
}

func (r *runner) say(step, text string, done, total int) {
	if r.world.Observer == nil {
		return
	}
	r.world.Observer.Progress(Progress{Step: step, Text: text, Done: done, Total: total, Left: time.Until(r.until)})
}

// interrupted reports whether a signal, not the deadline, ended ctx.
func interrupted(ctx context.Context) bool {
	return errors.Is(ctx.Err(), context.Canceled)
}

// ByCtrlC reports whether SIGINT ended ctx.
func ByCtrlC(ctx context.Context) bool {
	ended, ok := errors.AsType[process.Ended](context.Cause(ctx))
	return ok && ended.By == os.Interrupt
}

func interruption(ctx context.Context, name, detail string) diag.Problem {
	why, fix := "by a signal", diag.Do(diag.Retry())
	if cause := context.Cause(ctx); cause != nil && cause != context.Canceled { //nolint:errorlint // a signal's cause Is Canceled as well
		why = "(" + cause.Error() + ")"
		if ByCtrlC(ctx) {
			why, fix = "by Ctrl-C", diag.Fix{} // which was intended
		}
	}
	return diag.Found(diag.Interrupted, name, "interrupted "+why, detail, "", fix)
}

// Cut is the problem of a command that could not end after a signal.
func Cut(ctx context.Context) diag.Problem {
	p := interruption(ctx, "the command", "")
	p.Seen = "something that it waits for does not answer"
	return p
}

// unexplained keeps the gate shut, and reports it, if a step fails
// without a reason.
func unexplained(name string) diag.Problem {
	return diag.New(diag.Internal, name, "the step did not pass and gave no reason",
		diag.Advise("report this as a bug, with the output of: justnews-gate -v --json"))
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Overridden corrects the fix of findings about what the environment of the units moves.
// In a manual run, the environment is how the caller configures it.
func (s Self) Overridden(problems []diag.Problem, w requirement.Run) {
	orchestrator.Overridden(problems, lists.Filter(w.Overrides, func(o requirement.Override) bool {
		return s.InUnit || s.Environment != nil && !s.own(o.Name)
	}))
}

func (s Self) own(name string) bool {
	v, _ := s.Environment(name)
	return v != ""
}
