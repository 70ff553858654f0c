// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"justnews/internal/facts"
)

// connected returns a Conn to a fake manager that knows scout.
func connected(t testing.TB) (*Conn, *manager, *bus) {
	t.Helper()
	b := startBus(t)
	m := &manager{
		units: map[dbus.ObjectPath]map[string]dbus.Variant{scoutPath: scout()},
		pids:  map[uint32]dbus.ObjectPath{4711: scoutPath},
	}
	m.serve(t, b)
	c, err := open(t.Context(), bootedRoot(t), b.doors())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, m, b
}

func wantScout() facts.Unit {
	uid := 997
	return facts.Unit{
		Name: "justnews@scout.service", LoadState: "loaded", ActiveState: "activating",
		SubState: "start-pre", Result: "success", StatusText: "waiting for models",
		InvocationID: "01ab00000000000000000000000000ff", ExecMainCode: 1, ExecMainStatus: 78,
		ControlPID: 4711, NRestarts: 3, User: "justnews", UID: &uid,
		Environment:      []string{"GATE_TIMEOUT=180", "DRY_RUN=1"},
		EnvironmentFiles: []string{"/etc/justnews/global.env"},
		TimeoutStart:     4 * time.Minute, Job: true, ConditionResult: true, NeedDaemonReload: true,
		FragmentPath: "/usr/lib/systemd/system/justnews@.service",
		DropInPaths:  []string{"/run/systemd/generator/justnews@.service.d/50-justnews-gate.conf"},
		ExecStartPre: []facts.Exec{
			{Argv: []string{"/usr/bin/justnews-gate", "--gate-only", "scout"}},
			{Argv: []string{"/bin/false"}, IgnoreFailure: true, Code: 1, Status: 1},
		},
		SuccessExitStatus: []int{75},
		SuccessSignals:    []int{15},
		Service: facts.Service{
			FileState: "enabled-runtime", Restart: "on-failure",
			ExecStart:  []facts.Exec{{Argv: []string{"/usr/local/bin/justnews-start-agent.sh", "scout"}}},
			StartLimit: 24 * time.Minute, StartBurst: 5, LimitNOFILE: 65536, WorkingDirectory: "/srv", Group: "agents", DynamicUser: true,
			Type: "oneshot", RemainAfterExit: true, RestartPrevent: []int{78},
		},
		Conditions: []string{"ConditionPathExists=!/etc/off", "ConditionVirtualization=|vm"},
		After:      []string{"justnews-mps.service"},
		Before:     []string{"justnews.target"},
		Conflicts:  []string{"shutdown.target"},
		Times:      facts.UnitTimes{InactiveExit: 12345678 * time.Microsecond, ActiveEnter: 11 * time.Second, InactiveEnter: 12 * time.Second, StateChange: 12400 * time.Millisecond},
		Sandbox: facts.Sandbox{
			ProtectHome: "yes", ProtectSystem: "strict",
			PrivateTmp: true, PrivateNetwork: true, NetworkPath: "/run/netns/vpn", DevicePolicy: "closed", DeviceAllow: []string{"char-nvidia* rw"},
			Inaccessible: []string{"/boot", "/mnt"}, Emptied: []string{"/var"}, ReadOnly: []string{"/opt", "/home/models"},
			Writable:  []string{"/run/justnews-gate", "/tmp/nvidia-mps", "/var/cache/justnews/scout"},
			RootImage: "/srv/x.raw", Bound: []string{"/tmp/nvidia-mps", "/home/models", "/var/cache/justnews/scout"},
			Source:       map[string]string{"/tmp/nvidia-mps": "/srv/mps", "/home/models": "/home/models"},
			OnlyFamilies: true, Families: []string{"AF_INET", "AF_UNIX"},
			IPAllow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
			IPDeny:  []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")},
		},
	}
}

func TestUnit_HasEveryFact(t *testing.T) {
	c, m, _ := connected(t)
	u, err := c.Unit(t.Context(), "justnews@scout.service")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantScout(), u, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
	if m.asked != 1 {
		t.Errorf("%d questions for one unit, want 1", m.asked)
	}
}

func TestUnit_PartHasOnlyWhatWasAskedFor(t *testing.T) {
	c, _, _ := connected(t)
	whole := wantScout()
	want := facts.Unit{Name: whole.Name, InvocationID: whole.InvocationID, ControlPID: whole.ControlPID, DropInPaths: whole.DropInPaths}
	got, err := c.Unit(t.Context(), "justnews@scout.service", "InvocationID", "ControlPID", "DropInPaths")
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if u, err := c.Unit(t.Context(), "justnews@scout.service", "ControlPID", "Nothing"); err == nil {
		t.Errorf("with an unknown property: %+v", u)
	}
}

