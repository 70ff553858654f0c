// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"justnews/test/bed"
)

// A soft-reboot (systemd 254 and later) ends every process and starts the userspace anew,
// with the same boot ID and the same /run: what was proven before counts for nothing, and
// the host comes up.
func TestSoftReboot_EarlierVerificationDoesNotCount(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		if suite == bed.Bookworm {
			t.Skip("systemd 252 has no soft-reboot")
		}
		s := boot(t, suite, unhurried())
		s.everythingUp(0)
		boot, before := s.ReadFile("/proc/sys/kernel/random/boot_id"), s.Unit(unit(orchestrator)).MainPID
		began := bed.Monotonic()
		s.must("touch /run/of-before && systemctl soft-reboot")
		s.WaitFor("another orchestrator", 3*time.Minute, func() bool {
			pid := strings.TrimSpace(s.Run("systemctl", "show", "-p", "MainPID", "--value", unit(orchestrator)).Stdout)
			return pid != "" && pid != "0" && pid != strconv.Itoa(before)
		})
		if !s.Exists("/run/of-before") || s.ReadFile("/proc/sys/kernel/random/boot_id") != boot {
			t.Error("it was no soft-reboot")
		}
		s.everythingUp(began)
		s.proven()
		s.tidy()
	})
}
