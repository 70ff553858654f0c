// SPDX-License-Identifier: Apache-2.0

package bed_test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"justnews/test/bed"
)

const refusingUnit = `[Service]
ExecStartPre=/bin/sh -c 'echo refused on purpose; exit 78'
ExecStart=/bin/sleep infinity
`

// The bed is tested with its own units, to distinguish its faults from those of the
// product.
func TestMachine_SystemdBootsAndAnswers(t *testing.T) {
	versions := map[string]string{bed.Bookworm: "252", bed.Trixie: "257"}
	bed.Each(t, func(t *testing.T, suite string) {
		began := time.Now()
		m := bed.Boot(t, bed.Options{
			Suite:   suite,
			Cmdline: []string{"bed.word=1"},
			Prepare: func(tree *bed.Tree) {
				tree.WriteFile("/etc/systemd/system/refusing.service", refusingUnit)
				tree.WriteFile("/usr/lib/systemd/system/slow.service",
					"[Service]\nType=oneshot\nExecStartPre=/bin/sh -c 'until [ -e /run/go ]; do sleep 0.02; done'\nExecStart=/bin/true\nRemainAfterExit=yes\n")
				tree.Symlink("/usr/lib/systemd/system/slow.service", "/etc/systemd/system/multi-user.target.wants/slow.service")
				if got := tree.Run("cat", "/etc/hostname"); got != "bed\n" {
					t.Errorf("chroot reads the hostname %q, want bed", got)
				}
			},
		})
		t.Logf("%s: systemd %s answers after %v", suite, m.Version, time.Since(began).Round(time.Millisecond))
		if !strings.HasPrefix(m.Version, versions[suite]) {
			t.Errorf("systemd %q, want %s", m.Version, versions[suite])
		}

		// Boot does not wait for the queue: a gate may hold it up.
		slow := m.WaitUnit("slow.service", "activating/start-pre")
		if slow.ControlPID == 0 {
			t.Errorf("%v has no control process", slow)
		}
		if m.Unit("multi-user.target").Is("active") {
			t.Error("multi-user.target is active although a unit that it wants is still starting")
		}
		m.WriteFile("/run/go", "")
		m.WaitUnit("slow.service", "active/exited")
		if state := m.WaitIdle(); state != "running" {
			t.Errorf("the system is %s, want running\n%s", state, m.Run("systemctl", "--failed").Stdout)
		}

		// The host's own second, so that nothing happens where it is allowed.
		if r := m.Run("sh", "-c", `date --set="@$(date +%s)"`); bed.MaySetClock() != (r.Code == 0) {
			t.Errorf("the clock of the host was set: %+v", r)
		}

		if got := m.ReadFile("/proc/1/cmdline"); !strings.Contains(got, "bed.word=1") {
			t.Errorf("PID 1 has the command line %q, want bed.word=1 in it", got)
		}
		if got := m.ReadFile("/sys/class/net/lo/flags"); got != "0x9\n" {
			t.Errorf("loopback has the flags %q, want 0x9: up", got)
		}

		if r := m.Run("systemctl", "start", "refusing.service"); r.Code != 1 {
			t.Errorf("systemctl start of a refusing unit exits %d, want 1", r.Code)
		}
		u := m.WaitUnit("refusing.service", "failed")
		if u.Result != "exit-code" || u.PreStatus != 78 || u.ExecMainStart != 0 {
			t.Errorf("%v; want result exit-code, gate status 78, and no main process", u)
		}
		m.WaitJournal("refusing.service", "refused on purpose", "status=78/CONFIG")

		m.WriteFile("/etc/systemd/system/refusing.service.d/50-open.conf", "[Service]\nExecStartPre=\n")
		before := bed.Monotonic()
		m.Systemctl("daemon-reload")
		m.Systemctl("start", "refusing.service")
		u = m.WaitUnit("refusing.service", "active/running")
		if u.PreStatus != -1 || u.ExecMainStart < before || u.ExecMainStart > bed.Monotonic() {
			t.Errorf("%v: main process started at %v, want after %v", u, u.ExecMainStart, before)
		}
		if u := m.Units("nosuch.service", "refusing.service", "dbus.socket"); u[0].LoadState != "not-found" || u[1].Name != "refusing.service" || !u[1].Is("active/running") || u[2].Name != "dbus.socket" {
			t.Errorf("%v; want not-found, refusing.service running, dbus.socket", u)
		}
		if u := m.WaitUnits("active", "dbus.socket", "refusing.service"); u[0].Name != "dbus.socket" || u[1].Name != "refusing.service" {
			t.Errorf("waited for %v", u)
		}
		if r := m.Sh("echo out; echo err >&2; exit 3"); r.Code != 3 || r.Stdout != "out\n" || r.Stderr != "err\n" {
			t.Errorf("a command ended as %+v, want 3, out, err", r)
		}
		if r := m.RunFor(50*time.Millisecond, "sleep", "30"); r.Code != -1 || r.Err == nil {
			t.Errorf("a command beyond its limit ended as %+v, want -1", r)
		}

		m.PowerOff()
		m.Stop()
		if left := leftovers(t, os.Getpid()); len(left) > 0 {
			t.Errorf("the machine left behind:\n%s", strings.Join(left, "\n"))
		}
	})
}

