// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/check/mps"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// mpsCase is one gate over one host with MPS, in virtual time. The zero value
// of status is ready.
type mpsCase struct {
	prepare func(*gpuHost, *World, *requirement.Run)
	require string // "": control
	status  diag.Status
	code    diag.Code
	says    string // in the problem of that code
	starts  int
	within  time.Duration // 0: a second
}

func (c mpsCase) run(t *testing.T) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newGPUHost()
		w := mpsRun(or(c.require, "control"))
		x := h.world()
		if c.prepare != nil {
			c.prepare(h, &x, &w)
		}
		r := Run(t.Context(), w, x)
		c.judge(t, h, r)
		time.Sleep(time.Hour) // what a test has planned for later
	})
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (c mpsCase) judge(t *testing.T, h *gpuHost, r Result) {
	t.Helper()
	if r.Status != c.status {
		t.Errorf("status %d, want %d: %+v", r.Status, c.status, r.Problems)
	}
	if r.Passed() != (r.MPS.Reached >= r.MPS.Required && r.MPS.Reached != mps.NoRung) {
		t.Errorf("passed: %v, reached %s", r.Passed(), r.MPS.Reached)
	}
	if c.code != "" && !says(r, c.code, c.says) {
		t.Errorf("no %s with %q: %+v", c.code, c.says, r.Problems)
	}
	if h.starts != c.starts || r.MPS.Started != (c.starts > 0) {
		t.Errorf("%d starts, want %d; the record says %v", h.starts, c.starts, r.MPS.Started)
	}
	within := c.within
	if within == 0 {
		within = time.Second
	}
	if r.Elapsed > within {
		t.Errorf("took %v, want at most %v", r.Elapsed, within)
	}
	for _, p := range r.Problems {
		reset, start := strings.Index(p.Fix.String(), "systemctl reset-failed"), strings.Index(p.Fix.String(), "systemctl start "+mpsUnit)
		if start >= 0 && (reset < 0 || start < reset) {
			t.Errorf("a start before reset-failed: %s", p.Fix.String())
		}
	}
}

func says(r Result, code diag.Code, text string) bool {
	for _, p := range r.Problems {
		if p.Code == code && strings.Contains(p.Message+"|"+p.Seen+"|"+p.Expected+"|"+p.Fix.String(), text) {
			return true
		}
	}
	return false
}

func refused(name string) func(context.Context, *gpuHost) (facts.Start, error) {
	return func(context.Context, *gpuHost) (facts.Start, error) { return facts.Start{Refused: name}, nil }
}

