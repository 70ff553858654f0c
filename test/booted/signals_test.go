// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"justnews/test/bed"
)

// Signals reach gates at random moments: none of them opens.
func TestSignals_SignalNeverOpensAGate(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		s := bootCrowd(t, suite, host{misbehave: "hold"})
		s.waitCrowd()
		s.waitHeld()
		seed := uint64(time.Now().UnixNano()) // any number will do
		t.Logf("seed %d", seed)
		dice := rand.New(rand.NewPCG(seed, 0)) // no secret
		signals := []string{"TERM", "INT", "HUP", "QUIT", "PIPE", "USR1", "ALRM", "KILL", "STOP"}
		for round := range 45 {
			signal, name := signals[round%len(signals)], crowd()[dice.IntN(len(crowd()))]
			// From the spawn, through the sandbox, to the wait.
			delay := time.Duration(dice.IntN(120)) * time.Millisecond
			s.Systemctl("restart", "--no-block", unit(name))
			<-time.After(delay)
			// No process, or a unit between two processes: nothing to signal.
			_ = s.Run("systemctl", "kill", "--kill-whom=control", "--signal="+signal, unit(name))
			if signal == "STOP" {
				<-time.After(delay)
				_ = s.Run("systemctl", "kill", "--kill-whom=control", "--signal=CONT", unit(name))
			}
		}
		s.neverStarted("by a signal to its gate")
		s.Systemctl("start", "--no-block", target)
		s.waitCrowd()
		s.neverStarted("by a signal to its gate")
		s.onePreload("after all signals")
		s.crowdUp(s.release())
	})
}

// The message bus goes away and comes back while gates wait: they survive, do not open
// while systemd cannot be queried, and finish as soon as it can.
func TestProcess_GatesSurviveTheMessageBus(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := bootCrowd(t, suite, host{misbehave: "hold"})
		s.waitCrowd()
		s.waitHeld()
		was := s.gatePIDs()

		s.Systemctl("kill", "--signal=KILL", "dbus.service")
		s.Systemctl("start", "dbus.service")
		s.sameGates(was, "a restart of dbus")

		s.must("systemctl mask --runtime dbus.socket dbus.service && systemctl stop dbus.socket dbus.service; rm -f /run/dbus/system_bus_socket")
		if !s.Unit("dbus.service").Is("inactive", "failed") {
			t.Fatal("dbus still runs")
		}
		s.sameGates(was, "the absence of dbus")
		// A gate that starts without a bus waits like the others.
		s.Systemctl("restart", "--no-block", unit("scout"))
		s.waitCrowd()
		s.release()
		s.WaitFor("an orchestrator that is ready", bed.Patience, func() bool { state, ok := s.models(); return ok && state.AllReady })
		time.Sleep(2 * time.Second) // many looks of each gate
		s.neverStarted("without dbus")
		s.must("systemctl unmask --runtime dbus.socket dbus.service && systemctl start dbus.socket")
		s.crowdUp(bed.Monotonic())
		s.onePreload("without dbus")
	})
}

func (s *site) gatePIDs() map[string]int {
	s.t.Helper()
	pids := map[string]int{}
	for i, u := range s.Units(units(crowd()...)...) {
		pids[crowd()[i]] = u.ControlPID
	}
	return pids
}

// sameGates fails unless the gates that ran still run.
func (s *site) sameGates(pids map[string]int, after string) {
	s.t.Helper()
	names := slices.Collect(maps.Keys(pids))
	for i, u := range s.Units(units(names...)...) {
		if pid := pids[names[i]]; u.ControlPID != pid || pid == 0 || !u.Is(starting) {
			s.t.Errorf("%v: gate %d, was %d before %s", u, u.ControlPID, pid, after)
		}
	}
}

// A unit that treats the gate's refusal as success.
func TestSignals_SuccessExitStatusDoesNotOpenAGate(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		const away = "[orchestrator]\nurl = \"http://127.0.0.1:9\"\ninstance = \"\"\n"
		s := bootCrowd(t, suite, host{config: crowdConfig("3s") + away, change: func(tree *bed.Tree) {
			onlyOnce(tree)
			tree.WriteFile(dropIn("NoSuch", "90-success.conf"), "[Service]\nSuccessExitStatus=78\n")
			tree.WriteFile(dropIn("scout", "90-success.conf"), "[Service]\nSuccessExitStatus=69\n")
			tree.WriteFile(dropIn("critic", "90-success.conf"), "[Service]\nSuccessExitStatus=1 2 64 65 66 69 70 71 75 76 77 78\n")
		}})
		// If systemd did not answer in time, or a busy machine did not let it exit in time, a
		// signal ends a gate.
		unknown := func(u bed.Unit) bool { return u.Result == "signal" }
		// What the others would exit with.
		if u := s.waitRefused(unit("memory")); u.PreStatus != 69 && !unknown(u) || u.ExecMainStart != 0 {
			t.Errorf("%v; want the gate to exit 69 and no main process", u)
		}
		for _, name := range []string{"scout", "critic"} {
			u := s.waitRefused(unit(name))
			s.WaitJournal(unit(name), "SuccessExitStatus=")
			if (u.PreStatus <= 0 || u.PreStatus == 69) && !unknown(u) || u.ExecMainStart != 0 {
				t.Errorf("%v; want a gate that refuses with a status that is no success", u)
			}
		}
		// A refusal that comes before any configuration is read.
		_ = s.Run("systemctl", "start", unit("NoSuch"))
		if u := s.waitRefused(unit("NoSuch")); u.PreStatus <= 0 || u.PreStatus == 78 || u.ExecMainStart != 0 {
			t.Errorf("%v; want a gate that refuses with a status that is no success", u)
		}
		s.neverStarted("by SuccessExitStatus=")
	})
}

// An instance whose name is a flag, a path, or not allowed in a configuration.
func TestSignals_OddInstanceNameStaysShut(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{change: onlyOnce})
		for _, name := range []string{"--version", "--help", "-h", "--", "scout:x", "NoSuch", "..", "__", "scout.bak", strings.Repeat("a", 64)} {
			_ = s.Run("systemctl", "start", "--", unit(name))
			s.refused(name, 78)
		}
		// systemd 257 cannot start a name with a backslash: its executor fails.
		for _, name := range []string{`\x2d\x2dversion`, `a\x20b`} {
			_ = s.Run("systemctl", "start", "--", unit(name))
			if u := s.waitRefused(unit(name)); u.PreStatus <= 0 || u.ExecMainStart != 0 {
				t.Errorf("%v; want no start", u)
			}
		}
		for _, file := range s.List(startedDir) {
			if name, ok := strings.CutPrefix(file, "started-"); ok && ports[name] == 0 {
				t.Errorf("%q was started", name)
			}
		}
	})
}
