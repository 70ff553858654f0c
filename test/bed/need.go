// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Need skips the test with a reason if no machine can be booted. With
// JUSTNEWS_REQUIRE_BED=1 it fails instead, so that a CI job cannot pass without testing
// anything. Boot calls it.
func Need(t testing.TB) {
	t.Helper()
	if testing.Short() {
		refuse(t, "left out by -short: boots a real systemd")
	}
	if os.Geteuid() != 0 {
		refuse(t, "needs root: systemd-nspawn, mounts and cgroups")
	}
	if !mayMount() {
		refuse(t, "needs CAP_SYS_ADMIN: systemd-nspawn mounts (a container must be privileged)")
	}
	for _, tool := range []struct{ name, pkg string }{
		{"mmdebstrap", "mmdebstrap"},
		{"systemd-nspawn", "systemd-container"},
		{"nsenter", "util-linux"},
		{"setpriv", "util-linux"},
		{"tar", "tar"},
		{"zstd", "zstd"},
	} {
		if _, err := exec.LookPath(tool.name); err != nil {
			refuse(t, fmt.Sprintf("needs %s: apt-get install %s", tool.name, tool.pkg))
		}
	}
	if _, err := unifiedCgroup(); err != nil {
		refuse(t, fmt.Sprintf("needs a cgroup2 mount: %v", err))
	}
}

func refuse(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("JUSTNEWS_REQUIRE_BED") == "1" {
		t.Fatalf("JUSTNEWS_REQUIRE_BED=1, but the test bed %s", reason)
	}
	t.Skip(reason)
}

// mayMount reads the effective capabilities: root in an unprivileged container is root in
// name only.
func mayMount() bool {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(status)) {
		if hex, ok := strings.CutPrefix(line, "CapEff:"); ok {
			caps, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
			const sysAdmin = 21 // capability.h
			return err == nil && caps&(1<<sysAdmin) != 0
		}
	}
	return false
}
