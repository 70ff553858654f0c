// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/check/mps"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// setPipe gives scout's unit a pipe directory, as systemd shows it.
func setPipe(h *gpuHost, dir string) {
	u := h.units[scoutUnit]
	u.Environment = []string{"CUDA_MPS_PIPE_DIRECTORY=" + dir}
	h.units[scoutUnit] = u
}

// A run by hand judges what systemd shows of the unit.
func TestMPS_AuditByHandJudgesTheUnitAsSystemdShowsIt(t *testing.T) {
	files := func(h *gpuHost, n ...string) {
		u := h.units[scoutUnit]
		u.EnvironmentFiles = n
		h.units[scoutUnit] = u
	}
	for name, c := range map[string]struct {
		prepare func(*gpuHost, *World, *requirement.Run)
		code    diag.Code // "": it passes
	}{
		"the right directory":     {func(h *gpuHost, _ *World, _ *requirement.Run) { setPipe(h, pipeDir) }, ""},
		"another directory":       {func(h *gpuHost, _ *World, _ *requirement.Run) { setPipe(h, "/other") }, diag.MPSEnvironment},
		"none":                    {func(*gpuHost, *World, *requirement.Run) {}, diag.MPSEnvironment},
		"a file may set it":       {func(h *gpuHost, _ *World, _ *requirement.Run) { files(h, "/etc/justnews/scout.env") }, ""},
		"no such unit":            {func(h *gpuHost, _ *World, _ *requirement.Run) { delete(h.units, scoutUnit) }, ""},
		"no unit":                 {func(_ *gpuHost, _ *World, w *requirement.Run) { w.Unit = "" }, ""},
		"systemd does not answer": {func(h *gpuHost, _ *World, _ *requirement.Run) { h.busDead = true }, ""},
		"a unit, without systemd": {func(h *gpuHost, x *World, _ *requirement.Run) {
			h.busDead, x.Self.InUnit, x.Self.Environment = true, true, without
		}, diag.MPSEnvironment},
		"a right unit, no systemd": {func(h *gpuHost, x *World, _ *requirement.Run) { h.busDead, x.Self.InUnit = true, true }, ""},
		"a unit without a systemd": {func(_ *gpuHost, x *World, _ *requirement.Run) {
			x.Units, x.Self.InUnit, x.Self.Environment = nil, true, without
		}, diag.MPSEnvironment},
		"no unit and no systemd": {func(_ *gpuHost, x *World, w *requirement.Run) {
			x.Units, x.Self.InUnit, x.Self.Environment, w.Unit = nil, true, without, ""
		}, ""},
		"by hand, without a systemd": {func(_ *gpuHost, x *World, _ *requirement.Run) { x.Units, x.Self.Environment = nil, without }, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newGPUHost()
			x, w := h.world(), mpsRun("control")
			x.Self.Unit = nil
			c.prepare(h, &x, &w)
			if r := Run(t.Context(), w, x); r.Passed() != (c.code == "") || c.code != "" && !says(r, c.code, "") {
				t.Errorf("%s: %+v", name, r.Problems)
			}
		})
	}
}

// without is an environment of nothing.
func without(string) (string, bool) { return "", false }

// The server has to be one of the user who runs the instance, as far as it is known.
func TestMPS_ServerIsThatOfTheInstancesUser(t *testing.T) {
	uid := func(n int) *int { return &n }
	for name, c := range map[string]struct {
		agent, unit *int
		passes      bool
	}{
		"of the configuration":         {uid(990), uid(991), true},
		"of the unit":                  {nil, uid(990), true},
		"of the unit, another one's":   {nil, uid(991), false},
		"of the configuration, others": {uid(991), uid(990), false},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newGPUHost()
			h.servers = []facts.MPSServer{{PID: 70, UID: 990, State: "ACTIVE", Alive: true}}
			setPipe(h, pipeDir)
			u := h.units[scoutUnit]
			u.UID = c.unit
			h.units[scoutUnit] = u
			x := h.world()
			x.Self.Unit, x.Self.AgentUID = nil, c.agent
			if r := Run(t.Context(), mpsRun("server"), x); r.Passed() != c.passes || c.passes && h.serverStarts > 0 {
				t.Errorf("%s: %+v, %d servers started", name, r.Problems, h.serverStarts)
			}
		})
	}
}

func TestMPS_ProofByHandNeedsNoUnit(t *testing.T) {
	for name, own := range map[string]*facts.Unit{"by hand": nil, "in another unit": {Name: scoutUnit}} {
		synctest.Test(t, func(t *testing.T) {
			h := newGPUHost()
			x := h.world()
			x.Self.Unit = own
			if r := ProveMPS(t.Context(), mpsRun("control"), x); !r.Passed() || r.MPS.Reached != mps.RungControl {
				t.Errorf("%s: %+v", name, r)
			}
		})
	}
}

func TestMPS_UnknownStateIsReported(t *testing.T) {
	m := &mpsRunner{runner: &runner{}}
	if got := m.reason(); got != "nothing was verified" {
		t.Errorf("%q", got)
	}
	if got := m.unitState(); got != "systemd has not answered" {
		t.Errorf("%q", got)
	}
	m.known, m.unit = true, facts.Unit{LoadState: "loaded", ActiveState: "activating", SubState: "start-post"}
	if got := m.unitState(); got != "activating (start-post)" {
		t.Errorf("%q", got)
	}
}

