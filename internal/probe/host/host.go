// SPDX-License-Identifier: Apache-2.0

// Package host looks at the machine itself: who listens on a port, which boot
// this is, whether the kernel command line switches the gates off. It asks no
// service and trusts no environment variable.
package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Host is one machine. Root is "" or the directory that stands for / (tests,
// images).
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

// Container returns what systemd says this container is ("systemd-nspawn",
// "docker", …), and false on a machine of its own. systemd writes
// /run/systemd/container early at boot, and only in containers.
func (h Host) Container() (string, bool) {
	text, err := os.ReadFile(h.path("/run/systemd/container"))
	if err != nil {
		return "", false
	}
	return strings.TrimSpace(string(text)), true
}

// Uptime returns the time since boot, suspends included: a clock that nobody
// can set and that all processes of this boot share.
func Uptime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0 // the kernel knows this clock since 2.6.39
	}
	return time.Duration(ts.Nano())
}

// Monotonic returns the clock of systemd's own time stamps: the time since boot,
// suspends left out.
func Monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0 // every kernel knows this clock
	}
	return time.Duration(ts.Nano())
}
