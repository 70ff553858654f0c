// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"justnews/internal/diag"
)

// fault is something that goes wrong. start and end are called with h.mu held; a fault
// without end is over at once. One that finds nothing to happen to sets h.missed. codes are those with which a gate may refuse because of it,
// besides consequences.
type fault struct {
	name       string
	codes      []diag.Code
	start, end func(h *host, a *actor)
}

// consequences are the codes with which gates may refuse because of any fault that delays a
// server they wait for.
var consequences = []diag.Code{
	diag.OrchestratorUnreachable, diag.PreloadTimeout, diag.ModelsTimeout, diag.BusUnreachable,
	diag.OrchestratorUnit, diag.BusUnit, // whose own gates keep refusing
}

// restarted is also what an operator does (host.operate).
const restarted = "the orchestrator is killed"

var everyFault = []fault{
	{restarted, []diag.Code{diag.OrchestratorUnit, diag.Interrupted}, func(h *host, _ *actor) { h.crash(h.orchestratorUnit) }, nil},
	{"the bus is killed", []diag.Code{diag.BusUnit}, func(h *host, _ *actor) { h.crash(h.busUnit) }, nil},
	{"a unit is killed", []diag.Code{diag.OrchestratorUnit, diag.BusUnit, diag.MPSUnit, diag.MPSTimeout, diag.MPSDead, diag.Interrupted}, func(h *host, a *actor) { h.crash(h.order[a.rng.IntN(len(h.order))]) }, nil},
	{
		"the orchestrator starts slowly", nil,
		func(h *host, a *actor) { h.slow = a.between(0, 90*time.Second) }, func(h *host, _ *actor) { h.slow = 0 },
	},
	{"the orchestrator is stopped", nil, func(h *host, a *actor) {
		if h.missed = h.orchestrator == nil; !h.missed {
			h.orchestrator.frozen = time.Now().Add(a.between(0, 20*time.Second))
		}
	}, nil},
	{"a gate is killed", nil, func(h *host, a *actor) { h.oneOf(a, (*process).kill) }, nil},
	{"the leader is killed", nil, func(h *host, _ *actor) { h.leader((*process).kill) }, nil},
	{"a gate is terminated", []diag.Code{diag.Interrupted}, func(h *host, a *actor) { h.oneOf(a, (*process).terminate) }, nil},
	{"a gate is stopped", []diag.Code{diag.MPSTimeout}, func(h *host, a *actor) { h.oneOf(a, func(p *process) { p.stop(a) }) }, nil},
	{"the leader is stopped", nil, func(h *host, a *actor) { h.leader(func(p *process) { p.stop(a) }) }, nil},
	{
		"messages are lost, delayed and repeated", []diag.Code{diag.OrchestratorNonsense, diag.BusNonsense, diag.PreloadRefused, diag.ModelsIncomplete, diag.PreloadEmpty, diag.ModelsInconsistent, diag.PreloadTimeout},
		func(h *host, a *actor) {
			n := func() int { return a.rng.IntN(4) * (1 + a.rng.IntN(12)) }
			h.net = network{lost: n(), unanswered: n(), repeated: n(), failing: n(), garbled: n(), slow: n()}
		},
		func(h *host, _ *actor) { h.net = network{} },
	},
	{
		"models do not load", []diag.Code{diag.ModelFailed},
		func(h *host, a *actor) { h.broken = 1 + a.rng.IntN(h.models) }, func(h *host, _ *actor) { h.broken = 0 },
	},
	{
		"the orchestrator loads less than the map lists", []diag.Code{diag.ModelsIncomplete, diag.PreloadEmpty},
		func(h *host, _ *actor) { h.short = 1 }, func(h *host, _ *actor) { h.short = 0 },
	},
	{
		"the orchestrator ignores requests to load", []diag.Code{diag.ModelsIncomplete, diag.PreloadEmpty},
		func(h *host, _ *actor) { h.ignores = true }, func(h *host, _ *actor) { h.ignores = false },
	},
	{
		"a second worker process knows of no job", []diag.Code{diag.ModelsInconsistent, diag.ModelsIncomplete, diag.PreloadEmpty},
		func(h *host, _ *actor) { h.workers = true }, func(h *host, _ *actor) { h.workers = false },
	},
	{"the disk is full", []diag.Code{diag.NoLock}, func(h *host, _ *actor) { h.diskFails = full }, (*host).mendDisk},
	{"the disk fails", []diag.Code{diag.NoLock}, func(h *host, _ *actor) { h.diskFails = eio }, (*host).mendDisk},
	{"the disk reports errors late", []diag.Code{diag.NoLock}, func(h *host, _ *actor) { h.diskFails = late }, (*host).mendDisk},
	{"the lock's file is removed", nil, func(h *host, _ *actor) {
		if h.missed = os.Remove(filepath.Join(h.dir, lockName+".lock")) != nil; !h.missed {
			h.unlocked = time.Now()
			h.lockChanged()
		}
	}, nil},
	{
		"systemd does not answer", []diag.Code{diag.ServerUnproven, diag.UnitUnmarked, diag.MPSUnit, diag.MPSTimeout},
		func(h *host, _ *actor) { h.dbusDown = true }, func(h *host, _ *actor) { h.dbusDown = false },
	},
	{
		"systemd answers too late", []diag.Code{diag.ServerUnproven, diag.UnitUnmarked, diag.MPSUnit, diag.MPSTimeout},
		func(h *host, _ *actor) { h.dbusHangs = true }, func(h *host, _ *actor) { h.dbusHangs = false },
	},
	{"the MPS daemon is killed", []diag.Code{diag.MPSUnit, diag.MPSTimeout, diag.MPSDead}, func(h *host, _ *actor) {
		if h.missed = h.mpsUnit == nil; !h.missed {
			h.crash(h.mpsUnit)
		}
	}, nil},
	{
		"the MPS daemon hangs", []diag.Code{diag.MPSWedged, diag.MPSUnit, diag.MPSTimeout},
		func(h *host, _ *actor) { h.wedged = true }, func(h *host, _ *actor) { h.wedged = false },
	},
	{
		"the Model Store is damaged", []diag.Code{diag.StoreCorrupt},
		func(h *host, _ *actor) { h.damaged = true }, func(h *host, _ *actor) { h.damaged = false },
	},
	{"the wall clock is set", nil, func(h *host, a *actor) { h.wall = a.between(-time.Hour, time.Hour) }, nil},
	{
		"another process answers for the orchestrator", []diag.Code{diag.OrchestratorImpostor, diag.PreloadRefused, diag.ModelsIncomplete},
		func(h *host, _ *actor) { h.impostor = true }, func(h *host, _ *actor) { h.impostor = false },
	},
	{
		"another process answers for the bus", []diag.Code{diag.BusImpostor},
		func(h *host, _ *actor) { h.busImpostor = true }, func(h *host, _ *actor) { h.busImpostor = false },
	},
	{
		"the configuration is edited, and read later", []diag.Code{diag.UnitStale},
		func(h *host, _ *actor) { h.now = 1 - h.now }, (*host).reload,
	},
}

