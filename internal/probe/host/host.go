// SPDX-License-Identifier: Apache-2.0

// Package host collects facts about the machine itself: which process listens on a port,
// which boot this is, whether the kernel command line disables the gates. It
// queries no service and trusts no environment variable.
package host

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"justnews/internal/kernelcmdline"
	"justnews/internal/safefile"
)

// Host is one machine. Root is "" or the directory used as / (tests, images).
type Host struct {
	Root string
}

func (h Host) path(p string) string { return filepath.Join(h.Root, p) }

// BootID returns the kernel's id of this boot, 32 hexadecimal digits with
// dashes. Inside a container it is that of the host.
func (h Host) BootID() (string, error) {
	text, err := os.ReadFile(h.path("/proc/sys/kernel/random/boot_id"))
	if err != nil {
		return "", fmt.Errorf("cannot read the boot id: %w", err)
	}
	id := strings.TrimSpace(string(text))
	if id == "" {
		return "", fmt.Errorf("cannot read the boot id: %s is empty", h.path("/proc/sys/kernel/random/boot_id"))
	}
	return id, nil
}

// Container returns the container manager according to systemd
// ("systemd-nspawn", "docker", …), and false outside containers. systemd writes
// /run/systemd/container early at boot, and only in containers.
func (h Host) Container() (string, bool) {
	text, err := os.ReadFile(h.path("/run/systemd/container"))
	if err != nil {
		return "", false
	}
	return strings.TrimSpace(string(text)), true
}

// Uptime returns the time since boot, including suspends: a clock that cannot
// be set and is the same for all processes of this boot.
func Uptime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0 // the kernel has this clock since 2.6.39
	}
	return time.Duration(ts.Nano())
}

// Monotonic returns the clock of systemd's own timestamps: the time since boot,
// without suspends.
func Monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0 // every kernel has this clock
	}
	return time.Duration(ts.Nano())
}

// MonotonicAt returns Monotonic at a time that this process got from time.Now.
func MonotonicAt(t time.Time) time.Duration {
	return monotonicAt(func() time.Duration { return time.Since(t) }, Monotonic)
}

// monotonicAt reads two clocks: the time since an event and the one to place it on. A process
// that has to wait for a CPU between the readings would place the event too early, before
// the start of its own unit, so the readings that took the least time count.
func monotonicAt(since, now func() time.Duration) time.Duration {
	const tries, enough = 10, 50 * time.Microsecond
	var at time.Duration
	for least, n := time.Duration(math.MaxInt64), 0; n < tries && least > enough; n++ {
		before, reading := since(), now()
		if took := since() - before; took < least {
			least, at = took, reading-before
		}
	}
	return max(at, 0)
}

// generatorDir is where generators write: owned by root, and emptied before
// each run of the generators.
const generatorDir = "/run/systemd/generator"

// GateOff reports whether justnews.gate=off is on the command line that this
// system was booted with, and in which file. $SYSTEMD_PROC_CMDLINE is ignored:
// an environment file could set it, and must not open a gate.
//
// Outside containers that is /proc/cmdline. In a container that file is the
// host's, and PID 1's arguments count instead; if they are hidden
// (ProtectProc=), the marker file of the generator, which runs as root, counts.
// What cannot be read leaves the gate shut.
func (h Host) GateOff() (source string, off bool) {
	if _, container := h.Container(); !container {
		return "/proc/cmdline", kernelcmdline.GateOff(kernelcmdline.Service(h.Root))
	}
	if readable(h.path("/proc/1/cmdline")) {
		return "/proc/1/cmdline", kernelcmdline.GateOff(kernelcmdline.Service(h.Root))
	}
	marker := filepath.Join(generatorDir, kernelcmdline.Marker)
	return marker, rootsOwn(h.path(generatorDir), fs.ModeDir) && rootsOwn(h.path(marker), 0)
}

func readable(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	_ = f.Close()
	return true
}

// owner is the required owner of the marker; a test without root can only
// create its own files.
var owner int

// rootsOwn reports whether path itself, not what it links to, is of the given kind,
// owned by root and not writable by others.
func rootsOwn(path string, kind fs.FileMode) bool {
	info, err := safefile.Lstat(path)
	return err == nil && info.Mode.Type() == kind && info.Trust(owner) == nil
}
