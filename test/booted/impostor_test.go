// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"justnews/test/bed"
	"justnews/test/reference/hang"
)

// Ports 8014 and 8000 need no privilege, so another process can bind them first and answer
// like an orchestrator with all models loaded, or like the bus.
const (
	impostor = "impostor.service"
	fakeBus  = "fakebus.service"

	// bySignal is systemd-run's exit status if a signal ended the command: a gate that
	// cannot query what its unit treats as success.
	bySignal = 255
)

// server is a unit that runs the reference server as a user.
func server(user, arguments string) string {
	return "[Unit]\nBefore=" + unit(orchestrator) + "\n[Service]\nUser=" + user + "\nRestart=on-failure\nRestartSec=100ms\n" +
		"Environment=REFERENCE_BUS_URL=\nExecStart=/usr/local/bin/justnews-reference " + arguments + "\n"
}

func orchestratorAs(user, address string) string {
	return server(user, `orchestrator --bus-url "" --root `+modelRoot+" --address "+address)
}

// answered runs a gate as the agents' user, as a command of a unit, and fails unless it has
// this exit status and code.
func (s *site) answered(what string, status int, code string, environment ...string) {
	s.t.Helper()
	args := []string{"systemd-run", "--wait", "--pipe", "--quiet", "--collect", "--property=User=justnews"}
	for _, e := range environment {
		args = append(args, "--setenv="+e)
	}
	r := s.Run(append(args, "/usr/bin/justnews-gate", "gate", "scout", "--timeout", "8")...)
	if r.Code != status || code != "" && !strings.Contains(r.Stdout+r.Stderr, "error: "+code) {
		s.t.Errorf("%s: exit status %d, want %d with %q:\n%s%s", what, r.Code, status, code, r.Stdout, r.Stderr)
	}
}

func TestImpostor_OpensNothing(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		t.Parallel()
		s := boot(t, suite, host{change: func(tree *bed.Tree) {
			tree.WriteFile("/etc/systemd/system/"+impostor, orchestratorAs("nobody", "127.0.0.1:8014"))
			tree.WriteFile("/etc/systemd/system/"+fakeBus, server("justnews", "bus --address 127.0.0.1:8000"))
			tree.Symlink("../"+impostor, "/etc/systemd/system/multi-user.target.wants/"+impostor)
		}})
		own := unit(orchestrator)

		// F1: at boot another user is first, and the orchestrator itself stays in
		// auto-restart.
		s.WaitUnit(impostor, "active/running")
		s.WaitJournal(unit("mcp_bus"), "ORCHESTRATOR-IMPOSTOR", "exit status 76") // the preload is stopped with each crash
		s.waitRefused(unit("mcp_bus"))
		s.noAgentStarted()

		// With the impostor gone everything comes up by itself.
		s.Systemctl("stop", impostor)
		s.everythingUp(bed.Monotonic())
		s.answered("the orchestrator itself", 0, "")

		// P2: another user's listener at another address with the same port. D1: every
		// way to write an address of this host.
		s.WriteFile("/etc/systemd/system/other.service", orchestratorAs("nobody", "127.0.0.99:8014"))
		s.Systemctl("daemon-reload")
		s.Systemctl("start", "other.service")
		s.WaitUnit("other.service", "active/running")
		s.answered("another user on another address", 0, "")
		var gates sync.WaitGroup // they wait, most of them until their deadline
		for _, host := range []string{"0.0.0.0", "localhost.", "[::ffff:127.0.0.1]", "127.0.0.1"} {
			gates.Go(func() { s.answered(host, 0, "", "GPU_ORCHESTRATOR_URL=http://"+host+":8014") })
		}
		gates.Go(func() {
			s.answered("another user's address", 76, "ORCHESTRATOR-IMPOSTOR", "GPU_ORCHESTRATOR_URL=http://127.0.0.99:8014")
		})
		gates.Wait()
		s.Systemctl("stop", "other.service")

		// The bus, played by a process of the agents' own user.
		s.Systemctl("stop", unit("mcp_bus"))
		s.Systemctl("start", fakeBus)
		s.WaitUnit(fakeBus, "active/running")
		s.answered("the bus is played", 76, "BUS-IMPOSTOR")
		s.Systemctl("stop", fakeBus)
		s.Systemctl("start", unit("mcp_bus"))
		s.WaitUnit(unit("mcp_bus"), "active/running")
		s.answered("the bus itself", 0, "")

		// F2: a file of EnvironmentFile=.
		s.WriteFile("/etc/justnews/gpu_orchestrator.env", "MODEL_STORE_DRY_RUN=1\n")
		s.restarted(own)
		s.answered("a dry run by a file", 1, "ORCHESTRATOR-DRY-RUN")
		s.WriteFile("/etc/justnews/gpu_orchestrator.env", "")
		s.restarted(own)
		s.WaitUnit(preload, "active/exited")
		s.answered("no dry run", 0, "")

		// The agents' own user, in another control group; the orchestrator by turns
		// stopped, kept from starting by a condition, and killed during a preload.
		s.WriteFile("/etc/systemd/system/"+impostor, orchestratorAs("justnews", "0.0.0.0:8014"))
		s.WriteFile(dropIn(orchestrator, "90-condition.conf"), "[Unit]\nConditionPathExists=/nonexistent\n")
		s.Systemctl("daemon-reload")
		s.Systemctl("stop", own)
		s.Systemctl("start", impostor)
		s.WaitUnit(impostor, "active/running")
		gates.Go(func() { s.answered("the agents' user, inactive by a condition", 76, "ORCHESTRATOR-IMPOSTOR") })
		for _, host := range []string{"0.0.0.0", "localhost.", "[::ffff:127.0.0.1]", "127.0.0.99"} {
			gates.Go(func() {
				s.answered(host, 76, "ORCHESTRATOR-IMPOSTOR", "GPU_ORCHESTRATOR_URL=http://"+host+":8014")
			})
		}
		gates.Wait()

		// F5: systemd cannot be queried. An agent exhausts its user's connections.
		release := s.exhaust(300)
		s.answered("no connection is left", bySignal, "SERVER-UNPROVEN")
		release()
		s.answered("connections are left", 76, "ORCHESTRATOR-IMPOSTOR")
		s.Systemctl("stop", impostor)
		s.Remove(dropIn(orchestrator, "90-condition.conf"))
		s.Systemctl("daemon-reload")
		s.restarted(own)
		s.WaitUnit(preload, "active/exited") // its gate has a connection that would be free later
		release = s.exhaust(300)
		s.answered("no connection is left, and the orchestrator is the right one", bySignal, "SERVER-UNPROVEN")
		release()

		// The right one is verified, and then replaced during its preload.
		s.Systemctl("stop", "justnews.target")
		s.WriteFile("/etc/justnews/global.env", "REFERENCE_MISBEHAVE=hold\n")
		s.WriteFile(dropIn(orchestrator, "96-slow.conf"), "[Service]\nRestartSec=10min\n")
		s.Systemctl("daemon-reload")
		s.restarted(own)
		s.Must("systemd-run", "--quiet", "--unit=waiting", "--property=User=justnews", "/usr/bin/justnews-gate", "gate", "scout", "--timeout", "40")
		s.waitHeld()
		s.Systemctl("kill", "--signal=KILL", "--kill-whom=main", own)
		s.Systemctl("start", impostor)
		s.WaitJournal("waiting.service", "ORCHESTRATOR-IMPOSTOR")

		// The bus daemon stopped: the real gates of the units.
		s.Systemctl("stop", impostor)
		s.WriteFile("/etc/justnews/global.env", "GATE_TIMEOUT=6\n")
		s.Remove(dropIn(orchestrator, "96-slow.conf"))
		s.Systemctl("daemon-reload")
		s.restarted(own)
		s.Systemctl("stop", "dbus.socket", "dbus.service")
		s.Systemctl("start", "--no-block", unit("scout"))
		s.WaitJournal(unit("scout"), "UNIT-UNMARKED")
		asked := bed.Monotonic()
		s.Systemctl("start", "dbus.socket")
		s.Systemctl("start", "--no-block", "justnews.target")
		s.everythingUp(asked)
	})
}

