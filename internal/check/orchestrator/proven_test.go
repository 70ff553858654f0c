// SPDX-License-Identifier: Apache-2.0

package orchestrator_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"justnews/internal/check/orchestrator"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

func modelServer(placed bool) orchestrator.Subject {
	s := orchestrator.Subject{URL: "http://127.0.0.1:8080", Unit: "llama.service"}
	s.Protocol.Placed = placed
	return s
}

// Only an answer of the model proves it, and only a server that could not be reached is
// asked again.
func TestCanary_OnlyAnAnswerPasses(t *testing.T) {
	for name, c := range map[string]struct {
		a     facts.Answer
		code  diag.Code // "": it passed
		again bool
	}{
		"an answer":           {facts.Answer{Kind: facts.Answered, Status: 200}, "", false},
		"another's":           {facts.Answer{Kind: facts.Foreign, Status: 200}, diag.OrchestratorImpostor, false},
		"without a key":       {facts.Answer{Kind: facts.Nonsense, Status: http.StatusUnauthorized}, diag.OrchestratorNonsense, false},
		"with a wrong key":    {facts.Answer{Kind: facts.Nonsense, Status: http.StatusForbidden}, diag.OrchestratorNonsense, false},
		"an error":            {facts.Answer{Kind: facts.Nonsense, Status: 500, Detail: "CUDA error"}, diag.ModelCanary, false},
		"no connection":       {facts.Answer{Kind: facts.Refused}, diag.ModelCanary, true},
		"nothing was asked":   {facts.Answer{}, diag.ModelCanary, true},
		"not ready yet":       {facts.Answer{Kind: facts.ServerError, Status: 503}, diag.ModelCanary, true},
		"an unknown owner":    {facts.Answer{Kind: facts.Unattributed, Status: 200}, diag.ModelCanary, true},
		"an answer of no use": {facts.Answer{Kind: facts.Nonsense, Status: 200, Detail: "x"}, diag.ModelCanary, false},
	} {
		p, again := orchestrator.Canary(modelServer(false), "a/b", c.a)
		if (p == nil) != (c.code == "") || p != nil && p.Code != c.code || again != c.again {
			t.Errorf("%s: %+v, again %t; want %q, again %t", name, p, again, c.code, c.again)
		}
		if p != nil {
			findings.Sound(t, *p)
			if key := strings.Contains(p.Message, "API key"); key != (c.a.Status == http.StatusUnauthorized || c.a.Status == http.StatusForbidden) {
				t.Errorf("%s: %s", name, p.Message)
			}
		}
	}
}