func TestMPS_DaemonUnitIsStartedOnceAndAwaited(t *testing.T) {
	for name, c := range map[string]mpsCase{
		"active: nothing is started": {},
		"inactive: it is started, once": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) { h.stop() }, starts: 1,
		},
		"active only a while after its job": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.stop()
				h.start = func(_ context.Context, h *gpuHost) (facts.Start, error) {
					h.mu.Lock()
					defer h.mu.Unlock()
					h.unit("activating", "auto-restart")
					h.at(5*time.Second, func(h *gpuHost) { h.run(42) })
					return facts.Start{Result: "failed"}, nil
				}
			}, starts: 1, within: 7 * time.Second,
		},
		"started, and inactive again: not started again": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.stop()
				h.start = func(_ context.Context, h *gpuHost) (facts.Start, error) {
					h.mu.Lock()
					defer h.mu.Unlock()
					h.unit("activating", "start-post")
					h.at(time.Second, func(h *gpuHost) { h.stop() })
					return facts.Start{Result: "done"}, nil
				}
			}, status: diag.StatusGPU, code: diag.MPSUnit, says: "no job", starts: 1, within: 3 * time.Second,
		},
		"failed: not started": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) { h.stop(); h.unit("failed", "failed") },
			status:  diag.StatusGPU, code: diag.MPSUnit, says: "failed",
		},
		"between two restarts: waited for": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.stop()
				h.unit("activating", "auto-restart")
				h.at(5*time.Second, func(h *gpuHost) { h.run(42) })
			}, within: 7 * time.Second,
		},
		"between two restarts, and then failed": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.stop()
				h.unit("activating", "auto-restart")
				h.at(5*time.Second, func(h *gpuHost) { h.unit("failed", "failed") })
			}, status: diag.StatusGPU, code: diag.MPSUnit, says: "failed", within: 7 * time.Second,
		},
		"masked": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.change(func(u *facts.Unit) { u.LoadState = "masked" })
			},
			status: diag.StatusGPU, code: diag.MPSUnit, says: "unmask",
		},
		"not there": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) { delete(h.units, mpsUnit) },
			status:  diag.StatusGPU, code: diag.MPSUnit, says: "no such unit",
		},
		"skipped by its condition before": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.stop()
				h.change(func(u *facts.Unit) {
					u.ConditionResult, u.Conditions = false, []string{"ConditionPathExists=/usr/bin/nvidia-cuda-mps-control"}
				})
				h.start = func(context.Context, *gpuHost) (facts.Start, error) { return facts.Start{Result: "done"}, nil }
			}, status: diag.StatusGPU, code: diag.MPSMissing, says: "skipped", starts: 1,
		},
		"skipped by its condition when it is started: done is not active": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.stop()
				h.start = func(_ context.Context, h *gpuHost) (facts.Start, error) {
					h.mu.Lock()
					defer h.mu.Unlock()
					h.change(func(u *facts.Unit) { u.ConditionResult, u.Conditions = false, []string{"ConditionPathExists=/x"} })
					return facts.Start{Result: "done"}, nil
				}
			}, status: diag.StatusGPU, code: diag.MPSUnit, says: "ConditionPathExists=/x", starts: 1,
		},
		"its job failed, and it has": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.stop()
				h.start = func(_ context.Context, h *gpuHost) (facts.Start, error) {
					h.mu.Lock()
					defer h.mu.Unlock()
					h.unit("failed", "failed")
					return facts.Start{Result: "failed"}, nil
				}
			}, status: diag.StatusGPU, code: diag.MPSUnit, says: `"failed"`, starts: 1,
		},
		"polkit denies it": {
			prepare: func(h *gpuHost, x *World, _ *requirement.Run) {
				h.stop()
				h.start, x.Self.InUnit = refused("org.freedesktop.DBus.Error.AccessDenied"), true
			},
			status: diag.StatusPermission, code: diag.MPSDenied, says: "usermod -aG justnews -- justnews", starts: 1,
		},
		"polkit denies it to a person": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.stop()
				h.start = refused("org.freedesktop.DBus.Error.AccessDenied")
			},
			status: diag.StatusPermission, code: diag.MPSDenied, says: "sudo justnews-gate mps start", starts: 1,
		},
		"refused, although it is on its way": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.stop()
				h.start = func(_ context.Context, h *gpuHost) (facts.Start, error) {
					h.run(41)
					return facts.Start{Refused: "org.freedesktop.DBus.Error.AccessDenied"}, nil
				}
			}, status: diag.StatusPermission, code: diag.MPSDenied, starts: 1,
		},
		"systemd dies while it starts": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.stop()
				h.start = func(context.Context, *gpuHost) (facts.Start, error) {
					return facts.Start{}, errors.New("broken pipe\x1b")
				}
			}, status: diag.StatusGPU, code: diag.MPSUnit, says: "systemctl start dbus.socket", starts: 1,
		},
		"its start job outlasts the gate": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.stop()
				h.start = func(ctx context.Context, _ *gpuHost) (facts.Start, error) {
					<-ctx.Done()
					return facts.Start{Elapsed: time.Minute}, nil
				}
			}, status: diag.StatusGPU, code: diag.MPSTimeout, says: "its start job had not finished after 1m0s", starts: 1, within: time.Minute,
		},
		"its proof outlasts the gate": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) { h.unit("activating", "start-post") },
			status:  diag.StatusGPU, code: diag.MPSTimeout, says: "activating (start-post)", within: time.Minute,
		},
		"systemd never answers": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) { h.busHangs = true },
			status:  diag.StatusGPU, code: diag.MPSTimeout, says: "systemd did not report", within: time.Minute,
		},
		"D-Bus is dead: the daemon is proven without": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) { h.busDead = true }, code: diag.NoSystemd,
		},
		"D-Bus is dead, and so is the daemon": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) { h.stop(); h.busDead = true },
			status:  diag.StatusGPU, code: diag.MPSDead, within: 11 * time.Second,
		},
		"a container without systemd": {
			prepare: func(_ *gpuHost, x *World, _ *requirement.Run) { x.Units, x.Starter, x.Self.Unit = nil, nil, nil }, code: diag.NoSystemd,
		},
		"no unit of this host": {
			prepare: func(h *gpuHost, _ *World, w *requirement.Run) {
				w.MPS.Unit = ""
				h.stop()
				h.daemon, h.listens = 7, true
			},
		},
		"it failed a while ago, and the cause is gone": {
			prepare: func(h *gpuHost, x *World, _ *requirement.Run) {
				h.stop()
				h.unit("failed", "failed")
				h.change(func(u *facts.Unit) { u.Times.InactiveEnter = time.Minute })
				x.Uptime = func() time.Duration { return 2 * time.Minute }
			}, starts: 1,
		},
		"it failed just long enough ago": {
			prepare: func(h *gpuHost, x *World, _ *requirement.Run) {
				h.stop()
				h.unit("failed", "failed")
				h.change(func(u *facts.Unit) { u.Times.InactiveEnter = 90 * time.Second })
				x.Uptime = func() time.Duration { return 2 * time.Minute }
			}, starts: 1,
		},
		"it failed a while ago, and waits for this gate": {
			prepare: func(h *gpuHost, x *World, _ *requirement.Run) {
				h.stop()
				h.unit("failed", "failed")
				h.change(func(u *facts.Unit) { u.Times.InactiveEnter, u.After = time.Minute, []string{scoutUnit} })
				x.Uptime = func() time.Duration { return 2 * time.Minute }
			}, status: diag.StatusGPU, code: diag.MPSUnit, says: "failed",
		},
		"its job is queued": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.stop()
				h.change(func(u *facts.Unit) { u.Job = true })
				h.at(15*time.Second, func(h *gpuHost) { h.run(42) }) // a daemon alone is proven for 10 s
			}, within: 16 * time.Second,
		},
		"its start failed, and then systemd does not answer": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.stop()
				h.start = func(_ context.Context, h *gpuHost) (facts.Start, error) {
					h.mu.Lock()
					defer h.mu.Unlock()
					h.busDead = true
					return facts.Start{Result: "failed"}, nil
				}
			}, status: diag.StatusGPU, code: diag.MPSUnit, says: `"failed"`, starts: 1,
		},
		"by hand: it is started": {
			prepare: func(h *gpuHost, x *World, _ *requirement.Run) { h.stop(); x.Self.Unit = nil; setPipe(h, pipeDir) }, starts: 1,
		},
		"it has failed just now": {
			prepare: func(h *gpuHost, x *World, _ *requirement.Run) {
				h.stop()
				h.unit("failed", "failed")
				h.change(func(u *facts.Unit) { u.Times.InactiveEnter = 110 * time.Second })
				x.Uptime = func() time.Duration { return 2 * time.Minute }
			}, status: diag.StatusGPU, code: diag.MPSUnit, says: "failed",
		},
		"a condition skipped it, and holds now": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.stop()
				h.change(func(u *facts.Unit) { u.ConditionResult, u.Conditions = false, []string{"ConditionPathExists=/x"} })
			}, starts: 1,
		},
		"no permission to start units": {
			prepare: func(h *gpuHost, x *World, _ *requirement.Run) { h.stop(); x.Starter = nil },
			status:  diag.StatusGPU, code: diag.MPSUnit, says: "no job",
		},
	} {
		t.Run(name, c.run)
	}
}

