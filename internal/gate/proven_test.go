// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// canary simulates models: each gives the listed answers in turn, then always the last.
type canary struct {
	mu      sync.Mutex
	answers []facts.Answer
	asked   []string
}

func (c *canary) Canary(_ context.Context, model string) facts.Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, model)
	a := c.answers[0]
	if len(c.answers) > 1 {
		c.answers = c.answers[1:]
	}
	return a
}

var (
	canaryAnswered = facts.Answer{Kind: facts.Answered, Status: 200}
	canaryBusy     = facts.Answer{Kind: facts.ServerError, Status: 503, Detail: "503 Service Unavailable"}
	canaryInvalid  = facts.Answer{Kind: facts.Nonsense, Status: 200, Detail: "choices is empty"}
	canaryForeign  = facts.Answer{Kind: facts.Foreign, Detail: "another process"}
)

// A gate opens only once each model has answered, and asks each that did once.
func TestCanary_EachModelMustAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		answers []facts.Answer
		status  diag.Status
		code    diag.Code
		asked   int
		within  time.Duration
	}{
		"all answer":                   {[]facts.Answer{canaryAnswered}, diag.StatusReady, "", 2, 3 * time.Second},
		"one is busy for a while":      {[]facts.Answer{canaryAnswered, canaryBusy, canaryBusy, canaryAnswered}, diag.StatusReady, "", 4, 8 * time.Second},
		"one answers nothing":          {[]facts.Answer{canaryAnswered, canaryInvalid}, diag.StatusFailed, diag.ModelCanary, 4, 8 * time.Second},
		"one is busy to the end":       {[]facts.Answer{canaryBusy}, diag.StatusFailed, diag.ModelCanary, 10, 61 * time.Second},
		"another process answers":      {[]facts.Answer{canaryForeign}, diag.StatusNonsense, diag.OrchestratorImpostor, 1, 3 * time.Second},
		"an invalid answer, then none": {[]facts.Answer{canaryInvalid, canaryAnswered}, diag.StatusReady, "", 3, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(newServer(2, 100*time.Millisecond))
				x, models := h.world(), &canary{answers: slices.Clone(c.answers)}
				x.Canary, x.Map.Names, x.Map.Total = models, []string{"a", "b"}, 2
				w := scoutRun(time.Minute)
				w.Kind, w.Models.Canary = "vllm", true
				r := Run(t.Context(), w, x)
				if r.Status != c.status || c.code != "" && !hasCode(r, c.code) {
					t.Errorf("status %d, want %d with %q: %+v", r.Status, c.status, c.code, r.Problems)
				}
				if len(models.asked) > c.asked || c.status == diag.StatusReady && !slices.Contains(models.asked, "b") {
					t.Errorf("asked %q, want at most %d", models.asked, c.asked)
				}
				if r.Elapsed > c.within {
					t.Errorf("took %v, want at most %v", r.Elapsed, c.within)
				}
			})
		})
	}
}

// A gate does not repeat the canaries of a preload that passed since the server was
// started; a record alone, which an agent can write, is not enough.
func TestCanary_OnlyAPreloadOfThisServerCounts(t *testing.T) {
	for name, c := range map[string]struct {
		recorded []string
		preload  time.Duration // when it passed; the server was started after 10 s
		asked    int
	}{
		"the preload asked the same models":     {[]string{"a", "b"}, 20 * time.Second, 0},
		"the preload asked other models":        {[]string{"a"}, 20 * time.Second, 2},
		"a record, and a preload before":        {[]string{"a", "b"}, 5 * time.Second, 2},
		"a preload that did not ask, no record": {nil, 20 * time.Second, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(newServer(2, 100*time.Millisecond))
				h.units = vouched(10*time.Second, c.preload)
				h.memory.history = History{Canary: c.recorded}
				x, models := h.world(), &canary{answers: []facts.Answer{canaryAnswered}}
				x.Canary, x.Map.Names, x.Map.Total = models, []string{"a", "b"}, 2
				w := scoutRun(time.Minute)
				w.Kind, w.Models.Canary = "vllm", true
				if r := Run(t.Context(), w, x); !r.Passed() {
					t.Fatalf("%+v", r.Problems)
				}
				if len(models.asked) != c.asked {
					t.Errorf("asked %q, want %d", models.asked, c.asked)
				}
				if !slices.Equal(h.memory.history.Canary, x.Map.Names) && c.asked > 0 {
					t.Errorf("recorded %q", h.memory.history.Canary)
				}
			})
		})
	}
}