// Models are on a GPU where a process of the unit holds memory of one; what is not known
// is not proof.
func TestOnGPU_OnlyHeldMemoryOrTheServersReportPasses(t *testing.T) {
	some, none := uint64(1), uint64(0)
	look := func(direct, mps *facts.GPUClients) facts.GPULook {
		return facts.GPULook{Kind: facts.GPUAnswered, NVML: &facts.NVML{GPUs: []facts.GPU{{Processes: direct, MPSProcesses: mps}}}}
	}
	clients := func(all ...facts.GPUClient) *facts.GPUClients { c := facts.GPUClients(all); return &c }
	empty, ours := clients(), []int{7, 8}
	for name, c := range map[string]struct {
		placed bool
		onCPU  []string
		pids   []int
		look   facts.GPULook
		seen   string // "": it passed
		again  bool
	}{
		"the server places them":       {true, nil, nil, facts.GPULook{}, "", false},
		"one of them is on the CPU":    {true, []string{"a/b"}, ours, look(clients(facts.GPUClient{PID: 7, Memory: &some}), empty), "a/b", false},
		"what others place is no word": {false, []string{"a/b"}, ours, look(clients(facts.GPUClient{PID: 7, Memory: &some}), empty), "", false},
		"a process holds memory":       {false, nil, ours, look(clients(facts.GPUClient{PID: 8, Memory: &some}), empty), "", false},
		"through MPS":                  {false, nil, ours, look(empty, clients(facts.GPUClient{PID: 7, Memory: &some})), "", false},
		"next to an unknown one":       {false, nil, ours, look(clients(facts.GPUClient{PID: 7}, facts.GPUClient{PID: 8, Memory: &some}), nil), "", false},
		"another's process":            {false, nil, ours, look(clients(facts.GPUClient{PID: 9, Memory: &some}), empty), "none of the 2 processes", false},
		"no memory":                    {false, nil, ours, look(clients(facts.GPUClient{PID: 7, Memory: &none}), empty), "none of the 2 processes", false},
		"memory that is not reported":  {false, nil, ours, look(clients(facts.GPUClient{PID: 7}), empty), "does not report", true},
		"of another's, neither":        {false, nil, ours, look(clients(facts.GPUClient{PID: 9}), empty), "none of", false},
		"no list":                      {false, nil, ours, look(nil, empty), "does not report", true},
		"no list of MPS":               {false, nil, ours, look(empty, nil), "does not report", true},
		"no process is known":          {false, nil, nil, look(clients(facts.GPUClient{PID: 0, Memory: &some}), empty), "no process of llama.service", true},
		"NVML failed":                  {false, nil, ours, facts.GPULook{Kind: facts.GPUFailed, NVML: look(clients(facts.GPUClient{PID: 7, Memory: &some}), empty).NVML}, "NVML does not answer", true},
		"NVML was not asked":           {false, nil, ours, facts.GPULook{Kind: facts.GPUAnswered}, "NVML does not answer", true},
	} {
		p, again := orchestrator.OnGPU(modelServer(c.placed), facts.ModelsState{OnCPU: c.onCPU}, c.pids, c.look)
		if (p == nil) != (c.seen == "") || p != nil && !strings.Contains(p.Seen, c.seen) || again != c.again {
			t.Errorf("%s: %+v, again %t; want %q, again %t", name, p, again, c.seen, c.again)
		}
		if p != nil {
			findings.Sound(t, *p)
		}
	}
}

// Whether an orchestrator only simulates loading is known from its process, or from the
// preload of the running one.
func TestDryRun_IsKnownOnlyFromTheProcessOrThePreload(t *testing.T) {
	u := facts.Unit{Name: "justnews@gpu_orchestrator.service", ActiveState: "active"}
	u.Times.ExecMainStart = time.Second
	preload := facts.Unit{Name: "justnews-preload.service", ActiveState: "active", ExecMainCode: facts.CodeExited}
	preload.Times.ActiveEnter = 2 * time.Second
	before := preload
	before.Times.ActiveEnter = time.Second
	dry := map[string]string{"MODEL_STORE_DRY_RUN": "1"}
	for name, c := range map[string]struct {
		e       facts.Environment
		preload facts.Unit
		errors  int
		unknown bool
		seen    string
	}{
		"the process says no":         {facts.Environment{Exact: true}, facts.Unit{}, 0, false, ""},
		"the process says yes":        {facts.Environment{Exact: true, Values: dry}, preload, 1, false, "in the running process"},
		"another process says yes":    {facts.Environment{Exact: true, Others: []map[string]string{{}, dry}}, preload, 1, false, "in the running process"},
		"the files say yes":           {facts.Environment{Values: dry}, preload, 1, false, "in the unit's environment files"},
		"the preload has passed":      {facts.Environment{}, preload, 0, false, ""},
		"the preload passed before":   {facts.Environment{}, before, 1, true, "no preload has checked it"},
		"there is no preload":         {facts.Environment{}, facts.Unit{}, 1, true, "no preload has checked it"},
		"the process, and no preload": {facts.Environment{Exact: true}, before, 0, false, ""},
	} {
		problems, unknown := orchestrator.DryRun(u, c.e, c.preload)
		if len(diag.Errors(problems)) != c.errors || unknown != c.unknown {
			t.Errorf("%s: %+v, unknown %t", name, problems, unknown)
		}
		for _, p := range problems {
			findings.Sound(t, p)
			if !strings.Contains(p.Seen+p.Message, c.seen) {
				t.Errorf("%s: %+v, want %q", name, p, c.seen)
			}
		}
	}
}
