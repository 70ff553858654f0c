// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"justnews/test/bed"
)

// firstCommit is the package of the first hosts, before 0.9.0: without a separate file system
// in /run, without marks in the units, with start limits.
const firstCommit, firstDeb = "8eaa503", "/root/first.deb"

var buildFirst = sync.OnceValues(func() (built, error) {
	tree := filepath.Join(scratch, "first-tree")
	cmd := exec.Command("sh", "-c", `mkdir "$1" && git archive --output="$1.tar" "$2" && tar -xf "$1.tar" -C "$1"`, "sh", tree, firstCommit)
	cmd.Dir = repository
	if said, err := cmd.CombinedOutput(); err != nil {
		return built{}, &buildError{string(said), err}
	}
	return pack(tree, filepath.Join(scratch, "first"), "0.8.0")
})

// A host with that package, 17 running agents and a waiting gate is upgraded to this one.
// Nothing is stopped, and units that start afterwards pass the new gate.
func TestUpgrade_FromTheFirstPackage(t *testing.T) {
	t.Parallel()
	if out, err := exec.CommandContext(t.Context(), "git", "-C", repository, "cat-file", "-e", firstCommit+"^{commit}").CombinedOutput(); err != nil {
		t.Skipf("needs the history of the repository, which a shallow clone lacks: %s", out)
	}
	first := orSkip(t, buildFirst)
	bed.Each(t, func(t *testing.T, suite string) {
		t.Parallel()
		h := boot(t, suite, nil, func(tree *bed.Tree) { tree.Copy(first.deb, firstDeb, 0o644) })
		h.apt("install " + firstDeb)
		h.WriteFile(configFile, seventeen(t))
		h.WriteFile(goFile, "")
		h.step("justnews-gate config check && systemctl daemon-reload")
		h.step("systemctl enable justnews-preflight.timer; systemctl enable --now justnews.target")
		pids := h.allUp()
		h.Remove(goFile)
		h.Systemctl("restart", "--no-block", unit("scout"))
		waiting := h.WaitUnit(unit("scout"), "activating/start-pre").ControlPID
		delete(pids, "scout")

		h.apt("install " + newDeb)

		h.untouched(pids, "the upgrade")
		if u := h.Unit(unit("scout")); u.ControlPID != waiting || waiting == 0 {
			t.Errorf("%v: its gate was process %d before the upgrade", u, waiting)
		}
		if got := h.ReadFile(configFile); got != seventeen(t) {
			t.Errorf("the configuration changed:\n%s", got)
		}
		h.WriteFile(goFile, "")
		h.WaitUnit(unit("scout"), "active/running")
		h.healthy("the upgrade")
		for _, name := range []string{"justnews.target", "justnews-preflight.timer"} {
			if got := strings.TrimSpace(h.Run("systemctl", "is-enabled", name).Stdout); got != "enabled" {
				t.Errorf("%s is %s", name, got)
			}
		}
		// The configuration is still valid, and every instance starts with it.
		h.step("justnews-gate config check")
		h.step("systemctl restart justnews.target")
		for name, pid := range h.allUp() {
			if pid == pids[name] {
				t.Errorf("%s was not restarted", name)
			}
		}
		h.WaitJournal(unit("memory"), "may start")
		h.healthy("a restart after the upgrade")
		if got := h.step("justnews-gate status"); !strings.Contains(got, "up: 17 of 17") {
			t.Errorf("status after the upgrade:\n%s", got)
		}
	})
}