type gpus struct{ look facts.GPULook }

func (g gpus) Look(context.Context) facts.GPULook { return g.look }

// gpuWith is a GPU with one process.
func gpuWith(pid int, memory *uint64) facts.GPULook {
	clients := facts.GPUClients{{PID: pid, Memory: memory}}
	return facts.GPULook{Kind: facts.GPUAnswered, NVML: &facts.NVML{GPUs: []facts.GPU{{Processes: &clients, MPSProcesses: &facts.GPUClients{}}}}}
}

// If the processes of the unit are not known, no process's memory counts.
func TestOnGPU_ProcessesHaveToBeKnown(t *testing.T) {
	some := uint64(1 << 30)
	for name, change := range map[string]func(*host, *World){
		"no machine to ask": func(_ *host, x *World) { x.Machine = nil },
		"no GPU to ask":     func(_ *host, x *World) { x.GPU = nil },
		"an unknown unit": func(_ *host, x *World) {
			x.Units = unitFunc(func(string) (facts.Unit, error) { return facts.Unit{}, errors.New("x") })
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(newServer(2, 100*time.Millisecond))
			x := h.world()
			x.GPU, x.Machine = gpus{gpuWith(42, &some)}, machine{pids: []int{42}}
			change(h, &x)
			w := scoutRun(20 * time.Second)
			w.Kind, w.Models.Device = "vllm", "gpu"
			if r := Run(t.Context(), w, x); r.Passed() || !hasCode(r, diag.ModelsOnCPU) {
				t.Errorf("%s: %+v", name, r.Problems)
			}
		})
	}
}

// A server whose processes hold no GPU memory fell back to the CPU.
func TestOnGPU_ProcessesOfTheUnitMustHoldGPUMemory(t *testing.T) {
	some, none := uint64(1<<30), uint64(0)
	through := gpuWith(1, &some)
	through.NVML.GPUs[0].Processes, through.NVML.GPUs[0].MPSProcesses = &facts.GPUClients{}, &facts.GPUClients{{PID: 42, Memory: &some}}
	for name, c := range map[string]struct {
		look   facts.GPULook
		pids   []int
		status diag.Status
	}{
		"a child of the server":             {gpuWith(43, &some), []int{42, 43}, diag.StatusReady},
		"through MPS":                       {through, []int{42}, diag.StatusReady},
		"a process of another unit":         {gpuWith(7, &some), []int{42, 43}, diag.StatusFailed},
		"no memory":                         {gpuWith(42, &none), []int{42}, diag.StatusFailed},
		"memory that is not reported":       {gpuWith(42, nil), []int{42}, diag.StatusFailed},
		"no process of the unit is found":   {gpuWith(42, &some), nil, diag.StatusFailed},
		"NVML does not answer":              {facts.GPULook{Kind: facts.HelperHung}, []int{42}, diag.StatusFailed},
		"a GPU that does not list its own":  {facts.GPULook{Kind: facts.GPUAnswered, NVML: &facts.NVML{GPUs: []facts.GPU{{}}}}, []int{42}, diag.StatusFailed},
		"no GPU is left, only a CPU server": {facts.GPULook{Kind: facts.GPUNone, NVML: &facts.NVML{}}, []int{42}, diag.StatusFailed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(newServer(2, 100*time.Millisecond))
				x := h.world()
				x.GPU, x.Machine = gpus{c.look}, machine{pids: c.pids}
				w := scoutRun(20 * time.Second)
				w.Kind, w.Models.Device = "vllm", "gpu"
				r := Run(t.Context(), w, x)
				if r.Status != c.status || c.status != diag.StatusReady && !hasCode(r, diag.ModelsOnCPU) {
					t.Errorf("status %d, want %d: %+v", r.Status, c.status, r.Problems)
				}
			})
		})
	}
}
