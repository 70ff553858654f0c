// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"justnews/packaging/contents"
	"justnews/test/bed"
	"justnews/test/busy"
)

// gating returns the unit once its gate runs and reports what it waits for.
func (s *site) gating(instance string) bed.Unit {
	s.t.Helper()
	s.WaitFor("the gate of "+instance, bed.Patience, func() bool {
		return strings.TrimSpace(s.Must("systemctl", "show", "-P", "StatusText", unit(instance))) != ""
	})
	return s.WaitUnit(unit(instance), starting)
}

const tracer = "/usr/local/bin/tracer"

// An agent in its packaged sandbox, running as the gates' user, attacks the gate of another
// instance.
func TestProcess_AgentCannotTraceAGate(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := bootCrowd(t, suite, host{misbehave: "hold", change: func(tree *bed.Tree) {
			tree.Put(contents.File{Build: "./test/bed/tracer", Dest: "/usr/local/bin/", Mode: 0o755})
			tree.WriteFile(dropIn("critic", "90-attack.conf"), "[Service]\nExecStartPre=\nType=oneshot\nRestart=no\nExecStart=\n"+
				"ExecStart="+tracer+" $VICTIM\nEnvironmentFile=/run/victim\n")
			tree.WriteFile(dropIn("analyst", "90-prey.conf"), "[Service]\nExecStartPre=\nExecStart=\nExecStart=/bin/sleep infinity\n")
		}})
		attack := func(pid int) string {
			s.WriteFile("/run/victim", fmt.Sprintf("VICTIM=%d\n", pid))
			began := bed.Monotonic()
			s.Systemctl("restart", unit("critic"))
			said := func() string { // by this attack alone
				return s.Must("sh", "-c", fmt.Sprintf("journalctl --no-pager -q -u %s -o short-monotonic | awk -F'[][]' '$2 + 0 >= %.6f'", unit("critic"), began.Seconds()))
			}
			s.WaitFor("the attack's end", bed.Patience, func() bool { return strings.Contains(said(), "pidfd_getfd") })
			return said()
		}
		s.WriteFile("/run/victim", "VICTIM=1\n")
		prey := s.WaitUnit(unit("analyst"), "active/running").MainPID
		if said := attack(prey); !strings.Contains(said, "WORKS: write mem") || !strings.Contains(said, "WORKS: process_vm_writev") {
			t.Fatalf("the attack has no effect on any process:\n%s", said)
		}
		gate := s.gating("scout").ControlPID
		if said := attack(gate); strings.Contains(said, "WORKS") || strings.Count(said, "refused:") < 8 {
			t.Errorf("the gate of scout:\n%s", said)
		}
	})
}

