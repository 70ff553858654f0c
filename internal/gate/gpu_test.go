// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// driver is a GPU whose looks change with time.
type driver struct {
	looks int
	at    func(since time.Duration) facts.GPULook
	takes time.Duration
	began time.Time
}

func (d *driver) Look(ctx context.Context) facts.GPULook {
	d.looks++
	if !pause(ctx, d.takes) {
		return facts.GPULook{Detail: "the run ended"}
	}
	return d.at(time.Since(d.began))
}

func oneGPU() facts.GPULook {
	n, on := 1, true
	return facts.GPULook{
		Kind: facts.GPUAnswered, UVM: facts.DeviceNode{State: facts.NodeOpens}, Control: facts.DeviceNode{State: facts.NodeOpens},
		NVML: &facts.NVML{Outcome: facts.NVMLSuccess, Count: &n, DriverVersion: "550.163.01", GPUs: []facts.GPU{{Name: "NVIDIA L4", Persistence: &on}}},
	}
}

func failing(kind facts.GPUKind) func(time.Duration) facts.GPULook {
	return func(time.Duration) facts.GPULook { return facts.GPULook{Kind: kind, NVML: &facts.NVML{}} }
}

func TestGPUStep(t *testing.T) {
	late := func(arrives time.Duration, before facts.GPULook) func(time.Duration) facts.GPULook {
		return func(since time.Duration) facts.GPULook {
			if since < arrives {
				return before
			}
			return oneGPU()
		}
	}
	noUVM := oneGPU()
	noUVM.UVM.State = facts.NodeMissing
	for name, c := range map[string]struct {
		at      func(time.Duration) facts.GPULook
		takes   time.Duration
		timeout time.Duration
		status  diag.Status
		code    diag.Code
		looks   int // 0: more than one
		within  time.Duration
	}{
		"it opens on a GPU at the first look": {at: func(time.Duration) facts.GPULook { return oneGPU() }, looks: 1, within: time.Millisecond},
		"it waits for a driver that is late": {
			at: late(4*time.Second, facts.GPULook{Kind: facts.DriverNotLoaded, NVML: &facts.NVML{}}), within: 9 * time.Second,
		},
		"it waits for a device node that is late": {at: late(4*time.Second, noUVM), within: 9 * time.Second},
		"its patience with a driver ends": {
			at: failing(facts.DriverNotLoaded), status: diag.StatusGPU, code: diag.GPUDriverNotLoaded, within: 11 * time.Second,
		},
		"its patience is never beyond the deadline": {
			at: failing(facts.DriverNotLoaded), timeout: 3 * time.Second, status: diag.StatusGPU, code: diag.GPUDriverNotLoaded, within: 3 * time.Second,
		},
		"a mismatch decides at once":       {at: failing(facts.DriverMismatch), status: diag.StatusGPU, code: diag.GPUDriverMismatch, looks: 1, within: time.Millisecond},
		"a missing helper decides at once": {at: failing(facts.HelperMissing), status: diag.StatusGPU, code: diag.GPUHelperMissing, looks: 1, within: time.Millisecond},
		"a hung driver decides at once": {
			at: failing(facts.HelperHung), takes: 5 * time.Second, status: diag.StatusGPU, code: diag.GPUHelperHung, looks: 1, within: 5 * time.Second,
		},
		"a look that the deadline cuts off is no verdict on the GPU": {
			at: failing(facts.GPUAnswered), takes: time.Hour, timeout: 2 * time.Second, status: diag.StatusGPU, code: diag.GPUUnknown, looks: 1, within: 2 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &driver{at: c.at, takes: c.takes, began: time.Now()}
				w := requirement.Run{Instance: "scout", Timeout: requirement.Timeout{Value: max(c.timeout, 0)}, GPU: requirement.GPU{Needed: true, MinCount: 1, Patience: 10 * time.Second}}
				if c.timeout == 0 {
					w.Timeout.Value = time.Minute
				}
				r := Run(t.Context(), w, World{GPU: d, Map: ModelMap{Total: -1}})
				if r.Status != c.status || c.code != "" && r.Problems[0].Code != c.code {
					t.Errorf("status %d, problems %v", r.Status, r.Problems)
				}
				if r.Elapsed > c.within || c.looks > 0 && d.looks != c.looks || c.looks == 0 && d.looks < 2 || d.looks > 15 {
					t.Errorf("after %s and %d looks", r.Elapsed, d.looks)
				}
				if r.GPU == nil || !slices.ContainsFunc(r.Steps, func(s StepResult) bool { return s.Name == "gpu" && s.Detail != "" }) {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

func TestGPU_LookThatIsCutOffDoesNotHideTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &driver{at: failing(facts.DriverNotLoaded), takes: 500 * time.Millisecond, began: time.Now()}
		w := requirement.Run{Timeout: requirement.Timeout{Value: 1800 * time.Millisecond}, GPU: requirement.GPU{Needed: true, MinCount: 1, Patience: time.Minute}}
		r := Run(t.Context(), w, World{GPU: d, Jitter: func(d time.Duration) time.Duration { return d }})
		if d.looks != 2 || len(r.Problems) == 0 || r.Problems[0].Code != diag.GPUDriverNotLoaded {
			t.Errorf("%d looks, %v", d.looks, r.Problems)
		}
	})
}

func TestGPU_NoQueryIfNoGPUIsRequired(t *testing.T) {
	d := &driver{at: failing(facts.HelperHung)}
	r := Run(t.Context(), requirement.Run{Timeout: requirement.Timeout{Value: time.Minute}}, World{GPU: d})
	if d.looks != 0 || r.GPU != nil || !r.Passed() {
		t.Errorf("%d looks, %+v", d.looks, r)
	}
}

func TestGPU_FailedQueryKeepsTheGateShut(t *testing.T) {
	r := Run(t.Context(), requirement.Run{Timeout: requirement.Timeout{Value: time.Minute}, GPU: requirement.GPU{Needed: true}}, World{})
	if r.Status != diag.StatusGPU || r.Problems[0].Code != diag.GPUUnknown {
		t.Errorf("status %d, %v", r.Status, r.Problems)
	}
}

func TestGPU_SurveyReportsAMissingGPUWithoutWaiting(t *testing.T) {
	d := &driver{at: failing(facts.DriverNotLoaded), began: time.Now()}
	r := Survey(t.Context(), requirement.Run{Timeout: requirement.Timeout{Value: time.Minute}}, World{GPU: d})
	if d.looks != 1 || !r.Passed() || len(r.Problems) != 1 || r.Problems[0].Severity != diag.Notice || r.Problems[0].Code != diag.GPUDriverNotLoaded {
		t.Errorf("%d looks, %v", d.looks, r.Problems)
	}
}

func TestGPU_IsQueriedBeforeTheOrchestrator(t *testing.T) {
	w := scoutRun(time.Minute)
	w.GPU.Needed = true
	var names []string
	for _, s := range gateSteps(w) {
		names = append(names, s.name)
	}
	if i, j := slices.Index(names, "gpu"), slices.Index(names, "orchestrator"); i < 0 || i > j {
		t.Errorf("%q", names)
	}
}
