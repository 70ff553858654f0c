// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"strings"
	"testing"

	"justnews/test/bed"
)

// The whole life cycle of the deb on one host, in an operator's order: one boot per suite.
func TestDeb_Lifecycle(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		t.Parallel()
		h := boot(t, suite, nil, func(tree *bed.Tree) {
			inAChroot(tree)
			// Set up by hand before, with its own template, which masks ours.
			tree.WriteFile(handMade, "[Service]\nExecStart=/usr/local/bin/justnews-start-agent.sh %i\n")
		})
		h.firstInstallation()
		h.seventeenGated()
		h.preflight()
		pids := h.upgrades()
		h.upgradeWhileGatesWait(pids)
		h.removalAndReturn()
		h.purge()
		h.fromNothing()
	})
}

// handMade is where an operator writes a template.
const handMade = "/etc/systemd/system/justnews@.service"

// inAChroot installs and purges while the system is an image that does not run,
// with systemd's tools and without them.
func inAChroot(tree *bed.Tree) {
	tree.Run("dpkg", "--install", newDeb)
	tree.Run("sh", "-c", `set -e
		getent passwd justnews; getent group justnews-operators
		test ! -e /etc/systemd/system/multi-user.target.wants/justnews.target
		justnews-gate --version
		dpkg --install /root/new.deb
		systemctl enable justnews.target
		dpkg --remove justnews
		dpkg --purge justnews
		test ! -e /usr/bin/justnews-gate
		test ! -e /etc/justnews
		test ! -L /etc/systemd/system/multi-user.target.wants/justnews.target`)
	tree.Run("sh", "-c", `set -e
		hidden='systemctl systemd-sysusers systemd-tmpfiles journalctl deb-systemd-invoke'
		for tool in $hidden; do mv /usr/bin/$tool /usr/bin/hidden-$tool; done
		dpkg --install /root/new.deb
		dpkg --install /root/new.deb
		justnews-gate --version
		dpkg --remove justnews
		dpkg --install /root/new.deb
		dpkg --purge justnews
		for tool in $hidden; do mv /usr/bin/hidden-$tool /usr/bin/$tool; done
		# As if it never was: the boot installs it for the first time.
		userdel justnews; groupdel justnews-operators; rm -rf /run/justnews-gate`)
}

// firstInstallation: everything is there, nothing is enabled, nothing started.
func (h *host) firstInstallation() {
	h.t.Helper()
	h.apt("install " + oldDeb)
	h.healthy("the installation")
	for _, name := range []string{"justnews.target", "justnews-preflight.timer", "justnews-watch.service"} {
		if got := strings.TrimSpace(h.Run("systemctl", "is-enabled", name).Stdout); got != "disabled" {
			h.t.Errorf("%s is %s, want disabled", name, got)
		}
	}
	if active := h.Systemctl("list-units", "--no-legend", "--plain", "--state=active", "justnews*"); active != "" {
		h.t.Errorf("the installation started\n%s", active)
	}
	h.step("getent passwd justnews; getent group justnews justnews-operators")
	if got := h.Must("stat", "-c", "%a %U:%G", "/run/justnews-gate"); got != "3771 root:justnews\n" {
		h.t.Errorf("/run/justnews-gate is %s", got)
	}
	if got := h.step("justnews-gate --version"); got != "justnews-gate "+oldVersion+"\n" {
		h.t.Errorf("the version is %q", got)
	}
	// Without a configuration it fails closed, also with a hand-made template, and the
	// journal explains it.
	if r := h.Run("systemctl", "start", unit("scout")); r.Code == 0 {
		h.t.Error("an instance that is not configured was started")
	}
	h.WaitJournal(unit("scout"), "INSTANCE-UNKNOWN")
	if got := h.step("journalctl --no-pager -x -u " + unit("scout")); !strings.Contains(got, "░░ Subject: INSTANCE-UNKNOWN:") || !strings.Contains(got, "░░ Fix:") {
		h.t.Errorf("journalctl -x explains nothing:\n%s", got)
	}
	h.Systemctl("reset-failed", unit("scout"))
	h.step("rm " + handMade + "; systemctl daemon-reload")
}

// seventeenGated: from the installed package to 17 running agents.
func (h *host) seventeenGated() {
	h.t.Helper()
	h.WriteFile(configFile, seventeen(h.t))
	h.step("justnews-gate config check && systemctl daemon-reload")
	h.step("systemctl enable justnews.target justnews-preflight.timer justnews-watch.service")
	h.WriteFile(goFile, "")
	h.step("systemctl start justnews.target")
	h.allUp()
	h.healthy("the first start")
	h.exposures()
}

// preflight has everything that our units need in its sandbox: D-Bus, the journal, the lock
// and the cache.
func (h *host) preflight() {
	h.t.Helper()
	h.step("systemctl start justnews-preflight.service")
	u := h.Unit("justnews-preflight.service")
	if u.Result != "success" {
		h.t.Errorf("%v", u)
	}
	latest := strings.TrimSpace(h.Must("find", "/var/cache/justnews/preflight", "-name", "latest.json"))
	if latest == "" {
		h.t.Fatal("the preflight left no summary")
	}
	summary := h.ReadFile(latest)
	for _, cannot := range []string{"NO-LOCK", "NO-SYSTEMD", "RECORD-UNWRITTEN"} {
		if strings.Contains(summary, cannot) {
			h.t.Errorf("in its sandbox the preflight reports %s:\n%s", cannot, summary)
		}
	}
	if got := h.Must("journalctl", "--no-pager", "-o", "json", "-u", "justnews-preflight.service"); !strings.Contains(got, `"_SYSTEMD_UNIT":"justnews-preflight.service"`) {
		h.t.Errorf("the journal has nothing of it:\n%s", got)
	}
}

