// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
)

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=%s</listen>
  <servicedir>%s</servicedir>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/>
    <allow send_destination="*"/><allow receive_sender="*"/>
  </policy>
</busconfig>
`

// bus is a real dbus-daemon of the test's own.
type bus struct {
	t      testing.TB
	dir    string
	daemon *exec.Cmd
}

// startBus starts one, or skips the test where the package dbus is missing.
func startBus(t testing.TB) *bus {
	t.Helper()
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		t.Skip("dbus-daemon is not installed (Debian package dbus)")
	}
	b := &bus{t: t, dir: t.TempDir()}
	config := fmt.Sprintf(busConfig, b.socket(), b.path("services"))
	if err := os.WriteFile(b.path("bus.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	b.start()
	t.Cleanup(b.stop)
	return b
}

func (b *bus) path(name string) string { return filepath.Join(b.dir, name) }
func (b *bus) socket() string          { return b.path("socket") }
func (b *bus) doors() []door           { return []door{{address: "unix:path=" + b.socket()}} }

func (b *bus) start() {
	b.t.Helper()
	b.daemon = exec.Command("dbus-daemon", "--nofork", "--nopidfile", "--print-address",
		"--config-file="+b.path("bus.conf"))
	b.daemon.Stderr = os.Stderr
	out, err := b.daemon.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.daemon.Start(); err != nil {
		b.t.Fatal(err)
	}
	// It prints its address once it listens.
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		b.t.Fatalf("dbus-daemon did not come up: %v", err)
	}
}

func (b *bus) stop() {
	_ = b.daemon.Process.Kill()
	_ = b.daemon.Wait()
	_ = os.Remove(b.socket())
}

// bootedRoot is a directory in which systemd seems to run.
func bootedRoot(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "run/systemd/system"), 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

// manager answers on a bus as systemd would.
type manager struct {
	mu    sync.Mutex
	units map[dbus.ObjectPath]map[string]dbus.Variant
	pids  map[uint32]dbus.ObjectPath
	asked int
	hold  chan struct{} // where not nil, GetAll waits until it is closed

	loaded dbus.Variant // UnitsLoadFinishTimestampMonotonic

	conn    *dbus.Conn
	start   func(unit, mode string) (dbus.ObjectPath, *dbus.Error) // StartUnit
	started int
	stopped []string // StopUnit
}

// set changes m, which may be answering a call.
func (m *manager) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// onStart sets the effect of StartUnit.
func (m *manager) onStart(start func(unit, mode string) (dbus.ObjectPath, *dbus.Error)) {
	m.set(func() { m.start = start })
}

// asks returns how often StartUnit was called, and the units that StopUnit was called for.
func (m *manager) asks() (starts int, stops []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.started, slices.Clone(m.stopped)
}

// emit sends a signal as the manager.
func (m *manager) emit(name string, values ...any) error {
	m.mu.Lock()
	conn := m.conn
	m.mu.Unlock()
	return conn.Emit(managerPath, managerIface+"."+name, values...)
}

// serve puts m on a bus under systemd's name, until the connection dies.
func (m *manager) serve(t testing.TB, b *bus) {
	t.Helper()
	conn, err := dbus.Connect("unix:path=" + b.socket())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	properties := map[string]any{"GetAll": m.getAll, "Get": m.getOne}
	err = conn.ExportSubtreeMethodTable(properties, managerPath+"/unit", "org.freedesktop.DBus.Properties")
	if err != nil {
		t.Fatal(err)
	}
	m.set(func() { m.conn = conn })
	methods := map[string]any{"GetUnitByPID": m.unitByPID, "Subscribe": func() *dbus.Error { return nil }, "StartUnit": m.startUnit, "StopUnit": m.stopUnit, "ListUnitsByPatterns": m.list, "ResetFailedUnit": m.resetFailed}
	if err := conn.ExportMethodTable(methods, managerPath, managerIface); err != nil {
		t.Fatal(err)
	}
	get := map[string]any{"Get": m.get}
	if err := conn.ExportMethodTable(get, managerPath, "org.freedesktop.DBus.Properties"); err != nil {
		t.Fatal(err)
	}
	if reply, err := conn.RequestName(destination, 0); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("cannot own %s: %v, %v", destination, reply, err)
	}
}

func (m *manager) getAll(msg dbus.Message, _ string) (map[string]dbus.Variant, *dbus.Error) {
	path, _ := msg.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	m.mu.Lock()
	m.asked++
	hold, props := m.hold, m.units[path]
	m.mu.Unlock()
	if hold != nil {
		<-hold
	}
	if props == nil {
		return notFound(path), nil
	}
	return props, nil
}

// getOne checks the interface of a property, as systemd does.
func (m *manager) getOne(msg dbus.Message, iface, name string) (dbus.Variant, *dbus.Error) {
	props, err := m.getAll(msg, "")
	v, known := props[name]
	common := name == "InvocationID" || name == "DropInPaths"
	if !known || iface != destination+".Unit" && common || iface != destination+".Service" && !common {
		return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", nil)
	}
	return v, err
}

// listed is one row of ListUnitsByPatterns: a(ssssssouso).
type listed struct {
	Name, Description, Load, Active, Sub, Following string
	Path                                            dbus.ObjectPath
	Job                                             uint32
	JobType                                         string
	JobPath                                         dbus.ObjectPath
}

func (m *manager) list(_, patterns []string) ([]listed, *dbus.Error) {
	if !slices.Equal(patterns, []string{"justnews@*.service"}) {
		return nil, dbus.NewError("org.freedesktop.DBus.Error.InvalidArgs", nil)
	}
	var rows []listed
	for _, name := range []string{"justnews@scout.service", "justnews@memory.service"} {
		rows = append(rows, listed{Name: name, Path: "/", JobPath: "/"})
	}
	return rows, nil
}

func (m *manager) resetFailed(unit string) *dbus.Error {
	switch unit {
	case "gone.service":
		return dbus.NewError(destination+".NoSuchUnit", []any{"Unit gone.service not loaded."})
	case "denied.service":
		return dbus.NewError("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", []any{"Interactive authentication required."})
	}
	return nil
}

// get answers for the manager itself.
func (m *manager) get(iface, name string) (dbus.Variant, *dbus.Error) {
	if iface == managerIface && name == "FinishTimestampMonotonic" {
		return dbus.MakeVariant(uint64(9_000_000)), nil
	}
	if iface != managerIface || name != "UnitsLoadFinishTimestampMonotonic" {
		return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", nil)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.loaded, nil
}

func (m *manager) startUnit(unit, mode string) (dbus.ObjectPath, *dbus.Error) {
	m.mu.Lock()
	m.started++
	start := m.start
	m.mu.Unlock()
	return start(unit, mode)
}

// stopUnit stops at once.
func (m *manager) stopUnit(unit, _ string) (dbus.ObjectPath, *dbus.Error) {
	m.mu.Lock()
	m.stopped = append(m.stopped, unit)
	m.mu.Unlock()
	go func() { _ = m.emit("JobRemoved", uint32(117), jobPath, unit, "done") }()
	return jobPath, nil
}

// removeJob sends JobRemoved as systemd does.
func (m *manager) removeJob(t testing.TB, path dbus.ObjectPath, unit, result string) {
	t.Helper()
	if err := m.emit("JobRemoved", uint32(117), path, unit, result); err != nil {
		t.Error(err)
	}
}

func (m *manager) unitByPID(pid uint32) (dbus.ObjectPath, *dbus.Error) {
	path, ok := m.pids[pid]
	if !ok {
		return "", dbus.NewError(destination+".NoUnitForPID", []any{"PID does not belong to any loaded unit."})
	}
	return path, nil
}

// notFound is systemd's answer for a unit that does not exist.
func notFound(path dbus.ObjectPath) map[string]dbus.Variant {
	return map[string]dbus.Variant{
		"Id":          dbus.MakeVariant(string(path[len(managerPath+"/unit/"):])),
		"LoadState":   dbus.MakeVariant("not-found"),
		"ActiveState": dbus.MakeVariant("inactive"),
		"SubState":    dbus.MakeVariant("dead"),
		"Result":      dbus.MakeVariant("success"),
		"UID":         dbus.MakeVariant(uint32(noUID)),
		"Job":         dbus.MakeVariant(job{0, "/"}),
	}
}

// job and the types below have the D-Bus signatures of systemd's properties:
// (uo), a(sb), (aiai).
type job struct {
	ID   uint32
	Path dbus.ObjectPath
}

type environmentFile struct {
	Path     string
	Optional bool
}

type condition struct {
	Kind            string
	Trigger, Negate bool
	Parameter       string
	State           int32
}

type deviceAllow struct{ Node, Access string }

type bindPath struct {
	Source, Destination string
	Optional            bool
	Flags               uint64
}

// command is one row of ExecStartPre: a(sasbttttuii).
type command struct {
	Path                         string
	Argv                         []string
	Ignore                       bool
	Started, StartedM, Ended, At uint64
	PID                          uint32
	Code, Status                 int32
}

type successStatus struct {
	Statuses []int32
	Signals  []int32
}

// scout is a unit in start-pre, with a job, as systemd 252 describes one.
func scout() map[string]dbus.Variant {
	return map[string]dbus.Variant{
		"Id":               dbus.MakeVariant("justnews@scout.service"),
		"LoadState":        dbus.MakeVariant("loaded"),
		"ActiveState":      dbus.MakeVariant("activating"),
		"SubState":         dbus.MakeVariant("start-pre"),
		"Result":           dbus.MakeVariant("success"),
		"StatusText":       dbus.MakeVariant("waiting for models"),
		"InvocationID":     dbus.MakeVariant([]byte{0x01, 0xab, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff}),
		"ExecMainCode":     dbus.MakeVariant(int32(1)),
		"ExecMainStatus":   dbus.MakeVariant(int32(78)),
		"MainPID":          dbus.MakeVariant(uint32(0)),
		"ControlPID":       dbus.MakeVariant(uint32(4711)),
		"NRestarts":        dbus.MakeVariant(uint32(3)),
		"User":             dbus.MakeVariant("justnews"),
		"UID":              dbus.MakeVariant(uint32(997)),
		"Environment":      dbus.MakeVariant([]string{"GATE_TIMEOUT=180", "DRY_RUN=1"}),
		"EnvironmentFiles": dbus.MakeVariant([]environmentFile{{"/etc/justnews/global.env", true}}),
		"TimeoutStartUSec": dbus.MakeVariant(uint64(240_000_000)),
		"Job":              dbus.MakeVariant(job{117, "/org/freedesktop/systemd1/job/117"}),
		"ConditionResult":  dbus.MakeVariant(true),
		"NeedDaemonReload": dbus.MakeVariant(true),
		"FragmentPath":     dbus.MakeVariant("/usr/lib/systemd/system/justnews@.service"),
		"DropInPaths":      dbus.MakeVariant([]string{"/run/systemd/generator/justnews@.service.d/50-justnews-gate.conf"}),
		"ExecStartPre": dbus.MakeVariant([]command{
			{Path: "/usr/bin/justnews-gate", Argv: []string{"/usr/bin/justnews-gate", "--gate-only", "scout"}, PID: 4711},
			{Path: "/bin/false", Argv: []string{"/bin/false"}, Ignore: true, Code: 1, Status: 1},
		}),
		"UnitFileState": dbus.MakeVariant("enabled-runtime"),
		"ExecStart": dbus.MakeVariant([]command{
			{Path: "/usr/local/bin/justnews-start-agent.sh", Argv: []string{"/usr/local/bin/justnews-start-agent.sh", "scout"}},
		}),
		"Restart":                  dbus.MakeVariant("on-failure"),
		"StartLimitIntervalUSec":   dbus.MakeVariant(uint64(24 * 60_000_000)),
		"StartLimitBurst":          dbus.MakeVariant(uint32(5)),
		"LimitNOFILESoft":          dbus.MakeVariant(uint64(65536)),
		"WorkingDirectory":         dbus.MakeVariant("!/srv"),
		"Group":                    dbus.MakeVariant("agents"),
		"Type":                     dbus.MakeVariant("oneshot"),
		"RemainAfterExit":          dbus.MakeVariant(true),
		"RestartPreventExitStatus": dbus.MakeVariant(successStatus{[]int32{78}, []int32{}}),
		"DynamicUser":              dbus.MakeVariant(true),
		"ProtectHome":              dbus.MakeVariant("yes"),
		"ProtectSystem":            dbus.MakeVariant("strict"),
		"ReadWritePaths":           dbus.MakeVariant([]string{"-/run/justnews-gate"}),
		"CacheDirectory":           dbus.MakeVariant([]string{"justnews/scout"}),
		"BindReadOnlyPaths":        dbus.MakeVariant([]bindPath{{"/home/models", "/home/models", true, 0}}),
		"SuccessExitStatus":        dbus.MakeVariant(successStatus{[]int32{75}, []int32{15}}),
		"Conditions": dbus.MakeVariant([]condition{
			{"ConditionPathExists", false, false, "/usr/bin/true", 1},
			{"ConditionPathExists", false, true, "/etc/off", -1},
			{"ConditionVirtualization", true, false, "vm", -1},
			{"ConditionUser", false, false, "root", 0},
		}),
		"After":                           dbus.MakeVariant([]string{"justnews-mps.service"}),
		"Before":                          dbus.MakeVariant([]string{"justnews.target"}),
		"Conflicts":                       dbus.MakeVariant([]string{"shutdown.target"}),
		"PrivateTmp":                      dbus.MakeVariant(true),
		"PrivateDevices":                  dbus.MakeVariant(false),
		"DevicePolicy":                    dbus.MakeVariant("closed"),
		"DeviceAllow":                     dbus.MakeVariant([]deviceAllow{{"char-nvidia*", "rw"}}),
		"InactiveExitTimestampMonotonic":  dbus.MakeVariant(uint64(12_345_678)),
		"ExecMainStartTimestampMonotonic": dbus.MakeVariant(uint64(0)),
		"ActiveEnterTimestampMonotonic":   dbus.MakeVariant(uint64(11_000_000)),
		"InactiveEnterTimestampMonotonic": dbus.MakeVariant(uint64(12_000_000)),
		"StateChangeTimestampMonotonic":   dbus.MakeVariant(uint64(12_400_000)),
		"BindPaths":                       dbus.MakeVariant([]bindPath{{"/srv/mps", "/tmp/nvidia-mps", true, 0}}),
		"InaccessiblePaths":               dbus.MakeVariant([]string{"-/boot", "+/mnt/"}),
		"TemporaryFileSystem":             dbus.MakeVariant([]struct{ Path, Options string }{{"/var", "ro"}}),
		"ReadOnlyPaths":                   dbus.MakeVariant([]string{"-/opt"}),
		"RootDirectory":                   dbus.MakeVariant(""),
		"RootImage":                       dbus.MakeVariant("/srv/x.raw"),
		"PrivateNetwork":                  dbus.MakeVariant(true),
		"NetworkNamespacePath":            dbus.MakeVariant("/run/netns/vpn"),
		"RestrictAddressFamilies": dbus.MakeVariant(struct {
			Only     bool
			Families []string
		}{true, []string{"AF_INET", "AF_UNIX"}}),
		"IPAddressAllow": dbus.MakeVariant([]ipPrefix{{2, []byte{127, 0, 0, 0}, 8}}),
		"IPAddressDeny":  dbus.MakeVariant([]ipPrefix{{2, []byte{0, 0, 0, 0}, 0}, {10, make([]byte, 16), 0}}),
	}
}

type ipPrefix struct {
	Family  int32
	Address []byte
	Length  uint32
}

const scoutPath = managerPath + "/unit/justnews_40scout_2eservice"