func TestMPS_DeadlockWithOwnUnitIsReported(t *testing.T) {
	after := func(name string, job bool, units ...string) func(*gpuHost) {
		return func(h *gpuHost) {
			u := h.units[name]
			u.Name, u.LoadState, u.Job, u.After = name, "loaded", job, units
			h.units[name] = u
		}
	}
	for name, c := range map[string]struct {
		prepare  []func(*gpuHost)
		conflict bool
		says     string // "": it is started
	}{
		"its unit is after the instance":      {[]func(*gpuHost){after(mpsUnit, false, scoutUnit)}, false, scoutUnit + " before " + mpsUnit},
		"over a third that has a job":         {[]func(*gpuHost){after(mpsUnit, false, "x.service"), after("x.service", true, scoutUnit)}, false, scoutUnit + " before x.service before " + mpsUnit},
		"a third without a job":               {[]func(*gpuHost){after(mpsUnit, false, "x.service"), after("x.service", false, scoutUnit)}, false, ""},
		"queued already, behind the instance": {[]func(*gpuHost){after(mpsUnit, true, scoutUnit)}, false, scoutUnit + " before " + mpsUnit},
		"they conflict":                       {[]func(*gpuHost){after(mpsUnit, false)}, true, "Conflicts= of"},
		"the usual defaults only":             {[]func(*gpuHost){after(mpsUnit, false, "basic.target", "sysinit.target")}, false, ""},
		"its unit is after an unknown unit":   {[]func(*gpuHost){after(mpsUnit, false, "gone.service", "gone.service")}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			mpsCase{
				prepare: func(h *gpuHost, x *World, _ *requirement.Run) {
					h.stop()
					for _, f := range c.prepare {
						f(h)
					}
					if c.conflict {
						x.Self.Unit.Conflicts = []string{mpsUnit}
					}
				},
				status: map[bool]diag.Status{true: diag.StatusReady, false: diag.StatusConfig}[c.says == ""],
				code:   map[bool]diag.Code{true: "", false: diag.MPSDeadlock}[c.says == ""], says: c.says,
				starts: map[bool]int{true: 1}[c.says == ""],
			}.run(t)
		})
	}
}