// The search for a deadlock ends, however many units wait for each other.
func TestMPS_SearchForADeadlockIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newGPUHost()
		h.stop()
		h.change(func(u *facts.Unit) { u.After = []string{"u0.service"} })
		for i := range 200 {
			name := fmt.Sprintf("u%d.service", i)
			h.units[name] = facts.Unit{Name: name, LoadState: "loaded", Job: true, After: []string{fmt.Sprintf("u%d.service", i+1)}}
		}
		r := Run(t.Context(), mpsRun("control"), h.world())
		if others := maxOrder - 2; !r.Passed() || h.unitAsks < others || h.unitAsks > others+4 { // four of the unit itself
			t.Errorf("systemd was asked about %d units: %v", h.unitAsks, r.Problems)
		}
	})
}

// answering is a daemon that answers more questions than that of its limits.
type answering struct {
	*gpuHost
	lines map[string][]string
	gone  bool // when it is looked at again
	looks int
	args  []string
}

func (a *answering) Look() facts.MPS {
	m := a.gpuHost.Look()
	if a.looks++; a.gone && a.looks > 1 {
		m.Daemon = nil
	} else if m.Daemon != nil {
		m.Daemon.Args = append(m.Daemon.Args, a.args...)
	}
	return m
}

func (a *answering) Ask(ctx context.Context, commands ...string) facts.MPSAnswer {
	answer := a.gpuHost.Ask(ctx, commands...)
	if len(commands) > 0 && a.lines[commands[0]] != nil {
		answer.Lines = a.lines[commands[0]]
	}
	return answer
}

// A static daemon is asked for its partitions once it has answered at all.
func TestMPS_GlanceNamesPartitions(t *testing.T) {
	for name, c := range map[string]struct {
		args    []string
		require string
		gone    bool
		hangs   bool
		want    int
	}{
		"a static daemon":               {args: []string{"-S"}, require: "control", want: 1},
		"any other":                     {require: "control"},
		"one that is gone now":          {args: []string{"-S"}, require: "control", gone: true},
		"one that does not answer":      {args: []string{"-S"}, require: "control", hangs: true},
		"one of which nothing is asked": {args: []string{"-S"}, require: "daemon"},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newGPUHost()
			h.hangs = c.hangs
			a := &answering{gpuHost: h, args: c.args, gone: c.gone, lines: map[string][]string{mps.AskPartitions: {"GPU-1/a"}}}
			x := h.world()
			x.MPS = a
			if g := GlanceMPS(t.Context(), mpsRun(c.require), x); len(g.Partitions) != c.want {
				t.Errorf("%s: %+v", name, g)
			}
		})
	}
}

// adviser is an orchestrator that has an opinion of MPS.
type adviser struct{ facts.MPSOpinion }

func (a adviser) MPS(context.Context) facts.MPSOpinion { return a.MPSOpinion }
func (adviser) VLLM(context.Context) facts.VLLM        { return facts.VLLM{} }

func TestMPS_OpinionOfTheOrchestratorIsReportedWhereItDiffers(t *testing.T) {
	for name, c := range map[string]struct {
		x    World
		want int
	}{
		"nobody has one":     {World{}, 0},
		"it says nothing":    {World{Adviser: adviser{}}, 0},
		"it denies the rung": {World{Adviser: adviser{facts.MPSOpinion{Known: true}}}, 1},
	} {
		if got := Opinion(t.Context(), requirement.Run{}, c.x, mps.RungControl); len(got) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A unit that is active without a main process leaves the lock to whoever has it.
func TestMPS_UnitWithoutAMainProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newGPUHost()
		h.change(func(u *facts.Unit) { u.MainPID = 0 })
		x := h.world()
		x.Self.Unit.MainPID = 55 // the instance's own
		if r := Run(t.Context(), mpsRun("control"), x); !r.Passed() {
			t.Errorf("%v", r.Problems)
		}
		time.Sleep(time.Minute)
	})
}

// While systemd does not answer, a new daemon may be the one that it has started again.
func TestMPS_RestartThatSystemdDoesNotReportIsNoStray(t *testing.T) {
	for name, c := range map[string]struct {
		back time.Duration // until systemd answers again, 0: never
		code diag.Code
	}{
		"it answers later":   {back: 2 * time.Second},
		"it does not answer": {code: diag.MPSTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newGPUHost()
				h.answers = []facts.MPSAnswerKind{facts.MPSBusy} // so that it is looked at again
				h.at(time.Millisecond, func(h *gpuHost) { h.run(43); h.busDead = true })
				if c.back > 0 {
					h.at(c.back, func(h *gpuHost) { h.busDead = false })
				}
				r := Run(t.Context(), mpsRun("control"), h.world())
				var code diag.Code
				for _, p := range diag.Errors(r.Problems) {
					code = p.Code
				}
				if code != c.code || r.Passed() != (c.code == "") {
					t.Errorf("%v", r.Problems)
				}
				time.Sleep(time.Hour)
			})
		})
	}
}
