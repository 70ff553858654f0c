// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/gpu"
	"justnews/internal/check/orchestrator"
	checkunit "justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/requirement"
)

// awaitNeeds tries the probes that the instance needs, all at once, until all
// have passed. One that has passed is not asked again.
func awaitNeeds(ctx context.Context, r *runner) outcome {
	missing := r.req.Needs
	last := map[string]facts.Need{}
	for every := pollFirst; ; every = slower(every) {
		found := r.tryAll(ctx, missing)
		var still []config.Probe
		for _, p := range missing {
			if found[p.Name].OK {
				continue
			}
			still = append(still, p)
			if ctx.Err() == nil || last[p.Name].Detail == "" {
				last[p.Name] = found[p.Name]
			}
		}
		if missing = still; len(missing) == 0 {
			return outcome{passed: true, detail: "needs met"}
		}
		if problems := r.renew(ctx); problems != nil {
			return outcome{detail: problems[0].Message, problems: problems}
		}
		r.say("needs", "waiting for "+needNames(missing, last), len(r.req.Needs)-len(missing), len(r.req.Needs))
		if !pause(ctx, r.jitter(every)) {
			return outcome{detail: "missing " + needNames(missing, last), problems: unmet(missing, last, r)}
		}
	}
}

func (r *runner) tryAll(ctx context.Context, probes []config.Probe) map[string]facts.Need {
	var mu sync.Mutex
	var wg sync.WaitGroup
	found := make(map[string]facts.Need, len(probes))
	for _, p := range probes {
		wg.Go(func() {
			need := r.world.Needs.Try(ctx, p.Name)
			mu.Lock()
			defer mu.Unlock()
			found[p.Name] = need
		})
	}
	wg.Wait()
	return found
}

func needNames(probes []config.Probe, last map[string]facts.Need) string {
	return strings.Join(lists.Map(probes, func(p config.Probe) string { return fmt.Sprintf("%s (%s)", p.Name, last[p.Name].Detail) }), ", ")
}

func unmet(probes []config.Probe, last map[string]facts.Need, r *runner) []diag.Problem {
	var problems []diag.Problem
	for _, p := range probes {
		expected, fix := needWanted(p)
		problems = append(problems, diag.Found(diag.NeedUnmet, p.Name, fmt.Sprintf("the %s probe did not pass within %s", p.Kind, check.Span(r.req.Timeout.Value)),
			last[p.Name].Detail, expected, fix))
	}
	return problems
}

func needWanted(p config.Probe) (expected string, fix diag.Fix) {
	server := "start the server behind %q"
	switch p.Kind {
	case "tcp":
		return "a listener on " + p.Address, diag.Advise(fmt.Sprintf(server, p.Address), diag.Retry())
	case "http":
		return "a 2xx answer from " + p.URL, diag.Advise(fmt.Sprintf(server, p.URL), diag.Retry())
	case "unit":
		return p.Unit + " active", diag.Advise("fix the error in the unit's status", diag.Run("systemctl", "start", "--", p.Unit), diag.Retry()).Looking(diag.Run("systemctl", "status", "--", p.Unit))
	default:
		return p.Path + " exists", diag.Advise("put it there", diag.Retry()).Looking(diag.Run("ls", "-ld", "--", p.Path))
	}
}

// The bus and the needs are looked at by every gate for itself, so the interval
// slows down: 17 gates at 1 s are 17 requests a second, each refused or
// answered within a millisecond.
const (
	pollFirst = 100 * time.Millisecond
	pollSlow  = time.Second
)