func (h *host) mendDisk(*actor) { h.diskFails = whole }

// crash ends a unit's main process.
func (h *host) crash(u *unit) {
	if h.missed = u.active != "active" || u.preload; !h.missed {
		u.notify("signal")
	}
}

// reload is systemctl daemon-reload: the units are those of the configuration.
func (h *host) reload(*actor) {
	for _, u := range h.order {
		u.mark = h.config().marks[u.instance]
	}
}

// oneOf does something to one of the gates that run.
func (h *host) oneOf(a *actor, do func(*process)) {
	running := slices.DeleteFunc(slices.Clone(h.order), func(u *unit) bool { return u.gate == nil })
	if h.missed = len(running) == 0; !h.missed {
		do(running[a.rng.IntN(len(running))].gate)
	}
}

func (h *host) leader(do func(*process)) {
	h.missed = true
	for _, u := range h.order {
		if u.gate != nil && h.holders[u.gate] {
			h.missed = false
			do(u.gate)
		}
	}
}

func (p *process) stop(a *actor) {
	p.stopped, p.halted = time.Now().Add(a.between(0, 30*time.Second)), true
}

// letters name the faults of one host.
const letters = "abcdef"

// strike runs the faults that the seed chooses, limited to those in keep, and returns when
// all are over. It reports whether one of them lasts.
func (h *host) strike(ctx context.Context, keep string) (lasting bool) {
	a := h.actor("faults", nil)
	lasts := a.chance(20)
	var all sync.WaitGroup
	for i, letter := range letters[:a.rng.IntN(len(letters)+1)] {
		f := everyFault[a.rng.IntN(len(everyFault))]
		if !strings.ContainsRune(keep, letter) {
			continue
		}
		own := h.actor(fmt.Sprintf("fault %c, %s", letter, f.name), nil)
		forGood := lasts && i == 0 && f.end != nil
		lasting = lasting || forGood
		all.Go(func() { h.happen(ctx, own, f, forGood) })
	}
	all.Wait()
	return lasting
}

// happen is one fault from its start to its end.
func (h *host) happen(ctx context.Context, a *actor, f fault, forGood bool) {
	within := 15 * time.Second // half of them during the boot
	if a.chance(2) {
		within = 90 * time.Second
	}
	if !a.wait(ctx, a.between(0, within)) {
		return
	}
	h.mu.Lock()
	h.event(a, "begins")
	h.happened[f.name] = true
	h.active[f.name]++
	h.missed = false
	f.start(h, a)
	if !h.missed {
		h.struck[f.name]++
	}
	h.mu.Unlock()
	if f.end == nil || forGood {
		return
	}
	a.wait(ctx, a.between(0, 90*time.Second))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.event(a, "ends")
	if h.active[f.name]--; h.active[f.name] == 0 {
		f.end(h, a)
	}
}
