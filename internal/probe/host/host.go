// SPDX-License-Identifier: Apache-2.0

// Package host collects facts about the machine itself: who listens on a port,
// which boot this is, whether the kernel command line disables the gates. It
// queries no service and trusts no environment variable.
package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
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
