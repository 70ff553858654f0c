// SPDX-License-Identifier: Apache-2.0

package mps_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"justnews/internal/check"
	"justnews/internal/check/mps"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

// everyLook calls f with every combination of facts that affect a decision.
func everyLook(f func(facts.MPS)) {
	others := []facts.MPSProcess{
		{PID: 50, UID: 1000, Args: []string{program, "-d"}, PipeDirectory: "/tmp/nvidia-mps", Unit: "x;y.service"},
		{PID: 51, UID: 1000, Args: []string{program}}, {PID: 52, Args: []string{program, "-f"}, Unit: mpsUnit, PipeDirectory: "/run/other"},
	}
	daemons := []*facts.MPSProcess{
		nil, {PID: 41, UID: 990, State: "S", Exe: program, Unit: mpsUnit}, {PID: 41, UID: 0, State: "S", Exe: program + " (deleted)", Unit: "$(reboot).service"},
		{PID: 41, UID: 1000, State: "T", Unit: "user@1000.service"}, {PID: 41, UID: -1, State: "S", Exe: "/bin/\x1bsh"}, {},
	}
	directories := []facts.Directory{{}, {Exists: true}, {Exists: true, IsDir: true, Mode: 0o777}, {Exists: true, IsDir: true, Mode: 0o700, Blocked: pipeDir}, {Blocked: "/"}}
	locks := []facts.MPSLock{{}, {Exists: true}, {Exists: true, Err: "denied\n"}, {Exists: true, Held: true}, {Exists: true, Held: true, PID: 41}}
	for _, directory := range directories {
		for _, lock := range locks {
			for _, daemon := range daemons {
				for bits := range 1 << 5 {
					m := facts.MPS{Directory: directory, Lock: lock, Daemon: daemon}
					m.Socket, m.Listeners, m.SocketUID = bits&1 != 0, bits>>1&3, 990
					if bits&8 != 0 {
						m.Others, m.Connections = others, 1
					}
					if bits&16 != 0 {
						m.Elsewhere, m.Err = []string{"/tmp/a'$(reboot)b", "/tmp/nvidia-mps"}, "no /proc\n"
					}
					f(m)
				}
			}
		}
	}
}

// everyWanted calls f with every kind of requirement.
func everyWanted(f func(mps.Wanted)) {
	for bits := range 1 << 5 {
		w := mps.Wanted{MPS: config.MPS{PipeDirectory: pipeDir}}
		if bits&1 != 0 {
			w.Unit, w.UnitActive = mpsUnit, bits&2 != 0
		}
		if w.Unit != "" && bits&4 != 0 {
			w.MainPID = 41
		}
		w.OwnUnit = w.UnitActive && bits&8 != 0
		if bits&16 != 0 {
			w.UID = agent()
		}
		f(w)
	}
}

var (
	noProcess = regexp.MustCompile(`kill( -KILL)? (0|-\d+)\b`)
	injected  = regexp.MustCompile(`(^|[^'\\/=])(\$\(|;y)`)
)

// fixable is sound, and that the fix can be pasted without harm.
func fixable(t *testing.T, p diag.Problem) bool {
	t.Helper()
	findings.Sound(t, p)
	if p.Seen == "" {
		t.Errorf("nothing is seen: %+v", p)
	}
	if noProcess.MatchString(p.Fix.String()) {
		t.Errorf("a fix that ends what nobody meant: %s", p.Fix.String())
	}
	if injected.MatchString(p.Fix.String()) {
		t.Errorf("a name is a command of a fix: %s", p.Fix.String())
	}
	begin, reset := strings.Index(p.Fix.String(), "systemctl restart"), strings.Index(p.Fix.String(), "systemctl reset-failed")
	if begin >= 0 && (reset < 0 || begin < reset) {
		t.Errorf("a restart before reset-failed: %s", p.Fix.String())
	}
	return !t.Failed()
}

// What passes is one daemon that holds the lock of the directory, has its
// socket there, and is the unit's and the agents' as far as these are known.
func TestProperty_LookNeedsHolderSocketAndUser(t *testing.T) {
	passed, known := 0, map[string]bool{} // most are met again and again
	everyLook(func(m facts.MPS) {
		everyWanted(func(w mps.Wanted) {
			problems := mps.Daemon(m, w)
			for _, p := range problems {
				if !known[fmt.Sprint(p)] && !fixable(t, p) {
					t.Fatalf("%+v\n%+v", m, w)
				}
				known[fmt.Sprint(p)] = true
			}
			if len(diag.Errors(problems)) > 0 {
				return
			}
			passed++
			switch {
			case !m.Lock.Held, !m.Socket, m.Listeners > 1, m.Directory.Blocked != "":
				t.Fatalf("passes: %+v", m)
			case w.MainPID > 0 && m.Lock.PID != w.MainPID, w.OwnUnit && w.MainPID == 0:
				t.Fatalf("passes, and is not the unit's: %+v\n%+v", m, w)
			case m.Daemon != nil && (m.Daemon.State == "T" || m.Daemon.Exe == "/bin/\x1bsh"):
				t.Fatalf("passes, and is stopped or no daemon: %+v", m.Daemon)
			case w.UID != nil && m.Daemon != nil && m.Daemon.UID > 0 && m.Daemon.UID != *w.UID:
				t.Fatalf("passes, and is another user's: %+v", m.Daemon)
			}
		})
	})
	if passed == 0 {
		t.Error("nothing passes")
	}
}