func TestUnit_OwnUnitIsFoundByPID(t *testing.T) {
	c, _, _ := connected(t)
	u, err := c.UnitOfPID(t.Context(), 4711)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantScout(), u, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
	if _, err := c.UnitOfPID(t.Context(), 1); !errors.Is(err, ErrNoUnit) {
		t.Errorf("a process of no unit: %v, want ErrNoUnit", err)
	}
	if _, err := c.UnitOfPID(t.Context(), 0); err == nil {
		t.Error("PID 0, which systemd takes for the caller, was asked for")
	}
}

func TestUnit_StopJobIsFollowed(t *testing.T) {
	c, m, _ := connected(t)
	s, err := c.Stop(t.Context(), "justnews@scout.service")
	starts, stops := m.asks()
	if err != nil || s.Result != "done" || len(stops) != 1 || starts != 0 {
		t.Errorf("%+v, %v, stopped %q", s, err, stops)
	}
}

func TestUnit_MissingUnitIsAFact(t *testing.T) {
	c, _, _ := connected(t)
	u, err := c.Unit(t.Context(), "justnews@nobody.service")
	if err != nil {
		t.Fatal(err)
	}
	if u.LoadState != "not-found" || u.ActiveState != "inactive" || u.Job || u.UID != nil {
		t.Errorf("got %+v", u)
	}
}

func TestUnit_InvalidNameIsNotQueried(t *testing.T) {
	c, m, _ := connected(t)
	for _, name := range []string{"", "scout", "a/b.service", "justnews@.service", "x\n.service", "a b.service"} {
		if _, err := c.Unit(t.Context(), name); err == nil {
			t.Errorf("%q was taken for a unit", name)
		}
	}
	if m.asked != 0 {
		t.Errorf("%d questions reached systemd", m.asked)
	}
}

func TestUnit_AnswerThatIsNotAUnitIsAnError(t *testing.T) {
	c, m, _ := connected(t)
	for what, spoil := range map[string]func(map[string]dbus.Variant){
		"no ActiveState":    func(p map[string]dbus.Variant) { delete(p, "ActiveState") },
		"no LoadState":      func(p map[string]dbus.Variant) { delete(p, "LoadState") },
		"a number as state": func(p map[string]dbus.Variant) { p["ActiveState"] = dbus.MakeVariant(uint32(1)) },
		"text as MainPID":   func(p map[string]dbus.Variant) { p["MainPID"] = dbus.MakeVariant("1") },
	} {
		props := scout()
		spoil(props)
		m.mu.Lock()
		m.units[scoutPath] = props
		m.mu.Unlock()
		if u, err := c.Unit(t.Context(), "justnews@scout.service"); err == nil {
			t.Errorf("%s: taken as %+v", what, u)
		}
	}
}

func TestUnit_InfinityIsZero(t *testing.T) {
	for usec, want := range map[uint64]time.Duration{
		0: 0, 1: time.Microsecond, 180_000_000: 3 * time.Minute, ^uint64(0): 0, 1 << 62: 0,
	} {
		if got := timespan(usec); got != want {
			t.Errorf("timespan(%d) = %v, want %v", usec, got, want)
		}
	}
}

func TestUnit_ReconnectsToARestartedBus(t *testing.T) {
	c, m, b := connected(t)
	for range 3 {
		b.stop()
		if _, err := c.Unit(t.Context(), "justnews@scout.service"); !errors.Is(err, ErrUnreachable) {
			t.Fatalf("without a bus: %v, want ErrUnreachable", err)
		}
		b.start()
		m.serve(t, b)
		if _, err := c.Unit(t.Context(), "justnews@scout.service"); err != nil {
			t.Fatalf("after the restart: %v", err)
		}
	}
}

func TestUnit_UnnoticedBusRestartLosesNoAnswer(t *testing.T) {
	c, m, b := connected(t)
	b.stop()
	b.start()
	m.serve(t, b)
	if _, err := c.Unit(t.Context(), "justnews@scout.service"); err != nil {
		t.Errorf("the first question after the restart: %v", err)
	}
}

func TestUnit_HangingManagerEndsAtTheDeadline(t *testing.T) {
	c, m, _ := connected(t)
	hold := make(chan struct{})
	m.mu.Lock()
	m.hold = hold
	m.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err := c.Unit(ctx, "justnews@scout.service")
	if !errors.Is(err, ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want ErrUnreachable by the deadline", err)
	}
	m.mu.Lock()
	m.hold = nil
	m.mu.Unlock()
	close(hold)
	if _, err := c.Unit(t.Context(), "justnews@scout.service"); err != nil {
		t.Errorf("once the manager answers again: %v", err)
	}
}

func TestUnit_FrozenBusEndsAtTheDeadline(t *testing.T) {
	c, _, b := connected(t)
	if err := b.daemon.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := c.Unit(ctx, "justnews@scout.service"); !errors.Is(err, ErrUnreachable) {
				t.Errorf("got %v, want ErrUnreachable", err)
			}
		})
	}
	all.Wait()
	if err := b.daemon.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Unit(t.Context(), "justnews@scout.service"); err != nil {
		t.Errorf("once the bus runs again: %v", err)
	}
}

