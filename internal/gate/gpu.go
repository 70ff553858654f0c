// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"time"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

const (
	// gpuPatience is how long a driver may be late: at a boot its module and
	// udev's device nodes can come after the first gate. Everything else that
	// is wrong with a GPU does not get better by waiting.
	gpuPatience = 10 * time.Second
	// gpuEvery is how often it is looked for: each look starts a process, and
	// may have the driver load.
	gpuEvery = time.Second
)

// awaitGPU makes sure of the GPUs. Where none is needed, as in a survey, one
// look is enough and nothing shuts the gate.
func awaitGPU(ctx context.Context, k *walk) outcome {
	want := check.GPUWish(k.wish.GPU)
	if k.world.GPU == nil {
		return k.gpuOutcome(facts.GPULook{Detail: "this program has no GPU probe"}, want)
	}
	patient, cancel := context.WithTimeout(ctx, gpuPatience)
	defer cancel()
	var last facts.GPULook
	for {
		look := k.world.GPU.Look(ctx)
		if ctx.Err() == nil || last.Kind == facts.GPUUnknown {
			last = look
		}
		if !want.Needed || !check.GPUMayCome(look) {
			break
		}
		k.say("gpu", "waiting for the driver: "+gpuMissing(look), 0, 0)
		if !pause(patient, jitter(gpuEvery)) {
			break
		}
	}
	return k.gpuOutcome(last, want)
}

func (k *walk) gpuOutcome(look facts.GPULook, want check.GPUWish) outcome {
	k.res.GPU = &look
	problems := check.GPU(look, want)
	return outcome{passed: len(diag.Errors(problems)) == 0, detail: check.GPUState(look), problems: problems}
}

func gpuMissing(look facts.GPULook) string {
	if look.Kind == facts.GPUAnswered {
		return "/dev/nvidia-uvm cannot be opened yet"
	}
	return check.GPUState(look)
}