// The orchestrator behind a socket unit: the listener belongs to systemd, so the process
// that accepted the connection counts.
func TestImpostor_BehindASocketUnit(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{change: func(tree *bed.Tree) {
			tree.WriteFile("/etc/systemd/system/backend.service", orchestratorAs("justnews", "127.0.0.1:18014"))
			tree.WriteFile("/etc/systemd/system/backend.socket", "[Socket]\nListenStream=127.0.0.1:8014\nService="+unit(orchestrator)+"\n")
			tree.WriteFile(dropIn(orchestrator, "91-socket.conf"), "[Unit]\nRequires=backend.socket\nAfter=backend.socket\nWants=backend.service\n"+
				"[Service]\nExecStart=\nExecStart=/usr/lib/systemd/systemd-socket-proxyd 127.0.0.1:18014\n")
		}})
		s.everythingUp(0)
		s.answered("the right one, behind a socket unit", 0, "")

		// Another process accepts from a systemd listener that is not the unit's.
		s.Systemctl("stop", target)
		s.stopAll()
		s.Systemctl("stop", "backend.socket")
		s.WriteFile("/etc/systemd/system/thief.socket", "[Socket]\nListenStream=127.0.0.1:8014\n")
		s.WriteFile("/etc/systemd/system/thief.service", "[Service]\nUser=nobody\nExecStart=/usr/lib/systemd/systemd-socket-proxyd 127.0.0.1:18014\n")
		s.Systemctl("daemon-reload")
		s.Systemctl("start", "thief.socket", "backend.service")
		s.answered("another service behind a socket unit", 76, "ORCHESTRATOR-IMPOSTOR")
	})
}

// restarted restarts a unit and waits until it runs.
func (s *site) restarted(name string) {
	s.t.Helper()
	s.Systemctl("restart", name)
	s.WaitUnit(name, "active/running")
}

// exhaust makes as many connections to D-Bus as it accepts from the agents' user.
func (s *site) exhaust(n int) (release func()) {
	s.t.Helper()
	uid, err := strconv.Atoi(strings.TrimSpace(s.Must("id", "-u", "justnews")))
	if err != nil {
		s.t.Fatal(err)
	}
	path := s.Path("/run/dbus")
	var all []*dbus.Conn
	err = hang.Apart(func() error {
		// The user cannot use the machine's /proc/PID/root, so the directory is entered
		// before.
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return err
		}
		if err := unix.Chdir(path); err != nil {
			return err
		}
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), uintptr(uid), ^uintptr(0)); errno != 0 {
			return errno
		}
		for range n {
			sock, err := net.DialUnix("unix", nil, &net.UnixAddr{Net: "unix", Name: "system_bus_socket"})
			if err != nil {
				break
			}
			c, err := dbus.NewConn(sock)
			if err != nil {
				break
			}
			if c.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(uid))}) != nil || c.Hello() != nil {
				_ = c.Close()
				break
			}
			all = append(all, c)
		}
		return nil //nolint:nilerr // the failed connection was one too many
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if len(all) < 200 {
		s.t.Fatalf("only %d connections could be made", len(all))
	}
	s.t.Logf("%d connections", len(all))
	return func() {
		for _, c := range all {
			_ = c.Close()
		}
	}
}