func TestProperty_OnlyOneKindOfAnswerPasses(t *testing.T) {
	for kind := facts.MPSAnswerKind(-1); kind < 30; kind++ {
		everyWanted(func(w mps.Wanted) {
			for _, m := range []facts.MPS{{}, liveMPS(), {Connections: 1}, {Others: []facts.MPSProcess{{PID: 51, Args: []string{program}}}}} {
				problems := mps.Control(facts.MPSAnswer{Kind: kind, Detail: "x"}, m, w)
				if (len(diag.Errors(problems)) == 0) != (kind == facts.MPSAnswered) {
					t.Fatalf("kind %d: %+v", kind, problems)
				}
				for _, p := range problems {
					if !fixable(t, p) {
						t.Fatalf("kind %d, %+v, %+v", kind, m, w)
					}
				}
				if servers := mps.Servers(nil, facts.MPSAnswer{Kind: kind}, m, w); len(diag.Errors(servers)) == 0 {
					t.Fatalf("kind %d: a server of nobody", kind)
				}
			}
		})
	}
}

func TestProperty_ZeroFactsNeverPass(t *testing.T) {
	everyWanted(func(w mps.Wanted) {
		for what, problems := range map[string][]diag.Problem{
			"a look":    mps.Daemon(facts.MPS{}, w),
			"an answer": mps.Control(facts.MPSAnswer{}, facts.MPS{}, w),
			"servers":   mps.Servers(nil, facts.MPSAnswer{}, facts.MPS{}, w),
			"a server":  mps.Servers([]facts.MPSServer{{}}, facts.MPSAnswer{Kind: facts.MPSAnswered}, facts.MPS{}, w),
			"a unit":    {mps.UnitProblem(facts.Unit{Name: "u"}, mps.Unit(facts.Unit{}), w)},
			"a start":   {mps.NotStarted(facts.Start{}, facts.Unit{Name: "u"}, w, "u", false)},
		} {
			if len(diag.Errors(problems)) == 0 {
				t.Errorf("%s passes: %+v", what, w)
			}
		}
	})
	if mps.Unit(facts.Unit{}).State == check.Ready || mps.Unseen(facts.MPS{}, mps.Wanted{}) == nil {
		t.Error("nothing known is ready")
	}
}

// Every kind of unit and start, and the fix of each.
func TestProperty_EveryProblemOfTheUnitCanBeFixed(t *testing.T) {
	for _, load := range []string{"", "loaded", "not-found", "masked", "bad-setting", "error"} {
		for _, active := range []string{"", "active", "activating", "inactive", "failed", "deactivating", "what"} {
			for bits := range 1 << 3 {
				u := facts.Unit{Name: mpsUnit, LoadState: load, ActiveState: active, Job: bits&1 != 0, ConditionResult: bits&2 != 0}
				if bits&4 != 0 {
					u.Conditions = []string{"ConditionPathExists=" + program}
				}
				j := mps.Unit(u)
				if j.State == check.Ready && (load != "loaded" || active != "active") {
					t.Errorf("ready: %+v", u)
				}
				if j.State == check.Ready {
					continue
				}
				for _, w := range []mps.Wanted{{MPS: config.MPS{PipeDirectory: pipeDir, Unit: mpsUnit}}, {MPS: config.MPS{PipeDirectory: pipeDir, Unit: "site-mps.service"}}} {
					fixable(t, mps.UnitProblem(u, j, w))
					for _, s := range []facts.Start{{}, {Result: "done"}, {Result: "failed"}, {Refused: "x.AccessDenied"}, {Refused: "x.UnitMasked"}, {Refused: "x"}} {
						fixable(t, mps.NotStarted(s, u, w, "scout", bits&1 != 0))
					}
					if fix := mps.NotReported(w).Fix.String(); fix != "systemctl start dbus.socket; justnews-gate retry" {
						t.Error(fix)
					}
				}
			}
		}
	}
}
