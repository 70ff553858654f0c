// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

func TestMPS_OnlyAnswersProveTheDaemon(t *testing.T) {
	busy := facts.MPSBusy
	for name, c := range map[string]mpsCase{
		"busy twice, then it answers": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.answers = []facts.MPSAnswerKind{busy, facts.MPSEmpty}
			},
		},
		"busy for ever is busy, also where the last try was cut off": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.answers = make([]facts.MPSAnswerKind, 1000)
				for i := range h.answers {
					h.answers[i] = busy
				}
			}, status: diag.StatusGPU, code: diag.MPSBusy, within: 11 * time.Second,
		},
		"busy, and its last answer would have come too late": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.answers = make([]facts.MPSAnswerKind, 1000)
				for i := range h.answers {
					h.answers[i] = busy
				}
				h.at(9500*time.Millisecond, func(h *gpuHost) { h.hangs = true })
			}, status: diag.StatusGPU, code: diag.MPSBusy, within: 11 * time.Second,
		},
		"it hangs": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) { h.hangs = true },
			status:  diag.StatusGPU, code: diag.MPSWedged, within: 11 * time.Second,
		},
		"it hangs, and the gate has two seconds": {
			prepare: func(h *gpuHost, _ *World, w *requirement.Run) { h.hangs, w.Timeout.Value = true, 2*time.Second },
			status:  diag.StatusGPU, code: diag.MPSWedged, within: 2 * time.Second,
		},
		"what cannot get better is not tried again": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.answers = []facts.MPSAnswerKind{facts.MPSProgramMissing}
			},
			status: diag.StatusGPU, code: diag.MPSMissing,
		},
		"it has its lock and listens a moment later": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.listens = false
				h.at(time.Second, func(h *gpuHost) { h.listens = true })
			}, within: 2 * time.Second,
		},
		"systemd restarted it since its unit was looked at": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.answers = []facts.MPSAnswerKind{facts.MPSNoDaemon}
				h.at(time.Millisecond, func(h *gpuHost) {
					h.stop()
					h.unit("activating", "auto-restart")
				})
				h.at(time.Second, func(h *gpuHost) { h.run(42) })
			}, within: 3 * time.Second,
		},
		"it is stopped for a moment": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.stopped = true
				h.at(2*time.Second, func(h *gpuHost) { h.stopped = false })
			}, within: 3 * time.Second,
		},
		"it is stopped": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) { h.stopped = true },
			status:  diag.StatusGPU, code: diag.MPSWedged, says: "state T", within: 11 * time.Second,
		},
		"systemd restarts it between the question and the look": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) { h.meanwhile = func(h *gpuHost) { h.run(42) } },
		},
		"a stray took its place while systemd restarts it": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
				h.answers = []facts.MPSAnswerKind{facts.MPSNoDaemon}
				h.at(time.Millisecond, func(h *gpuHost) {
					h.unit("activating", "auto-restart")
					h.daemon = 77
				})
			}, status: diag.StatusGPU, code: diag.MPSStray, says: "PID 77", within: 3 * time.Second,
		},
		"another process holds the lock than the unit's": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) { h.holder = 99 },
			status:  diag.StatusGPU, code: diag.MPSStray, says: "PID 99",
		},
		"it is another user's": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) { h.user = 1000 },
			status:  diag.StatusGPU, code: diag.MPSUser,
		},
		"it is root's: said": {
			prepare: func(h *gpuHost, _ *World, _ *requirement.Run) { h.user = 0 }, code: diag.MPSUser,
		},
		"it has other default limits": {
			prepare: func(_ *gpuHost, _ *World, w *requirement.Run) { w.MPS.DefaultMemory = "6G" },
			status:  diag.StatusGPU, code: diag.MPSLimit, says: "memory limit none",
		},
		"it has the default limits": {
			prepare: func(h *gpuHost, _ *World, w *requirement.Run) {
				w.MPS.DefaultMemory, w.MPS.DefaultThreads = "6G", 50
				h.memory, h.threads = "6G", 50
			},
		},
		"the instance's own unit keeps it away: nothing is asked": {
			prepare: func(h *gpuHost, x *World, _ *requirement.Run) {
				h.stop()
				x.Self.Unit.Sandbox.PrivateDevices = true
			}, status: diag.StatusGPU, code: diag.MPSEnvironment,
		},
		"systemd does not answer, and the environment names no directory": {
			prepare: func(h *gpuHost, x *World, _ *requirement.Run) {
				h.busDead, x.Self.Unit, x.Self.InUnit = true, nil, true
				x.Self.Environment = func(string) (string, bool) { return "", false }
			}, status: diag.StatusGPU, code: diag.MPSEnvironment, says: "is not set",
		},
		"there is no systemd to ask, and the environment names another directory": {
			prepare: func(_ *gpuHost, x *World, _ *requirement.Run) {
				x.Units, x.Starter, x.Self.Unit, x.Self.InUnit = nil, nil, nil, true
				x.Self.Environment = func(string) (string, bool) { return "/x", true }
			}, status: diag.StatusGPU, code: diag.MPSEnvironment, says: "/x",
		},
		"by hand, with a user's environment": {
			prepare: func(h *gpuHost, x *World, _ *requirement.Run) {
				h.busDead, x.Self.Unit = true, nil
				x.Self.Environment = func(string) (string, bool) { return "", false }
			}, code: diag.NoSystemd,
		},
		"the lock alone does, where it is all that is asked for": {
			require: "daemon", prepare: func(h *gpuHost, _ *World, _ *requirement.Run) { h.hangs = true },
		},
		"the lock alone of a process that cannot be seen": {
			require: "daemon", prepare: func(h *gpuHost, _ *World, _ *requirement.Run) { h.hidden = true },
			status: diag.StatusGPU, code: diag.MPSUser, says: "hidden",
		},
		"the lock alone, and other default limits": {
			require: "daemon", prepare: func(_ *gpuHost, _ *World, w *requirement.Run) { w.MPS.DefaultMemory = "6G" },
			status: diag.StatusGPU, code: diag.MPSLimit, says: "memory limit none",
		},
		"the lock alone, and default limits: it is asked, and for no server": {
			require: "daemon", prepare: func(h *gpuHost, _ *World, w *requirement.Run) {
				w.MPS.DefaultMemory, h.memory = "6G", "6G"
			},
		},
	} {
		t.Run(name, c.run)
	}
}

