// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"context"
	"time"

	"justnews/internal/digest"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/unitname"
)

// shelf is the Model Store: complete, or with a truncated file.
type shelf struct{ p *process }

func (s shelf) As(int) gate.ModelStore { return s }

func (s shelf) Look(ctx context.Context, wants []facts.StoreWant) facts.Store {
	look := facts.Store{
		Root: "/store", User: "justnews", Loader: "justnews",
		Trees: []facts.StoreTree{{Owner: "scout", Name: "v1", Path: "/store/scout/versions/v1"}},
	}
	if !s.p.wait(ctx, 2*time.Millisecond) {
		return look
	}
	s.p.h.mu.Lock()
	defer s.p.h.mu.Unlock()
	s.p.h.event(s.p.actor, "look at the store")
	s.p.storeLook = !s.p.h.damaged
	for _, w := range wants {
		look.Models = append(look.Models, facts.StoreModel{Want: w, Dir: "/store/scout", Files: 4, Bytes: 1000})
	}
	if s.p.h.damaged {
		look.Models[0].Faults = []facts.StoreFault{{Kind: facts.Cut, Path: "/store/w"}}
	}
	return look
}

func (s shelf) Recall(context.Context, []facts.StoreTree) []facts.StoreProof { return nil }

func (s shelf) Prove(context.Context, []facts.StoreTree, func(digest.Progress)) []facts.StoreProof {
	return nil
}

// driver is a GPU, and NVIDIA MPS, whose control daemon is the main process of its
// unit.
type driver struct{ p *process }

func (d driver) Look(ctx context.Context) facts.GPULook {
	if !d.p.wait(ctx, 5*time.Millisecond) {
		return facts.GPULook{Detail: "the run ended"}
	}
	n, on := 1, true
	opens := facts.DeviceNode{State: facts.NodeOpens}
	return facts.GPULook{
		Kind: facts.GPUAnswered, UVM: opens, Control: opens,
		NVML: &facts.NVML{Outcome: facts.NVMLSuccess, Count: &n, DriverVersion: "550.163.01", GPUs: []facts.GPU{{Name: "NVIDIA L4", Persistence: &on}}},
	}
}

type mpsClient struct{ p *process }

func (m mpsClient) Look() facts.MPS {
	m.p.wait(context.Background(), 200*time.Microsecond)
	h := m.p.h
	h.mu.Lock()
	defer h.mu.Unlock()
	h.event(m.p.actor, "look at MPS")
	look := facts.MPS{Directory: facts.Directory{Exists: true, IsDir: true, Mode: 0o755}}
	if pid := int(h.mpsUnit.group); pid > 0 {
		look.Lock = facts.MPSLock{Exists: true, Held: true, PID: pid}
		look.Daemon = &facts.MPSProcess{PID: pid, UID: agentUID, State: "S", Exe: "/usr/bin/nvidia-cuda-mps-control", Args: []string{"nvidia-cuda-mps-control", "-f"}}
		look.Socket, look.SocketUID, look.Listeners = true, agentUID, 1
	}
	return look
}

const (
	pipes    = "/run/nvidia-mps"
	agentUID = 990
)

func (m mpsClient) Ask(ctx context.Context, _ ...string) facts.MPSAnswer {
	m.p.mpsLook = false
	if !m.p.wait(ctx, 2*time.Millisecond) {
		return facts.MPSAnswer{Kind: facts.MPSCutOff, Detail: "the run ended"}
	}
	h := m.p.h
	h.mu.Lock()
	h.event(m.p.actor, "ask MPS")
	up, wedged := h.mpsUnit.group != 0, h.wedged
	m.p.mpsLook = up && !wedged
	h.mu.Unlock()
	switch {
	case wedged:
		m.p.wait(ctx, 3*time.Second)
		return facts.MPSAnswer{Kind: facts.MPSHung, Detail: "no answer"}
	case !up:
		return facts.MPSAnswer{Kind: facts.MPSNoDaemon, Detail: "no daemon"}
	}
	return facts.MPSAnswer{Kind: facts.MPSAnswered, Percentage: 100}
}

func (m mpsClient) Servers(ctx context.Context) ([]facts.MPSServer, facts.MPSAnswer) {
	return nil, m.Ask(ctx)
}

func (m mpsClient) StartServer(ctx context.Context, _ int) facts.MPSAnswer { return m.Ask(ctx) }

func (m mpsClient) SetLimits(ctx context.Context, _ []string, _ int) facts.MPSAnswer {
	return m.Ask(ctx)
}

// Start starts the MPS unit for a gate, and waits for the job.
func (p *process) Start(ctx context.Context, name string) (facts.Start, error) {
	if name != unitname.MPS || !p.wait(ctx, 5*time.Millisecond) {
		return facts.Start{}, context.Cause(ctx)
	}
	u := p.h.mpsUnit
	u.notify("start")
	for range 100 {
		if u.seen().ActiveState == "active" {
			return facts.Start{Result: "done"}, nil
		}
		if !p.wait(ctx, 20*time.Millisecond) {
			break
		}
	}
	return facts.Start{}, nil
}
