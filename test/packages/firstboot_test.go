// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"strings"
	"testing"

	"justnews/test/bed"
)

// An image has no machine ID, so systemd applies the presets at its first boot.
// Debian's enable every unit that no preset names.
func TestFirstBoot_EnablesNothing(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		h := boot(t, suite, nil, func(tree *bed.Tree) {
			tree.Run("dpkg", "--install", newDeb)
			// It is created at boot, only by tmpfiles.d.
			tree.Run("test", "!", "-e", "/run/justnews-gate")
			tree.WriteFile("/usr/lib/systemd/system/without-preset.service", "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n")
			tree.Remove("/etc/machine-id")
			tree.WriteFile("/etc/machine-id", "uninitialized\n")
		})
		for name, want := range map[string]string{
			"without-preset.service": "enabled", // it was a first boot
			"justnews.target":        "disabled", "justnews-preflight.timer": "disabled", "justnews-watch.service": "disabled", unit("scout"): "disabled",
		} {
			if got := strings.TrimSpace(h.Run("systemctl", "is-enabled", name).Stdout); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
		if got := h.Must("stat", "-c", "%a %U:%G", "/run/justnews-gate"); got != "3771 root:justnews\n" {
			t.Errorf("/run/justnews-gate is %s", got)
		}
		h.healthy("the first boot")
	})
}