// A test that dies runs no cleanup: the machine must still end.
func TestMachine_EndsWithItsTest(t *testing.T) {
	if os.Getenv("JUSTNEWS_BED_DOOMED") == "1" {
		bed.Boot(t, bed.Options{})
		_, _ = os.Stdout.WriteString("booted\n")
		select {} // until the parent kills this process
	}
	bed.Need(t)
	bed.Root(t, bed.Suites()[0]) // not in the child, which must not be killed while building one
	// However long it waits until one machine less runs.
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMachine_EndsWithItsTest$")
	child.Env = append(os.Environ(), "JUSTNEWS_BED_DOOMED=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 7)
	if _, err := io.ReadFull(out, buf); err != nil || string(buf) != "booted\n" {
		_ = child.Process.Kill()
		t.Fatalf("the child says %q, %v; want booted", buf, err)
	}
	if leftovers(t, child.Process.Pid) == nil {
		t.Error("there is no sign of the child's machine while it runs")
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	// The reaper has no parent any more.
	for until := time.Now().Add(bed.Patience); ; time.Sleep(20 * time.Millisecond) {
		left := leftovers(t, child.Process.Pid)
		if len(left) == 0 {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("the machine left behind:\n%s", strings.Join(left, "\n"))
		}
	}
}

// A server on the machine's loopback answers the test, and only there.
func TestMachine_LoopbackIsReachable(t *testing.T) {
	m := bed.Boot(t, bed.Options{Prepare: func(tree *bed.Tree) {
		tree.WriteFile("/etc/systemd/system/echo.socket", "[Socket]\nListenStream=127.0.0.1:8014\nAccept=yes\n")
		tree.WriteFile("/etc/systemd/system/echo@.service",
			"[Service]\nStandardInput=socket\nExecStart=/bin/sh -c 'sed \"/^\\\\r$/q\" >/dev/null; printf \"HTTP/1.0 200 OK\\\\r\\\\n\\\\r\\\\nhere\"'\n")
	}})
	m.Systemctl("start", "echo.socket")
	response, err := m.HTTP().Get("http://127.0.0.1:8014/")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "here" {
		t.Errorf("the machine answers %q, %v; want here", body, err)
	}
	if response, err := http.Get("http://127.0.0.1:8014/"); err == nil {
		_ = response.Body.Close()
		t.Error("the host's loopback answers: the machine has no network of its own")
	}
}

func leftovers(t *testing.T, pid int) []string {
	t.Helper()
	left, err := bed.Leftovers(pid)
	if err != nil {
		t.Fatal(err)
	}
	return left
}
