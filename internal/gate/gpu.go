// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"time"

	"justnews/internal/check/gpu"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

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