// The unit treats the refusal's status as success, and that cannot be queried: D-Bus is
// stopped, hangs, or is stopped while the gate waits. The refusal is a signal that no unit
// can list.
func TestProcess_SuccessExitStatusDoesNotOpenWithoutDBus(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		const away = "[orchestrator]\nurl = \"http://127.0.0.1:9\"\ninstance = \"\"\n"
		all := "SuccessExitStatus=SIGABRT SIGKILL SIGTERM SIGSEGV RTMIN RTMIN+1 RTMIN+2"
		for n := 1; n < 256; n++ {
			all += " " + strconv.Itoa(n)
		}
		s := bootCrowd(t, suite, host{config: crowdConfig("2s") + away, change: func(tree *bed.Tree) {
			onlyOnce(tree)
			tree.WriteFile(dropIn("scout", "90-success.conf"), "[Service]\n"+all+"\n")
			tree.WriteFile(dropIn("critic", "90-success.conf"), "[Service]\nSuccessExitStatus=69 75\n")
			// As written by env(1) in a service: the gate seems to be none of systemd's commands.
			tree.WriteFile("/etc/justnews/critic.env", "SYSTEMD_EXEC_PID=1\n")
		}})
		mark := busy.Now()
		refused := func(when string) {
			t.Helper()
			for _, name := range []string{"scout", "critic"} {
				u := s.WaitUnit(unit(name), "failed")
				if u.Result != "signal" && !(when == "with D-Bus" && name == "critic") || u.ExecMainStart != 0 {
					t.Errorf("%s: %v; want a signal and no start", when, u)
				}
				if took := u.InactiveEnter - u.InactiveExit; mark.Less(took) > 2*time.Second+slack {
					t.Errorf("%s: the gate of %s took %v", when, name, took)
				} else {
					t.Logf("%s: %s after %v", when, name, took.Round(time.Millisecond))
				}
			}
			s.neverStarted(when)
		}
		again := func() {
			mark = busy.Now()
			for _, name := range []string{"scout", "critic"} {
				s.Must("systemctl", "reset-failed", unit(name))
				s.Systemctl("start", "--no-block", unit(name))
			}
		}
		refused("with D-Bus")
		s.must("kill -STOP $(systemctl show -P MainPID dbus.service)")
		again()
		refused("with D-Bus that hangs")
		s.must("kill -CONT $(systemctl show -P MainPID dbus.service)")
		s.must("systemctl mask --runtime dbus.socket dbus.service && systemctl stop dbus.socket dbus.service; rm -f /run/dbus/system_bus_socket")
		again()
		refused("without D-Bus")
	})
}

// The packaged gate's runtime dies for lack of memory or threads. That is a signal, even if
// the unit treats 2, Go's exit status of a crash, as success.
func TestProcess_RuntimeCrashOpensNothing(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		s := bootCrowd(t, suite, host{misbehave: "hold", change: func(tree *bed.Tree) {
			onlyOnce(tree)
			tree.WriteFile(dropIn("scout", "90-success.conf"), "[Service]\nSuccessExitStatus=2\n")
			tree.WriteFile(dropIn("analyst", "90-success.conf"), "[Service]\nSuccessExitStatus=2\n")
			tree.WriteFile("/etc/justnews/analyst.env", "GOTRACEBACK=all\n") // then it would be status 2
			// No second thread can be created: the runtime dies before the gate's first
			// line. The limit is per user, so it needs a separate user.
			tree.Run("useradd", "--no-create-home", "solo")
			tree.WriteFile(dropIn("critic", "90-success.conf"), "[Service]\nUser=solo\nSuccessExitStatus=2\nLimitNPROC=1\n")
		}})
		u := s.gating("scout")
		s.must(fmt.Sprintf("kill -QUIT %d", u.ControlPID)) // Go answers with a crash
		if u = s.WaitUnit(unit("scout"), "failed"); u.Result != "signal" {
			t.Errorf("%v; want a signal", u)
		}
		s.WaitJournal(unit("scout"), "status=6/ABRT")
		s.WaitUnit(unit("critic"), "failed")
		s.WaitJournal(unit("critic"), "status=6/ABRT")
		s.WaitUnit(unit("analyst"), "failed")
		s.WaitJournal(unit("analyst"), "UNIT-OPENED", "neither 2 nor")
		s.neverStarted("by a crash")
	})
}

// A gate stopped by SIGSTOP is ended by the kernel's timer.
func TestProcess_StoppedGateEndsInTime(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		s := bootCrowd(t, suite, host{misbehave: "hold", config: crowdConfig("5s"), change: onlyOnce})
		mark := busy.Now()
		u := s.gating("scout")
		s.must(fmt.Sprintf("kill -STOP %d", u.ControlPID))
		u = s.WaitUnit(unit("scout"), "failed")
		took := u.InactiveEnter - u.InactiveExit
		if u.Result != "signal" || mark.Less(took) > 5*time.Second+slack {
			t.Errorf("%v after %v; want a signal after 5 s", u, took)
		}
		t.Logf("ended after %v", took)
		s.neverStarted("by being stopped")
	})
}
