// SPDX-License-Identifier: Apache-2.0

package host

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// tree writes files below a new root, path by path.
func tree(t *testing.T, files map[string]string) Host {
	t.Helper()
	h := Host{Root: t.TempDir()}
	for path, text := range files {
		if err := os.MkdirAll(filepath.Dir(h.path(path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(h.path(path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func TestHost_TablesHaveTheOwnersOfListeners(t *testing.T) {
	h := Host{Root: "testdata/machine"}
	for port, want := range map[int][]int{
		8014: {0, 997}, // 0.0.0.0 by 997 and [::] by root
		8000: {33},     // IPv6 only
		8007: nil,      // established and TIME_WAIT, nobody listens
		22:   {0},      // in both tables, the same owner
		31:   nil,      // hexadecimal 1F, the end of another port
	} {
		found, err := h.Ports([]int{1, port})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(found[port].UIDs, want) || len(found) > 1 {
			t.Errorf("port %d: %+v, want %v", port, found, want)
		}
	}
}

func TestHost_MachineWithoutIPv6HasOneTable(t *testing.T) {
	text, err := os.ReadFile("testdata/machine/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	h := tree(t, map[string]string{"/proc/net/tcp": string(text)})
	if found, err := h.Ports([]int{8014}); err != nil || !slices.Equal(found[8014].UIDs, []int{997}) {
		t.Errorf("got %v, %v", found, err)
	}
}

func TestHost_MissingTableIsUnknown(t *testing.T) {
	if found, err := (Host{Root: t.TempDir()}).Ports([]int{8014}); err == nil {
		t.Errorf("no table at all: %v", found)
	}
	h := tree(t, map[string]string{"/proc/net/tcp": "heading\n  0: garbage\n"})
	if found, err := h.Ports([]int{8014}); err == nil {
		t.Errorf("a table that is none: %v", found)
	}
}

func TestHost_BootHasAnID(t *testing.T) {
	id, err := Host{}.BootID()
	if err != nil || len(id) != 36 {
		t.Errorf("%q, %v", id, err)
	}
	if id, err := (Host{Root: t.TempDir()}).BootID(); err == nil {
		t.Errorf("without /proc: %q", id)
	}
	if id, err := tree(t, map[string]string{"/proc/sys/kernel/random/boot_id": "\n"}).BootID(); err == nil {
		t.Errorf("an empty id: %q", id)
	}
}

func TestHost_UptimeOnlyGrows(t *testing.T) {
	first := Uptime()
	if second := Uptime(); first <= 0 || second < first {
		t.Errorf("%v, then %v", first, second)
	}
}

func TestHost_ContainerTypeComesFromSystemd(t *testing.T) {
	h := tree(t, map[string]string{"/run/systemd/container": "systemd-nspawn\n"})
	if kind, ok := h.Container(); !ok || kind != "systemd-nspawn" {
		t.Errorf("%q, %v", kind, ok)
	}
	if kind, ok := (Host{Root: t.TempDir()}).Container(); ok {
		t.Errorf("a machine without the file is a container: %q", kind)
	}
}

func TestHost_GateIsOffOnlyByItsKernelArgument(t *testing.T) {
	const (
		kernel    = "/proc/cmdline"
		first     = "/proc/1/cmdline"
		container = "/run/systemd/container"
		marker    = "/run/systemd/generator/justnews-gate.off"
		off       = "ro quiet justnews.gate=off\n"
	)
	for _, tt := range []struct {
		what   string
		files  map[string]string
		source string
		off    bool
	}{
		{"nothing", nil, kernel, false},
		{"a machine", map[string]string{kernel: off}, kernel, true},
		{"a machine without the switch", map[string]string{kernel: "ro quiet justnews.gate=on\n"}, kernel, false},
		{"a machine's PID 1 does not count", map[string]string{kernel: "ro\n", first: "/sbin/init\x00justnews.gate=off\x00"}, kernel, false},
		{"a machine's marker does not count", map[string]string{kernel: "ro\n", marker: ""}, kernel, false},
		{"a container", map[string]string{container: "lxc\n", first: "/sbin/init\x00justnews.gate=off\x00"}, first, true},
		{"the host of a container", map[string]string{container: "lxc\n", kernel: off, first: "/sbin/init\x00"}, first, false},
		{"PID 1 contradicts the marker", map[string]string{container: "lxc\n", first: "/sbin/init\x00", marker: ""}, first, false},
		{"PID 1 hidden, no marker", map[string]string{container: "lxc\n", kernel: off}, marker, false},
		{"PID 1 hidden, a marker", map[string]string{container: "lxc\n", marker: ""}, marker, true},
	} {
		t.Run(tt.what, func(t *testing.T) {
			own(t)
			t.Setenv("SYSTEMD_PROC_CMDLINE", "justnews.gate=off")
			source, off := tree(t, tt.files).GateOff()
			if source != tt.source || off != tt.off {
				t.Errorf("%s says off=%v, want %s, %v", source, off, tt.source, tt.off)
			}
		})
	}
}

func TestHost_UntrustedMarkerIsIgnored(t *testing.T) {
	const dir, marker = "/run/systemd/generator", "/run/systemd/generator/justnews-gate.off"
	for what, spoil := range map[string]func(h Host) error{
		"file for the group": func(h Host) error { return os.Chmod(h.path(marker), 0o664) },
		"file for others":    func(h Host) error { return os.Chmod(h.path(marker), 0o646) },
		"directory for all":  func(h Host) error { return os.Chmod(h.path(dir), 0o777) },
		"a directory": func(h Host) error {
			_ = os.Remove(h.path(marker))
			return os.Mkdir(h.path(marker), 0o755)
		},
		"a link": func(h Host) error {
			_ = os.Remove(h.path(marker))
			return os.Symlink("/etc/hostname", h.path(marker))
		},
		"another's": func(Host) error { owner++; return nil },
	} {
		t.Run(what, func(t *testing.T) {
			own(t)
			h := tree(t, map[string]string{"/run/systemd/container": "lxc\n", marker: ""})
			if _, off := h.GateOff(); !off {
				t.Fatal("the marker is not seen before it is spoilt")
			}
			if err := spoil(h); err != nil {
				t.Fatal(err)
			}
			if _, off := h.GateOff(); off {
				t.Error("the gate is off")
			}
		})
	}
}

// own makes the files of the user who runs the test count as root's.
func own(t *testing.T) {
	t.Helper()
	before := owner
	owner = os.Geteuid()
	t.Cleanup(func() { owner = before })
}

// A process that waits for a CPU between two readings of its clocks does not move the event.
func TestMonotonicAt_WaitingForACPUMovesNothing(t *testing.T) {
	const began = 100 * time.Second // on the monotonic clock
	for name, c := range map[string]struct {
		delays []time.Duration // before each reading; none after these
		within time.Duration
	}{
		"no delay":                 {nil, 0},
		"before the first reading": {[]time.Duration{time.Second}, 0},
		"between two readings":     {[]time.Duration{0, 50 * time.Millisecond}, 0},
		"after the second":         {[]time.Duration{0, 0, 50 * time.Millisecond}, 0},
		"always, and once briefly": {slices.Concat(slices.Repeat([]time.Duration{time.Second}, 12), []time.Duration{0, time.Millisecond, 0}, slices.Repeat([]time.Duration{time.Second}, 99)), time.Millisecond},
	} {
		clock, reads := began+3*time.Second, 0
		read := func() time.Duration {
			if reads < len(c.delays) {
				clock += c.delays[reads]
			}
			reads++
			return clock
		}
		got := monotonicAt(func() time.Duration { return read() - began }, read)
		if off := (got - began).Abs(); off > c.within {
			t.Errorf("%s: %v off, at most %v", name, off, c.within)
		}
	}
	before := Monotonic()
	now := time.Now()
	if at := MonotonicAt(now); at < before-time.Minute || at > Monotonic()+time.Minute {
		t.Errorf("now is at %v of a clock that shows %v", at, before)
	}
}
