// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"justnews/internal/config"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

const (
	mpsUnit   = "justnews-mps.service"
	scoutUnit = "justnews@scout.service"
	pipeDir   = "/run/nvidia-mps"
)

// gpuHost simulates systemd and NVIDIA MPS in virtual time. Its fields may be
// changed while a test runs, by at.
type gpuHost struct {
	mu       sync.Mutex
	units    map[string]facts.Unit
	busDead  bool // systemd answers nothing
	busHangs bool // and says so only when its caller gives up

	daemon   int // PID of the control daemon, 0: none
	holder   int // PID that holds the lock, where it is not the daemon's
	user     int // of the daemon
	hidden   bool
	listens  bool
	answers  []facts.MPSAnswerKind // of the next questions; then it answers
	hangs    bool                  // questions last until their limit
	memory   string
	threads  float64
	deaf     bool // limits are answered and not taken
	servers  []facts.MPSServer
	serverIn time.Duration // from start_server until it is active; 0: never
	lasts    time.Duration // of the server, 0: unlimited

	// start is what StartUnit does; nil: the daemon is active at once.
	start func(ctx context.Context, h *gpuHost) (facts.Start, error)

	stopped bool // the daemon, by SIGSTOP
	// meanwhile happens before the next look.
	meanwhile func(*gpuHost)

	starts, asks, serverStarts, unitAsks, set int
}

// newGPUHost is a host whose daemon runs and is proven.
func newGPUHost() *gpuHost {
	h := &gpuHost{units: map[string]facts.Unit{}, user: 990, threads: 100, memory: ""}
	h.units[scoutUnit] = facts.Unit{Name: scoutUnit, LoadState: "loaded", ActiveState: "activating", SubState: "start-pre"}
	h.unit("inactive", "dead")
	h.run(41)
	return h
}

func (h *gpuHost) unit(active, sub string) {
	h.units[mpsUnit] = facts.Unit{Name: mpsUnit, LoadState: "loaded", ActiveState: active, SubState: sub, ConditionResult: true}
}

// change changes the daemon's unit.
func (h *gpuHost) change(f func(*facts.Unit)) {
	u := h.units[mpsUnit]
	f(&u)
	h.units[mpsUnit] = u
}

func (h *gpuHost) run(pid int) {
	h.unit("active", "running")
	h.daemon, h.listens = pid, true
	h.change(func(u *facts.Unit) { u.MainPID = pid })
}

// stop leaves the unit inactive, and no daemon.
func (h *gpuHost) stop() {
	h.unit("inactive", "dead")
	h.daemon, h.listens = 0, false
}

func (h *gpuHost) at(d time.Duration, change func(*gpuHost)) {
	time.AfterFunc(d, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		change(h)
	})
}

func (h *gpuHost) Unit(ctx context.Context, name string, _ ...string) (facts.Unit, error) {
	h.mu.Lock()
	h.unitAsks++
	dead, hangs, u := h.busDead, h.busHangs, h.units[name]
	h.mu.Unlock()
	if hangs {
		<-ctx.Done()
	}
	switch {
	case ctx.Err() != nil:
		return facts.Unit{}, ctx.Err()
	case dead:
		return facts.Unit{}, errors.New("dial unix /run/dbus/system_bus_socket: connection refused")
	case u.Name == "":
		return facts.Unit{Name: name, LoadState: "not-found", ActiveState: "inactive"}, nil
	}
	return u, nil
}

