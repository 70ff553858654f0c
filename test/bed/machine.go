// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"justnews/test/reference/hang"
)

// Machine is a booted systemd. Its file methods act on the running root, /run
// and /tmp included.
type Machine struct {
	files
	Name    string // as nspawn and the cgroup have it
	Suite   string
	Version string // of its systemd, as "257.13-1~deb13u1"

	t       testing.TB
	ctx     context.Context // the machine's lifetime
	cancel  context.CancelFunc
	scratch string
	cgroup  string
	began   time.Time
	leader  int // PID 1 of the machine, as the host counts
	nspawn  *exec.Cmd
	gone    chan struct{} // closed when nspawn has ended
	exit    error         // how; valid once gone is closed
	reaper  *reaper
	stopped bool
}

var errGone = errors.New("the machine is gone")

// machineEnv is the environment of a root shell on the machine.
var machineEnv = []string{
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/sh",
	"LANG=C.UTF-8", "TERM=dumb", "SYSTEMD_PAGER=cat", "SYSTEMD_COLORS=0",
}

// Result is how a command ended.
type Result struct {
	Stdout, Stderr string
	Code           int   // exit status; -1 when it did not exit by itself
	Err            error // nil when Code is 0
}

// commandLimit is the time limit of one command; no command of a scenario takes long.
var commandLimit = Scaled(5 * time.Minute)

// Run runs a command as root in the machine and returns how it ended.
func (m *Machine) Run(argv ...string) Result {
	return m.RunFor(commandLimit, argv...)
}

// RunFor is Run with its own time limit.
func (m *Machine) RunFor(limit time.Duration, argv ...string) Result {
	ctx, cancel := context.WithTimeout(m.ctx, limit)
	defer cancel()
	return m.run(ctx, argv)
}

// Sh runs a shell script as root in the machine.
func (m *Machine) Sh(script string) Result { return m.Run("sh", "-c", script) }

// Must runs a command and returns its standard output; the test fails if the
// command does.
func (m *Machine) Must(argv ...string) string {
	m.t.Helper()
	r := m.Run(argv...)
	if r.Err != nil {
		m.t.Fatalf("cannot run %q in the machine: %v\n%s%s", argv, r.Err, r.Stdout, r.Stderr)
	}
	return r.Stdout
}

// Systemctl is Must("systemctl", …).
func (m *Machine) Systemctl(args ...string) string {
	m.t.Helper()
	return m.Must(append([]string{"systemctl"}, args...)...)
}

// Root is the machine's root directory for a process outside it.
func (m *Machine) Root() string { return fmt.Sprintf("/proc/%d/root", m.leader) }

// Bus is the address of the machine's D-Bus for a client outside it.
func (m *Machine) Bus() string { return "unix:path=" + m.Root() + "/run/dbus/system_bus_socket" }