func TestMPS_ServerIsStartedAndMustStayRunning(t *testing.T) {
	for name, c := range map[string]mpsCase{
		"it runs": {prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
			h.serverIn = 1
			h.servers = []facts.MPSServer{{PID: 70, UID: 990, State: "ACTIVE"}}
		}, within: 2 * time.Second},
		"it is asked for": {prepare: func(h *gpuHost, _ *World, _ *requirement.Run) { h.serverIn = 2 * time.Second }, within: 5 * time.Second},
		"it never comes":  {status: diag.StatusGPU, code: diag.MPSServer, says: "lists no server", within: 11 * time.Second},
		"it takes long to be initialized": {prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
			h.servers = []facts.MPSServer{{PID: 70, UID: 990, State: "INITIALIZING", Alive: true}}
			h.at(20*time.Second, func(h *gpuHost) { h.servers[0].State = "ACTIVE" })
		}, within: 23 * time.Second},
		"it is initialized, and faulty": {prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
			h.servers = []facts.MPSServer{{PID: 70, UID: 990, State: "INITIALIZING", Alive: true}}
			h.at(20*time.Second, func(h *gpuHost) { h.servers[0].State = "FAULT" })
		}, status: diag.StatusGPU, code: diag.MPSServer, says: "is FAULT", within: 21 * time.Second},
		"it is still being initialized at the deadline": {prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
			h.servers = []facts.MPSServer{{PID: 70, UID: 990, State: "INITIALIZING", Alive: true}}
		}, status: diag.StatusGPU, code: diag.MPSTimeout, says: "is INITIALIZING", within: time.Minute},
		"it is gone at once": {prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
			h.serverIn, h.lasts = time.Second, 500*time.Millisecond
		}, status: diag.StatusGPU, code: diag.MPSServer, within: 11 * time.Second},
		"it is another one a second later": {prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
			for i := range 40 {
				h.at(time.Duration(i)*500*time.Millisecond, func(h *gpuHost) { h.servers = []facts.MPSServer{{PID: 70 + i, UID: 990, State: "ACTIVE"}} })
			}
		}, status: diag.StatusGPU, code: diag.MPSServer, says: "exited within a second", within: 11 * time.Second},
		"the request for it was broken off, and is made again": {prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
			h.serverIn = time.Second
			h.answers = []facts.MPSAnswerKind{facts.MPSAnswered, facts.MPSAnswered, facts.MPSBusy}
		}, within: 4 * time.Second},
		"its list is broken off": {prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
			h.answers = []facts.MPSAnswerKind{facts.MPSAnswered, facts.MPSBusy}
			h.servers = []facts.MPSServer{{PID: 70, UID: 990, State: "ACTIVE"}}
		}, within: 3 * time.Second},
		"it is another user's": {prepare: func(h *gpuHost, _ *World, _ *requirement.Run) {
			h.servers = []facts.MPSServer{{PID: 70, UID: 1000, State: "ACTIVE"}}
		}, status: diag.StatusGPU, code: diag.MPSServer, says: "UID 1000", within: 11 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			c.require = "server"
			c.run(t)
		})
	}
}

func TestMPS_AnsweredServerRequestIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newGPUHost()
		if r := Run(t.Context(), mpsRun("server"), h.world()); r.Passed() || h.serverStarts != 1 {
			t.Errorf("%d requests, %v", h.serverStarts, r.Problems)
		}
	})
}