func (h *gpuHost) Start(ctx context.Context, unit string) (facts.Start, error) {
	h.mu.Lock()
	h.starts++
	start := h.start
	h.mu.Unlock()
	if unit != mpsUnit {
		return facts.Start{}, errors.New("not that unit")
	}
	if start != nil {
		return start(ctx, h)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.run(41)
	return facts.Start{Result: "done"}, nil
}

func (h *gpuHost) Look() facts.MPS {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.meanwhile != nil {
		h.meanwhile(h)
		h.meanwhile = nil
	}
	m := facts.MPS{Directory: facts.Directory{Exists: true, IsDir: true, Mode: 0o755}}
	if pid := max(h.holder, h.daemon); pid > 0 {
		m.Lock = facts.MPSLock{Exists: true, Held: true, PID: pid}
		m.Daemon = &facts.MPSProcess{PID: pid, UID: h.user, State: "S", Exe: "/usr/bin/nvidia-cuda-mps-control", Args: []string{"nvidia-cuda-mps-control", "-f"}}
		if h.stopped {
			m.Daemon.State = "T"
		}
		if h.hidden {
			m.Daemon.Exe = ""
		}
	}
	if h.listens {
		m.Socket, m.SocketUID, m.Listeners = true, h.user, 1
	}
	return m
}

// ask is one question: how it ends.
func (h *gpuHost) ask(ctx context.Context) facts.MPSAnswer {
	h.mu.Lock()
	h.asks++
	hangs, kind := h.hangs, facts.MPSAnswered
	if len(h.answers) > 0 {
		kind, h.answers = h.answers[0], h.answers[1:]
	} else if h.daemon == 0 {
		kind = facts.MPSNoDaemon
	}
	h.mu.Unlock()
	limit := 2 * time.Millisecond
	if hangs {
		limit, kind = 3*time.Second, facts.MPSHung
	}
	if !pause(ctx, limit) {
		kind = facts.MPSHung
	}
	a := facts.MPSAnswer{Kind: kind, Detail: "as the test wants it"}
	if kind == facts.MPSAnswered {
		a.Percentage = h.threads
	}
	return a
}

func (h *gpuHost) Ask(ctx context.Context, commands ...string) facts.MPSAnswer {
	a := h.ask(ctx)
	if a.Kind == facts.MPSAnswered && h.memory != "" && slices.ContainsFunc(commands, func(c string) bool { return strings.HasPrefix(c, "get_default_device") }) {
		a.Lines = []string{h.memory}
	}
	return a
}

func (h *gpuHost) SetLimits(ctx context.Context, memory []string, threads int) facts.MPSAnswer {
	a := h.ask(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	if a.Kind == facts.MPSAnswered && !h.deaf {
		h.set++
		h.memory, h.threads = strings.TrimPrefix(strings.Join(memory, ","), "0 "), float64(threads)
	}
	return a
}

func (h *gpuHost) Servers(ctx context.Context) ([]facts.MPSServer, facts.MPSAnswer) {
	a := h.ask(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	if a.Kind != facts.MPSAnswered {
		return nil, a
	}
	return slices.Clone(h.servers), a
}

func (h *gpuHost) StartServer(ctx context.Context, uid int) facts.MPSAnswer {
	a := h.ask(ctx)
	if a.Kind != facts.MPSAnswered {
		return a
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.serverStarts++
	if h.serverIn > 0 {
		h.at(h.serverIn, func(h *gpuHost) {
			h.servers = []facts.MPSServer{{PID: 70, UID: uid, State: "ACTIVE", Alive: true}}
			if h.lasts > 0 {
				h.at(h.lasts, func(h *gpuHost) { h.servers = nil })
			}
		})
	}
	return a
}

// world is the world of scout's own gate, as systemd runs it.
func (h *gpuHost) world() World {
	uid, own := 990, h.units[scoutUnit]
	return World{
		Units: h, Starter: h, MPS: h, Map: ModelMap{Total: -1},
		Self: Self{
			Unit: &own, User: "justnews", AgentUID: &uid,
			Environment: func(name string) (string, bool) {
				if name != "CUDA_MPS_PIPE_DIRECTORY" {
					return "", false
				}
				return pipeDir, true
			},
		},
	}
}

// ownWorld is that of the daemon's own unit, in ExecStartPost=.
func (h *gpuHost) ownWorld() World {
	x := h.world()
	own := h.units[mpsUnit]
	x.Self.Unit = &own
	return x
}

func mpsRun(require string) requirement.Run {
	return requirement.Run{
		Instance: "scout", Unit: scoutUnit, Timeout: requirement.Timeout{Value: time.Minute, Origin: "test"},
		RequireMPS: true, MPS: config.MPS{Unit: mpsUnit, PipeDirectory: pipeDir, Require: require},
	}
}