func (m *Machine) run(ctx context.Context, argv []string) Result {
	enter := append([]string{"nsenter", "--target", fmt.Sprint(m.leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--"}, argv...)
	if !MaySetClock() {
		enter = append([]string{"setpriv", "--bounding-set=-sys_time"}, enter...)
	}
	cmd := exec.CommandContext(ctx, enter[0], enter[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &stdout, &stderr, machineEnv
	cmd.Cancel = func() error { return killChildren(cmd.Process) }
	cmd.WaitDelay = time.Second // a grandchild may still hold the pipes
	err := cmd.Run()
	r := Result{Stdout: stdout.String(), Stderr: stderr.String(), Err: err}
	if cmd.ProcessState != nil {
		r.Code = cmd.ProcessState.ExitCode()
	}
	switch {
	case ctx.Err() != nil:
		r.Code, r.Err = -1, fmt.Errorf("no end within the limit: %w", ctx.Err())
	case err != nil && r.Code == 0:
		r.Code = -1
	}
	return r
}

// killChildren ends nsenter by ending its children, so that nsenter can reap them: an orphan
// would become a zombie that no process in the machine can reap, and systemd's shutdown
// waits 10 s for those.
func killChildren(nsenter *os.Process) error {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", nsenter.Pid))
	for _, child := range strings.Fields(string(children)) {
		if pid, e := strconv.Atoi(child); e == nil {
			err = errors.Join(err, unix.Kill(pid, unix.SIGKILL))
		}
	}
	if err != nil || len(children) == 0 {
		return nsenter.Kill()
	}
	return nil
}

// Path is the host's path of a file in the machine, for uses that the file methods do not
// cover, such as connecting to a socket. Links to absolute paths lead to the host's files.
func (m *Machine) Path(name string) string { return filepath.Join(m.files.dir(), name) }

// HostPID returns the PID that a process of the machine has on the host.
func (m *Machine) HostPID(pid int) int {
	m.t.Helper()
	space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", m.leader))
	if err != nil {
		m.t.Fatal(err)
	}
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		m.t.Fatal(err)
	}
	for _, dir := range all {
		if its, err := os.Readlink(dir + "/ns/pid"); err != nil || its != space {
			continue
		}
		status, _ := os.ReadFile(dir + "/status") // it may be gone
		for line := range strings.Lines(string(status)) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "NSpid:" && f[len(f)-1] == strconv.Itoa(pid) {
				host, _ := strconv.Atoi(filepath.Base(dir))
				return host
			}
		}
	}
	m.t.Fatalf("the machine has no process %d", pid)
	return 0
}

// Dial connects from inside the machine's network, so that a test can reach servers on the
// machine's loopback.
func (m *Machine) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var conn net.Conn
	err := hang.Apart(func() error {
		ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", m.leader))
		if err == nil {
			defer func() { _ = ns.Close() }()
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
		}
		if err != nil {
			return fmt.Errorf("cannot enter the machine's network: %w", err)
		}
		var d net.Dialer
		conn, err = d.DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// HTTP returns a client inside the machine's network. Use addresses, not names:
// names would be looked up outside.
func (m *Machine) HTTP() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: m.Dial, DisableKeepAlives: true}}
}

// PowerOff shuts the machine down from inside, as an operator would, and waits until it is
// off. Its files can no longer be read.
func (m *Machine) PowerOff() {
	m.t.Helper()
	// No answer is fine: the connection may die under it.
	_ = m.Run("systemctl", "poweroff")
	select {
	case <-m.gone:
	case <-time.After(commandLimit):
		m.t.Fatalf("cannot power off %s within %v\nconsole:\n%s", m.Name, commandLimit, m.Console())
	}
	if m.exit != nil {
		m.t.Errorf("cannot power off %s cleanly: %v", m.Name, m.exit)
	}
}

// Stop ends the machine at once, like a power failure, and returns when nothing of it is left
// on the host. The end of the test does the same.
func (m *Machine) Stop() {
	m.t.Helper()
	if m.stopped {
		return
	}
	m.stopped = true
	running.Delete(m.t.Name())
	m.logTime()
	if m.cancel != nil {
		m.cancel()
	}
	if err := m.reaper.reap(); err != nil {
		m.t.Error(err)
	}
	if m.gone != nil {
		<-m.gone
	}
}

// logTime logs how long the machine ran and how much CPU time all its processes used: a test
// that uses little spends its time waiting.
func (m *Machine) logTime() {
	m.t.Helper()
	var used int64 // microseconds
	text, err := os.ReadFile(filepath.Join(m.cgroup, "cpu.stat"))
	if err == nil {
		_, err = fmt.Sscanf(string(text), "usage_usec %d", &used)
	}
	if err == nil {
		m.t.Logf("%s: %.1f s, %.1f s of CPU time", m.Suite, time.Since(m.began).Seconds(), float64(used)/1e6)
	}
}

// Console returns what the machine wrote to its console.
func (m *Machine) Console() string {
	content, err := os.ReadFile(filepath.Join(m.scratch, "console"))
	if err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(string(content), "\r", "")
}

// Monotonic is the clock of systemd's …TimestampMonotonic properties, which host and machine
// share.
func Monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err) // it cannot fail on Linux
	}
	return time.Duration(ts.Nano())
}
