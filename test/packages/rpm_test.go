// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"slices"
	"strings"
	"testing"

	"justnews/test/bed"
)

// Debian's rpm knows nothing of what dpkg has installed.
const (
	rpmInstall = "rpm --nodeps --install "
	rpmUpgrade = "rpm --nodeps --upgrade "
	rpmErase   = "rpm --nodeps --erase justnews"
)

// The life cycle of the rpm, with its scriptlets run by the real rpm. Debian has neither
// Fedora's file triggers nor systemd-update-helper, so the scriptlets do everything
// themselves; a stand-in for the helper then shows that it is called.
func TestRPM_Lifecycle(t *testing.T) {
	t.Parallel()
	// Debian 13's: the one of Debian 12 is patched to refuse.
	h := boot(t, bed.Trixie, []string{"rpm"}, func(tree *bed.Tree) {
		// In an image that is not running.
		tree.Run("sh", "-c", `set -e
			`+rpmInstall+newRPM+`
			getent passwd justnews
			justnews-gate --version
			`+rpmErase+`
			test ! -e /usr/bin/justnews-gate
			test ! -e /etc/justnews`)
		tree.WriteFile("/usr/lib/systemd/systemd-update-helper", helper, 0o755)
	})
	h.rpmInstallation()
	h.rpmUpgrades()
	h.rpmUpgradeWhileGatesWait()
	h.rpmRemoval()
}

// helper stands in for systemd's own: it does what the removal needs and records its calls.
const helper = `#!/bin/sh
echo "$*" >>/run/justnews-test/helper
verb=$1
shift
[ "$verb" != remove-system-units ] || systemctl --no-reload disable --now "$@"
`

func (h *host) rpmInstallation() {
	h.t.Helper()
	h.step(rpmInstall + oldRPM)
	h.healthy("the installation")
	if got := h.ReadFile(stoppedDir + "/helper"); got != "install-system-units justnews.target justnews-preflight.timer justnews-watch.service\n" {
		h.t.Errorf("systemd-update-helper was called with %q", got)
	}
	if active := h.Systemctl("list-units", "--no-legend", "--plain", "--state=active", "justnews*"); active != "" {
		h.t.Errorf("the installation started\n%s", active)
	}
	if got := h.Must("stat", "-c", "%a %U:%G", "/run/justnews-gate"); got != "3771 root:justnews\n" {
		h.t.Errorf("/run/justnews-gate is %s", got)
	}
	h.step("rpm --verify --nodeps justnews")
	if h.Run("systemctl", "start", unit("scout")).Code == 0 {
		h.t.Error("an instance that is not configured was started")
	}
	h.WaitJournal(unit("scout"), "INSTANCE-UNKNOWN")
	if got := h.step("journalctl --no-pager -x -u " + unit("scout")); !strings.Contains(got, "░░ Subject: INSTANCE-UNKNOWN:") {
		h.t.Errorf("journalctl -x explains nothing:\n%s", got)
	}
	h.Systemctl("reset-failed", unit("scout"))

	h.WriteFile(configFile, seventeen(h.t))
	h.WriteFile(goFile, "")
	h.step("systemctl daemon-reload; systemctl enable --now justnews.target")
	h.allUp()
}

func (h *host) rpmUpgrades() {
	h.t.Helper()
	h.change(h.allUp(), func(args string) { h.step(rpmUpgrade + args) }, []change{
		{"--replacepkgs " + oldRPM, oldVersion},
		{newRPM, newVersion},
		{"--oldpackage " + oldRPM, oldVersion},
		{newRPM, newVersion},
	})
}

func (h *host) rpmUpgradeWhileGatesWait() {
	h.t.Helper()
	h.Remove(goFile)
	h.Systemctl("restart", "--no-block", unit("scout"))
	gate := h.WaitUnit(unit("scout"), "activating/start-pre").ControlPID
	h.step(rpmUpgrade + "--oldpackage " + oldRPM)
	h.step(rpmUpgrade + newRPM)
	if u := h.Unit(unit("scout")); !u.Is("activating/start-pre") || u.ControlPID != gate || gate == 0 {
		h.t.Errorf("%v: its gate was process %d before the upgrade, is %d", u, gate, u.ControlPID)
	}
}

// rpmRemoval: while agents run and a gate waits; rpm has no purge.
func (h *host) rpmRemoval() {
	h.t.Helper()
	h.Remove(stoppedDir + "/stopped-scout")
	h.WriteFile("/var/lib/justnews/scout/data", "precious\n")
	h.Systemctl("enable", unit("critic"))
	h.WriteFile("/etc/sudoers.d/justnews-gate", "# Written by: justnews-gate nopasswd install --sudoers\n", 0o440)
	const guard = "/etc/systemd/system/other.service.d/50-justnews-guard.conf"
	h.WriteFile(guard, "# Written by: justnews-gate guard install\n")
	h.step(rpmErase)
	if h.Exists(guard) {
		h.t.Error("the erasure left a guard, which keeps the unit of another package from starting")
	}
	h.gone("the erasure, which is rpm's purge")
	h.stoppedInOrder("critic", "memory", "analyst")
	if h.Exists(stoppedDir + "/stopped-scout") {
		h.t.Error("an agent behind a shut gate was started by the erasure")
	}
	left := h.leftovers("/etc/justnews", "/var/lib/justnews", "/var/log/justnews")
	if len(left) > 0 {
		h.t.Errorf("the erasure left behind\n%s", strings.Join(left, "\n"))
	}
	if got := h.List("/etc/justnews"); !slices.Equal(got, []string{"justnews.toml.rpmnew", "justnews.toml.rpmsave"}) {
		h.t.Errorf("/etc/justnews has %v, want the edited configuration and the other version's, as rpm saves them", got)
	}
	if h.ReadFile("/var/lib/justnews/scout/data") != "precious\n" {
		h.t.Error("the agents' data is gone")
	}
}