// upgrades: reinstalled, upgraded, downgraded and upgraded again, with running agents and an
// edited configuration.
func (h *host) upgrades() map[string]int {
	h.t.Helper()
	pids := h.allUp()
	h.change(pids, h.apt, []change{
		{"install --reinstall " + oldDeb, oldVersion},
		{"install " + newDeb, newVersion},
		{"install --allow-downgrades " + oldDeb, oldVersion},
		{"install " + newDeb, newVersion},
	})
	if !h.Exists(configFile + ".dpkg-dist") {
		h.t.Error("the new version's configuration is not next to the edited one")
	}
	return pids
}

// upgradeWhileGatesWait: a waiting gate keeps waiting, and opens later.
func (h *host) upgradeWhileGatesWait(pids map[string]int) {
	h.t.Helper()
	h.Remove(goFile)
	for _, name := range gated {
		delete(pids, name)
		h.Systemctl("restart", "--no-block", unit(name))
	}
	gates := map[string]int{}
	for _, name := range gated {
		gates[name] = h.WaitUnit(unit(name), "activating/start-pre").ControlPID
	}
	h.apt("install --allow-downgrades " + oldDeb)
	h.apt("install " + newDeb)
	for _, name := range gated {
		if u := h.Unit(unit(name)); !u.Is("activating/start-pre") || u.ControlPID != gates[name] || gates[name] == 0 {
			h.t.Errorf("%v: its gate was process %d before the upgrade, is %d", u, gates[name], u.ControlPID)
		}
	}
	h.untouched(pids, "an upgrade while gates wait")
	h.WriteFile(goFile, "")
	for _, name := range gated {
		h.WaitUnit(unit(name), "active/running")
	}
	h.WaitJournal(unit("scout"), "may start")
	if strings.Contains(h.Journal(""), "Current command vanished") {
		h.t.Error("the line of a running gate changed during the upgrade")
	}
}

// removalAndReturn: removed while agents run and gates wait, and installed again.
func (h *host) removalAndReturn() {
	h.t.Helper()
	h.Remove(goFile)
	h.Systemctl("restart", "--no-block", unit("scout"))
	h.WaitUnit(unit("scout"), "activating/start-pre")
	h.Remove(stoppedDir + "/stopped-scout")
	h.Systemctl("enable", unit("critic"))
	h.apt("remove justnews")
	h.gone("the removal")
	h.stoppedInOrder("critic", "memory", "analyst")
	if h.Exists(stoppedDir + "/stopped-scout") {
		h.t.Error("an agent behind a shut gate was started by the removal")
	}
	if !h.Exists(configFile) || h.Exists("/usr/bin/justnews-gate") {
		h.t.Error("a removal keeps the configuration and nothing else")
	}

	h.apt("install " + newDeb)
	for _, name := range []string{"justnews.target", "justnews-preflight.timer", "justnews-watch.service", unit("critic")} {
		if got := strings.TrimSpace(h.Run("systemctl", "is-enabled", name).Stdout); !strings.HasPrefix(got, "enabled") {
			h.t.Errorf("%s is %s after the return, want enabled as before", name, got)
		}
	}
	h.WriteFile(goFile, "")
	h.step("systemctl start justnews.target")
	h.allUp()
}

// purge: from running agents to only those files that are kept by design.
func (h *host) purge() {
	h.t.Helper()
	h.WriteFile("/etc/justnews/global.env", "SECRET=1\n", 0o600)
	h.WriteFile("/var/lib/justnews/scout/data", "precious\n")
	h.WriteFile("/etc/sudoers.d/justnews-gate", "# Written by: justnews-gate nopasswd install --sudoers\n", 0o440)
	h.apt("purge justnews")
	h.gone("the purge")
	left := h.leftovers("/etc/justnews", "/var/lib/justnews")
	if len(left) > 0 {
		h.t.Errorf("the purge left behind\n%s", strings.Join(left, "\n"))
	}
	if got := h.List("/etc/justnews"); len(got) != 1 || got[0] != "global.env" {
		h.t.Errorf("/etc/justnews has %v, want the administrator's global.env alone", got)
	}
	if h.ReadFile("/var/lib/justnews/scout/data") != "precious\n" {
		h.t.Error("the agents' data is gone")
	}
	h.step("getent passwd justnews")
	if got := h.Run("dpkg-query", "--status", "justnews"); got.Code == 0 {
		h.t.Errorf("dpkg still knows\n%s", got.Stdout)
	}
	// A second purge and a reboot's worth of reloads change nothing.
	h.step("dpkg --purge justnews; systemctl daemon-reload")
	h.gone("a second purge")
}

// fromNothing runs all the commands that an operator types on a new host.
func (h *host) fromNothing() {
	h.t.Helper()
	h.Remove("/etc/justnews")
	h.Remove("/var/lib/justnews")
	for _, command := range []string{
		"apt-get install -y " + newDeb,
		"cp /usr/share/doc/justnews/examples/seventeen.toml " + configFile,
		"cp " + modelRoot + "/AGENT_MODEL_MAP.json /etc/justnews/",
		"justnews-gate config check && systemctl daemon-reload",
		"systemctl enable --now justnews.target",
		"justnews-gate status",
	} {
		h.t.Logf("%s", h.step(command))
	}
	h.allUp()
	h.healthy("the first start on a new host")
}
