// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	machinePrefix = "justnews-bed-"
	// reserve is what is kept of go test's -timeout for the report of a failure
	// and for cleaning up.
	reserve = 15 * time.Second
)

// Options select what to boot. The zero value is a bare Debian of the newest suite.
type Options struct {
	Suite    string   // Bookworm or Trixie; "": the first of Suites
	Packages []string // Debian packages beyond systemd-sysv, dbus and polkitd
	// Cmdline is given to PID 1 as the kernel command line: /proc/1/cmdline has
	// it, /proc/cmdline stays the host's.
	Cmdline []string
	// Prepare puts files into the root before the boot.
	Prepare func(tree *Tree)
}

var bootLimit = Scaled(30 * time.Second)

var (
	machines atomic.Int64
	// running holds the names of the tests that have a machine: a second one could
	// wait forever for the first one's place.
	running sync.Map
)

// Boot boots a machine and returns as soon as its systemd answers; usually jobs are still
// queued then. The machine ends with the test. If the maximum number of machines is already
// running, in any process, Boot waits for one to end.
func Boot(t testing.TB, o Options) *Machine {
	t.Helper()
	Need(t)
	if o.Suite == "" {
		o.Suite = Suites()[0]
	}
	if _, has := running.Load(t.Name()); has {
		t.Fatal("cannot boot a second machine in one test: it could wait for the first one's place (Stop the first)")
	}
	base := Root(t, o.Suite, o.Packages...)
	cache, err := cacheDir()
	if err != nil {
		t.Fatal(err)
	}
	p, err := takePlace(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.lock.Close() }() // from here on the reaper holds it
	m, err := boot(t, o, base, cache, p)
	if m != nil && err != nil {
		t.Fatalf("cannot boot %s: %v\nconsole:\n%s", o.Suite, err, m.Console())
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func boot(t testing.TB, o Options, base, cache string, p place) (*Machine, error) {
	t.Helper()
	cgroups, err := unifiedCgroup()
	if err != nil {
		return nil, err
	}
	if err := sweep(p.scratches, cgroups); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s%d-%d", machinePrefix, os.Getpid(), machines.Add(1))
	scratch := filepath.Join(p.scratches, name)
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make a machine: %w", err)
	}
	reaper, err := newReaper(name, scratch, cgroups, p.lock)
	if err != nil {
		return nil, err
	}
	m := &Machine{t: t, Name: name, Suite: o.Suite, scratch: scratch, cgroup: filepath.Join(cgroups, name), began: time.Now(), reaper: reaper}
	m.files = files{t: t, dir: m.Root}
	running.Store(t.Name(), true)
	t.Cleanup(m.Stop)
	t.Cleanup(m.report) // runs before Stop

	m.ctx, m.cancel = context.WithCancel(context.WithoutCancel(t.Context()))
	if d, ok := deadline(t); ok {
		m.ctx, m.cancel = context.WithDeadline(m.ctx, d.Add(-reserve))
	}
	tree, err := newTree(t, o.Suite, base, scratch, cache)
	if err != nil {
		return nil, err
	}
	if o.Prepare != nil {
		o.Prepare(tree)
	}
	if err := m.spawn(tree.dir, o.Cmdline); err != nil {
		return m, err
	}
	return m, m.awaitSystemd()
}

// deadline is when go test ends the process. testing.TB does not have it, since benchmarks
// have none.
func deadline(t testing.TB) (time.Time, bool) {
	if d, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		return d.Deadline()
	}
	return time.Time{}, false
}

// spawn starts nspawn and waits until it names the machine's PID 1.
func (m *Machine) spawn(dir string, cmdline []string) error {
	if err := os.Mkdir(m.cgroup, 0o755); err != nil {
		return fmt.Errorf("cannot make a cgroup: %w", err)
	}
	group, err := os.Open(m.cgroup)
	if err != nil {
		return err
	}
	defer func() { _ = group.Close() }()
	// Abstract, since a path below the cache directory may be too long for a socket.
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "@" + m.Name, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("cannot listen for nspawn: %w", err)
	}
	defer func() { _ = notify.Close() }()
	console, err := os.Create(filepath.Join(m.scratch, "console"))
	if err != nil {
		return err
	}
	defer func() { _ = console.Close() }()

	args := append([]string{
		"--quiet", "--directory=" + dir, "--machine=" + m.Name,
		"--settings=no", "--register=no", "--keep-unit", "--boot",
		"--private-network", "--console=read-only",
		"--link-journal=no", "--resolv-conf=off", "--timezone=off",
	}, cmdline...)
	m.nspawn = exec.Command("systemd-nspawn", args...)
	m.nspawn.Env = []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1", // hybrid hosts would give it v1
		"NOTIFY_SOCKET=@" + m.Name,
	}
	m.nspawn.Stdout, m.nspawn.Stderr = console, console
	m.nspawn.SysProcAttr = &syscall.SysProcAttr{
		Setpgid: true, // the reaper handles Ctrl-C
		// Started in a separate cgroup: otherwise two machines would share one
		// tree.
		UseCgroupFD: true, CgroupFD: int(group.Fd()),
	}
	if err := m.nspawn.Start(); err != nil {
		return fmt.Errorf("cannot start systemd-nspawn: %w", err)
	}
	m.gone = make(chan struct{})
	go func() {
		m.exit = m.nspawn.Wait()
		close(m.gone)
		_ = notify.SetReadDeadline(time.Now()) // nothing more will come
	}()
	_ = notify.SetReadDeadline(time.Now().Add(bootLimit))
	buf := make([]byte, 4096)
	for {
		n, err := notify.Read(buf)
		if err != nil {
			return fmt.Errorf("cannot get the machine's PID 1 from nspawn: %w", err)
		}
		for line := range strings.Lines(string(buf[:n])) {
			if pid, ok := strings.CutPrefix(strings.TrimSpace(line), "X_NSPAWN_LEADER_PID="); ok {
				m.leader, err = strconv.Atoi(pid)
				return err
			}
		}
	}
}

// awaitSystemd returns when systemd accepts commands: once its private socket exists, the
// generators are done and the boot is queued.
func (m *Machine) awaitSystemd() error {
	ctx, cancel := context.WithTimeout(m.ctx, bootLimit)
	defer cancel()
	private := m.Root() + "/run/systemd/private"
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(private); err == nil {
			if r := m.run(ctx, []string{"systemctl", "show", "--property=Version", "--value"}); r.Code == 0 {
				m.Version = strings.TrimSpace(r.Stdout)
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-m.gone:
			return fmt.Errorf("the machine ended: %w", errors.Join(m.exit, errGone))
		case <-ctx.Done():
			return fmt.Errorf("systemd does not answer: %w", ctx.Err())
		}
	}
}
