// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"fmt"
	"net/http"
	"slices"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Canary judges the answer of one model to the smallest request that there is. The
// second result is true where the next answer may be another.
func Canary(s Subject, model string, a facts.Answer) (problem *diag.Problem, again bool) {
	switch {
	case a.Kind == facts.Answered:
		return nil, false
	case a.Kind == facts.Foreign, a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden:
		return new(InvalidAnswer(s, a)), false
	}
	return &diag.Problem{
		Code: diag.ModelCanary, Subject: diag.Clean(model),
		Message:  "the server lists the model as loaded, but the model does not answer a request",
		Seen:     statusOf(a) + evidence(a),
		Expected: "an answer to a request for one token",
		Fix:      diag.Advise("fix the error in the server's log", diag.Restart(s.Unit)...).Looking(diag.LogOf(s.Unit)),
	}, check.Reach(a) == check.Unreachable
}

// OnGPU judges where the models are: by what the server says of each, or by the GPU
// memory that processes of its unit hold. Pids are those processes. The second result
// is true where it is not known, or may change.
func OnGPU(s Subject, state facts.ModelsState, pids []int, l facts.GPULook) (problem *diag.Problem, again bool) {
	p := &diag.Problem{
		Code: diag.ModelsOnCPU, Subject: s.URL,
		Message:  "the models are not in GPU memory",
		Expected: `processes of the server's unit that hold GPU memory, as models.device = "gpu" asks for`,
		Fix:      diag.Advise("find out in the server's log why it does not use the GPU", diag.Restart(s.Unit)...).Looking(diag.LogOf(s.Unit), diag.Run("nvidia-smi")),
	}
	switch {
	case s.Protocol.Placed && len(state.OnCPU) > 0:
		p.Seen = fmt.Sprintf("size_vram is smaller than size: %s", listed(state.OnCPU))
		p.Expected = "size_vram equal to size for every expected model"
		return p, false
	case s.Protocol.Placed:
		return nil, false
	case l.Kind != facts.GPUAnswered || l.NVML == nil:
		p.Seen = "NVML does not answer: " + diag.Clean(l.Detail)
		return p, true
	case len(pids) == 0:
		p.Seen = "no process of " + s.Unit + " was found"
		return p, true
	}
	held, silent := uint64(0), false
	for _, g := range l.NVML.GPUs {
		for _, clients := range []*facts.GPUClients{g.Processes, g.MPSProcesses} {
			if clients == nil {
				silent = true
				continue
			}
			for _, c := range *clients {
				switch {
				case !slices.Contains(pids, c.PID):
				case c.Memory == nil:
					silent = true
				default:
					held += *c.Memory
				}
			}
		}
	}
	switch {
	case held > 0:
		return nil, false
	case silent:
		p.Seen = fmt.Sprintf("the driver does not report the GPU memory of the %s of %s", diag.Count(len(pids), "process"), s.Unit)
	default:
		p.Seen = fmt.Sprintf("none of the %s of %s holds GPU memory", diag.Count(len(pids), "process"), s.Unit)
	}
	return p, silent
}