func awaitBus(ctx context.Context, r *runner) outcome {
	var last facts.BusHealth
	var unit facts.Unit // as systemd last described it
	invalid := 0
	for every := pollFirst; ; every = slower(every) {
		look := r.world.Bus.Health(ctx)
		if ctx.Err() == nil {
			last = look
		}
		switch check.Reach(look.Answer) {
		case check.Ready:
			return outcome{passed: true, detail: "bus " + orchestrator.BusState(look), problems: orchestrator.Bus(r.req.Bus.URL, r.req.Bus.Unit, look)}
		case check.Nonsense:
			if invalid++; invalid >= maxConsecutive {
				return outcome{detail: look.Detail, problems: orchestrator.Bus(r.req.Bus.URL, r.req.Bus.Unit, look)}
			}
		default:
			invalid = 0
			problems, asked := r.busUnitProblem(ctx)
			if asked != nil {
				unit = *asked
			}
			if len(problems) == 0 {
				problems = r.renew(ctx)
			}
			if len(problems) > 0 {
				return outcome{detail: problems[0].Message, problems: problems}
			}
		}
		r.say("bus", "no answer yet: "+look.Detail, 0, 0)
		if !pause(ctx, r.jitter(every)) {
			problems := orchestrator.Bus(r.req.Bus.URL, r.req.Bus.Unit, last)
			return outcome{detail: last.Detail, problems: orchestrator.WhySilent(problems, diag.BusUnreachable, unit)}
		}
	}
}

// busUnitProblem returns what makes waiting for the bus pointless, and its unit; nil if
// systemd does not describe it.
func (r *runner) busUnitProblem(ctx context.Context) ([]diag.Problem, *facts.Unit) {
	if r.req.Bus.Unit == "" || r.world.Units == nil {
		return nil, nil
	}
	unit, err := r.world.Units.Unit(ctx, r.req.Bus.Unit)
	if err != nil {
		return nil, nil
	}
	problems := orchestrator.BusUnit(unit)
	if unstarted := r.unstarted(unit, problems); len(unstarted) > 0 {
		return unstarted, &unit
	}
	return diag.Errors(problems), &unit
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

func slower(d time.Duration) time.Duration { return min(2*d, pollSlow) }

// jitter spreads the requests of gates that started together: 75 to 125 %.
func (r *runner) jitter(d time.Duration) time.Duration {
	if r.world.Jitter != nil {
		return r.world.Jitter(d)
	}
	return d*3/4 + rand.N(d/2) //nolint:gosec // spread, not a secret
}

const (
	// gpuEvery is how soon a late driver is looked for again, gpuSeldom what that
	// grows to: each look starts a process, and may have the driver load.
	gpuEvery  = time.Second
	gpuSeldom = 5 * time.Second
)

// awaitGPU makes sure of the GPUs. Where none is needed, as in a survey, one
// look is enough and nothing shuts the gate. A driver may be late, for
// gpu.patience: at a boot its module and udev's device nodes can come after the
// first gate. Everything else that is wrong with a GPU does not get better by
// waiting.
func awaitGPU(ctx context.Context, r *runner) outcome {
	want := r.req.GPU
	if r.world.GPU == nil {
		return r.gpuOutcome(facts.GPULook{Detail: "this program has no GPU probe"}, want)
	}
	patient, cancel := context.WithTimeout(ctx, want.Patience)
	defer cancel()
	var last facts.GPULook
	for every := gpuEvery; ; every = min(2*every, gpuSeldom) {
		look := r.world.GPU.Look(ctx)
		if ctx.Err() == nil || last.Kind == facts.GPUUnknown {
			last = look
		}
		missing := gpu.MayCome(look)
		if !want.Needed || missing == "" {
			break
		}
		r.say("gpu", "waiting for the driver: "+missing, 0, 0)
		if !pause(patient, r.jitter(every)) {
			break
		}
	}
	return r.gpuOutcome(last, want)
}

func (r *runner) gpuOutcome(look facts.GPULook, want requirement.GPU) outcome {
	r.res.GPU = &look
	problems := gpu.Judge(look, want)
	out := outcome{passed: len(diag.Errors(problems)) == 0, detail: gpu.Summary(look), problems: problems}
	if out.passed && look.Kind != facts.GPUAnswered {
		out.detail = "" // none is needed: what is not there proves nothing
	}
	return out
}