// A question that is larger than the socket's buffer waits for the reader.
func TestUnit_FrozenBusDoesNotHoldTheWriter(t *testing.T) {
	c, _, b := connected(t)
	if err := b.daemon.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	ended := make(chan error, 1)
	go func() { _, err := c.Units(ctx, strings.Repeat("x", 4<<20)); ended <- err }()
	select {
	case err := <-ended:
		if !errors.Is(err, ErrUnreachable) {
			t.Errorf("got %v, want ErrUnreachable", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it still writes")
	}
}

// The bus of a container may have a file to start systemd from.
func TestUnit_BusWithoutSystemdStartsNone(t *testing.T) {
	b := startBus(t)
	b.stop()
	started := b.path("started")
	file := "[D-BUS Service]\nName=" + destination + "\nExec=/usr/bin/touch " + started + "\nUser=root\n"
	if err := errors.Join(os.Mkdir(b.path("services"), 0o755), os.WriteFile(b.path("services/"+destination+".service"), []byte(file), 0o644)); err != nil {
		t.Fatal(err)
	}
	b.start()
	c, err := open(t.Context(), bootedRoot(t), b.doors())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Unit(t.Context(), "justnews@scout.service"); !errors.Is(err, ErrUnreachable) {
		t.Errorf("got %v, want ErrUnreachable", err)
	}
	if _, err := os.Stat(started); err == nil {
		t.Error("a question started systemd's service")
	}
}

func TestUnit_SilentBusEndsAtTheDeadline(t *testing.T) {
	path := filepath.Join(t.TempDir(), "silent")
	silent, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := open(ctx, bootedRoot(t), []door{{address: "unix:path=" + path}}); !errors.Is(err, ErrUnreachable) {
		t.Errorf("got %v, want ErrUnreachable", err)
	}
}

// The limits of a connect and of a call do not depend on the caller's.
func TestUnit_SilenceEndsWithoutADeadlineOfTheCaller(t *testing.T) {
	c, m, _ := connected(t)
	m.mu.Lock()
	m.hold = make(chan struct{})
	defer close(m.hold)
	m.mu.Unlock()
	path := filepath.Join(t.TempDir(), "silent")
	silent, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	root, ended := bootedRoot(t), make(chan error, 2)
	go func() { _, err := c.Unit(context.WithoutCancel(t.Context()), "justnews@scout.service"); ended <- err }()
	go func() {
		_, err := open(context.WithoutCancel(t.Context()), root, []door{{address: "unix:path=" + path}})
		ended <- err
	}()
	for range 2 {
		select {
		case err := <-ended:
			if !errors.Is(err, ErrUnreachable) {
				t.Errorf("got %v, want ErrUnreachable", err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("it waits for ever")
		}
	}
}

func TestUnit_ConnectionOutlivesTheContextThatOpenedIt(t *testing.T) {
	_, _, b := connected(t)
	ctx, cancel := context.WithCancel(t.Context())
	c, err := open(ctx, bootedRoot(t), b.doors())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	before := c.now
	cancel()
	if _, err := c.Unit(t.Context(), "justnews@scout.service"); err != nil {
		t.Error(err)
	}
	if c.now != before {
		t.Error("a new connection was needed")
	}
}

func TestUnit_MissingSystemdDiffersFromSilentSystemd(t *testing.T) {
	nowhere := []door{{address: "unix:path=" + filepath.Join(t.TempDir(), "none")}}
	if _, err := open(t.Context(), t.TempDir(), nowhere); !errors.Is(err, ErrNoSystemd) {
		t.Errorf("nothing there: %v, want ErrNoSystemd", err)
	}
	if _, err := open(t.Context(), bootedRoot(t), nowhere); !errors.Is(err, ErrUnreachable) {
		t.Errorf("systemd without a bus: %v, want ErrUnreachable", err)
	}
	b := startBus(t)
	c, err := open(t.Context(), t.TempDir(), b.doors())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Unit(t.Context(), "a.service"); !errors.Is(err, ErrNoSystemd) {
		t.Errorf("a bus without systemd: %v, want ErrNoSystemd", err)
	}
}

func TestUnit_SecondAddressIsTriedIfTheFirstFails(t *testing.T) {
	_, _, b := connected(t)
	doors := append([]door{{address: "unix:path=" + b.path("none")}}, b.doors()...)
	c, err := open(t.Context(), bootedRoot(t), doors)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Unit(t.Context(), "justnews@scout.service"); err != nil {
		t.Error(err)
	}
}

func TestUnit_ClosedConnectionStaysClosed(t *testing.T) {
	c, _, _ := connected(t)
	c.Close()
	if _, err := c.Unit(t.Context(), "justnews@scout.service"); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

func BenchmarkUnit(b *testing.B) {
	c, _, _ := connected(b)
	for b.Loop() {
		if _, err := c.Unit(b.Context(), "justnews@scout.service"); err != nil {
			b.Fatal(err)
		}
	}
}
