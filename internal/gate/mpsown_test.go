// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/check/mps"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

func TestMPS_DaemonUnitSetsAndVerifiesLimits(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*gpuHost, *World)
		status  diag.Status
		code    diag.Code
		set     int
	}{
		"set and read back": {set: 1},
		"broken off, and set then": {
			prepare: func(h *gpuHost, _ *World) { h.answers = []facts.MPSAnswerKind{facts.MPSBusy} }, set: 1,
		},
		"not taken": {
			prepare: func(h *gpuHost, _ *World) { h.deaf = true }, status: diag.StatusGPU, code: diag.MPSLimit,
		},
		"its daemon has ended": {
			prepare: func(h *gpuHost, _ *World) { h.stop() }, status: diag.StatusGPU, code: diag.MPSDead,
		},
		"its daemon has ended, and a stray answers": {
			prepare: func(h *gpuHost, _ *World) {
				h.daemon = 99
				h.change(func(u *facts.Unit) { u.MainPID = 0 })
			}, status: diag.StatusGPU, code: diag.MPSStray,
		},
		"systemd does not say, and its daemon holds the lock": {
			prepare: func(h *gpuHost, _ *World) { h.busDead = true }, set: 1,
		},
		"systemd does not say, and a stray holds it": {
			prepare: func(h *gpuHost, _ *World) { h.busDead, h.daemon = true, 99 }, status: diag.StatusGPU, code: diag.MPSStray,
		},
		"there is no systemd to ask": {
			prepare: func(_ *gpuHost, x *World) { x.Units = nil }, set: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newGPUHost()
				h.unit("activating", "start-post")
				h.change(func(u *facts.Unit) { u.MainPID = 41 })
				x := h.ownWorld()
				if c.prepare != nil {
					c.prepare(h, &x)
				}
				w := mpsRun("control")
				w.Unit, w.MPS.DefaultMemory, w.MPS.DefaultThreads = mpsUnit, "6G", 50
				r := ProveMPS(t.Context(), w, x)
				if r.Status != c.status || c.code != "" && !says(r, c.code, "") {
					t.Errorf("status %d, %+v; want %d %s", r.Status, r.Problems, c.status, c.code)
				}
				if h.set != c.set || h.starts != 0 {
					t.Errorf("set %d times, want %d; %d starts", h.set, c.set, h.starts)
				}
			})
		})
	}
}

func TestMPS_SignalEndsEachPhaseWithoutOpening(t *testing.T) {
	for name, c := range map[string]struct {
		require string
		prepare func(*gpuHost)
	}{
		"while the unit is waited for": {"control", func(h *gpuHost) { h.unit("activating", "start-post") }},
		"while systemd is asked":       {"control", func(h *gpuHost) { h.busHangs = true }},
		"while it is started": {"control", func(h *gpuHost) {
			h.stop()
			h.start = func(ctx context.Context, _ *gpuHost) (facts.Start, error) {
				<-ctx.Done()
				return facts.Start{}, ctx.Err()
			}
		}},
		"while the daemon is asked": {"control", func(h *gpuHost) { h.hangs = true }},
		"between two tries":         {"control", func(h *gpuHost) { h.daemon, h.listens = 0, false }},
		"while the server is proven": {"server", func(h *gpuHost) {
			h.at(time.Millisecond*500, func(h *gpuHost) { h.servers = []facts.MPSServer{{PID: 70, UID: 990, State: "ACTIVE"}} })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newGPUHost()
				c.prepare(h)
				ctx, signal := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { signal(errors.New("terminated")) })
				r := Run(ctx, mpsRun(c.require), h.world())
				if r.Passed() || !says(r, diag.Interrupted, "terminated") || r.Elapsed > 1100*time.Millisecond || len(diag.Errors(r.Problems)) != 1 {
					t.Errorf("status %d after %v: %+v", r.Status, r.Elapsed, r.Problems)
				}
			})
		})
	}
}

func TestMPS_GlanceNeitherStartsNorWaits(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*gpuHost, *World)
		require string
		reached mps.Rung
		code    diag.Code
		unit    bool
	}{
		"all is well":     {nil, "control", mps.RungControl, "", true},
		"the unit is off": {func(h *gpuHost, _ *World) { h.stop() }, "control", mps.NoRung, diag.MPSDead, true},
		"the unit failed": {func(h *gpuHost, _ *World) { h.stop(); h.unit("failed", "failed") }, "control", mps.NoRung, diag.MPSUnit, true},
		"broken off twice": {func(h *gpuHost, _ *World) { h.answers = []facts.MPSAnswerKind{facts.MPSBusy, facts.MPSEmpty} },
			"control", mps.RungControl, "", true},
		"interrupted repeatedly": {func(h *gpuHost, _ *World) {
			h.answers = []facts.MPSAnswerKind{facts.MPSBusy, facts.MPSBusy, facts.MPSBusy}
		},
			"control", mps.RungDaemon, diag.MPSBusy, true},
		"it hangs":                     {func(h *gpuHost, _ *World) { h.hangs = true }, "control", mps.RungDaemon, diag.MPSWedged, true},
		"no systemd":                   {func(_ *gpuHost, x *World) { x.Units = nil }, "control", mps.RungControl, "", false},
		"a dead bus":                   {func(h *gpuHost, _ *World) { h.busDead = true }, "control", mps.RungControl, "", false},
		"no server":                    {nil, "server", mps.RungControl, diag.MPSServer, true},
		"only the daemon is asked for": {func(h *gpuHost, _ *World) { h.hangs = true }, "daemon", mps.RungDaemon, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newGPUHost()
				x := h.world()
				if c.prepare != nil {
					c.prepare(h, &x)
				}
				began := time.Now()
				g := GlanceMPS(t.Context(), mpsRun(c.require), x)
				if g.Reached != c.reached || (g.Unit != nil) != c.unit || h.starts != 0 {
					t.Errorf("reached %s, want %s; unit %v, %d starts", g.Reached, c.reached, g.Unit, h.starts)
				}
				if (c.code == "") != (len(diag.Errors(g.Problems)) == 0) || c.code != "" && g.Problems[0].Code != c.code {
					t.Errorf("%+v, want %s", g.Problems, c.code)
				}
				if took := time.Since(began); took > 4*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}
