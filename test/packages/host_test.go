// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"justnews/test/bed"
)

const (
	configFile = "/etc/justnews/justnews.toml"
	modelRoot  = "/opt/justnews/models"
	stoppedDir = "/run/justnews-test"
	newDeb     = "/root/new.deb"
	oldDeb     = "/root/old.deb"
	newRPM     = "/root/new.rpm"
	oldRPM     = "/root/old.rpm"
	goFile     = "/run/justnews-test/go"
)

// gated are the instances that also wait for goFile.
var gated = []string{"memory", "scout"}

// agent replaces the bed's stand-in. When it is stopped, it records whether the package and
// the generated files still existed.
const agent = `#!/bin/sh
case $1 in
gpu_orchestrator)
	exec /usr/local/bin/justnews-reference orchestrator --bus-url "$REFERENCE_BUS_URL" ;;
mcp_bus) exec /usr/local/bin/justnews-reference bus ;;
esac
last() {
	for f in /usr/bin/justnews-gate /usr/lib/systemd/system/justnews@.service \
		/run/systemd/generator/justnews@.service.d/50-justnews-gate.conf; do
		[ -e "$f" ] || echo "no $f" >>"/run/justnews-test/stopped-$1"
	done
	echo stopped >>"/run/justnews-test/stopped-$1"
	exit 0
}
trap 'last "$1"' TERM
while :; do sleep 1000 & wait $!; done
`

// host is a booted Debian with the packages available, but not installed.
type host struct {
	*bed.Machine
	t testing.TB
}

func boot(t testing.TB, suite string, packages []string, prepare func(tree *bed.Tree)) *host {
	t.Helper()
	now, before := current(t), older(t)
	m := bed.Boot(t, bed.Options{Suite: suite, Packages: packages, Prepare: func(tree *bed.Tree) {
		// The bed's roots omit manuals and documents; our packages have them.
		for _, name := range tree.List("/etc/dpkg/dpkg.cfg.d") {
			tree.Remove("/etc/dpkg/dpkg.cfg.d/" + name)
		}
		tree.Copy(now.deb, newDeb, 0o644)
		tree.Copy(before.deb, oldDeb, 0o644)
		tree.Copy(now.rpm, newRPM, 0o644)
		tree.Copy(before.rpm, oldRPM, 0o644)
		tree.InstallReference()
		tree.WriteFile("/usr/local/bin/justnews-start-agent.sh", agent, 0o755)
		writeStore(tree)
		if prepare != nil {
			prepare(tree)
		}
	}})
	if state := m.WaitIdle(); state != "running" {
		t.Fatalf("the machine is %s before anything is installed", state)
	}
	return &host{m, t}
}

func writeStore(tree *bed.Tree) {
	models := map[string][]string{"scout": {"martin-ha/toxic-comment-model"}, "memory": {"sentence-transformers/all-MiniLM-L6-v2"}}
	for agent, ids := range models {
		for _, id := range ids {
			snapshot := modelRoot + "/" + agent + "/versions/v1/models--" + strings.ReplaceAll(id, "/", "--") + "/snapshots/0123abcd"
			tree.WriteFile(snapshot+"/config.json", `{"model_type":"bert"}`)
			tree.WriteFile(snapshot+"/vocab.txt", "[PAD]\n")
			tree.WriteFile(snapshot+"/model.safetensors", bed.OneWeight)
		}
		tree.Symlink("versions/v1", modelRoot+"/"+agent+"/current")
	}
	text, err := json.Marshal(map[string]any{"agents": models})
	if err != nil {
		panic(err) // a map of strings
	}
	tree.WriteFile(modelRoot+"/AGENT_MODEL_MAP.json", string(text))
}

// seventeen is the packaged example, with a probe in front of the gated ones.
func seventeen(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "packaging/examples/seventeen.toml"))
	if err != nil {
		t.Fatal(err)
	}
	out := strings.Replace(string(text), `"/etc/justnews/AGENT_MODEL_MAP.json"`, `"`+modelRoot+`/AGENT_MODEL_MAP.json"`, 1)
	for _, name := range gated {
		before := out
		if out = strings.Replace(out, "[instances."+name+"]\n", "[instances."+name+"]\nneeds = [\"go\"]\n", 1); out == before {
			t.Fatalf("the example has no instance %s", name)
		}
	}
	return out + "\n[probes.go]\nkind = \"path\"\npath = \"" + goFile + "\"\n"
}

// step runs a shell command as an operator types it, and logs it with its time.
func (h *host) step(command string) string {
	h.t.Helper()
	began := time.Now()
	r := h.Sh(command)
	h.t.Logf("# %s   (%.1f s)", command, time.Since(began).Seconds())
	if r.Err != nil {
		h.t.Fatalf("%s: %v\n%s%s", command, r.Err, r.Stdout, r.Stderr)
	}
	return r.Stdout + r.Stderr
}

// apt runs apt-get as unattended upgrades do: without questions, keeping the administrator's
// edits.
func (h *host) apt(args string) {
	h.t.Helper()
	h.step("DEBIAN_FRONTEND=noninteractive apt-get -qy -o Dpkg::Options::=--force-confold " + args + " </dev/null")
}

// instances lists the example's instances.
func (h *host) instances() []string {
	h.t.Helper()
	return strings.Fields(h.Must("justnews-gate", "completion", "instances"))
}

func unit(instance string) string { return "justnews@" + instance + ".service" }

func units(instances []string) []string {
	names := make([]string, len(instances))
	for i, name := range instances {
		names[i] = unit(name)
	}
	return names
}

// allUp waits until all 17 run, and returns their names.
func (h *host) allUp() map[string]int {
	h.t.Helper()
	pids := map[string]int{}
	names := h.instances()
	if len(names) != 17 {
		h.t.Fatalf("%d instances, want 17: %v", len(names), names)
	}
	for i, u := range h.WaitUnits("active/running", units(names)...) {
		pids[names[i]] = u.MainPID
	}
	return pids
}

// untouched fails if one of them was restarted, or does not run.
func (h *host) untouched(pids map[string]int, by string) {
	h.t.Helper()
	names := slices.Collect(maps.Keys(pids))
	for i, u := range h.Units(units(names)...) {
		if pid := pids[names[i]]; u.MainPID != pid || !u.Is("active/running") {
			h.t.Errorf("%v: main process %d, was %d before %s", u, u.MainPID, pid, by)
		}
	}
}

// healthy fails if a unit failed.
func (h *host) healthy(after string) {
	h.t.Helper()
	if failed := h.Systemctl("--failed", "--no-legend", "--plain"); strings.TrimSpace(failed) != "" {
		h.t.Errorf("after %s there are failed units:\n%s", after, failed)
	}
	if state := h.WaitIdle(); state != "running" {
		h.t.Errorf("after %s the system is %s", after, state)
	}
}

// change is a version, and the package manager's arguments for it.
type change struct{ args, version string }

// change changes versions while agents with these pids run, with an edited configuration.
// The last version is the new one.
func (h *host) change(pids map[string]int, run func(args string), all []change) {
	h.t.Helper()
	edited := h.ReadFile(configFile)
	for _, way := range all {
		run(way.args)
		h.untouched(pids, way.args)
		h.healthy(way.args)
		if h.ReadFile(configFile) != edited {
			h.t.Errorf("%s changed the edited configuration", way.args)
		}
		if got := h.Must("justnews-gate", "--version"); got != "justnews-gate "+way.version+"\n" {
			h.t.Errorf("after %s the version is %q", way.args, got)
		}
		if u := h.Unit(unit("scout")); u.Props["NeedDaemonReload"] != "no" {
			h.t.Errorf("after %s systemd has not read the new units", way.args)
		}
		had := h.Unit("justnews-old.service").LoadState != "not-found"
		if want := way.version == oldVersion; had != want {
			h.t.Errorf("after %s systemd knows a unit of the older version: %t", way.args, had)
		}
	}
}

// gone fails if anything runs, is loaded or was generated.
func (h *host) gone(after string) {
	h.t.Helper()
	h.healthy(after)
	for line := range strings.Lines(h.Systemctl("list-units", "--all", "--no-legend", "--plain", "justnews*")) {
		// A removal keeps enablement links, so that the units are enabled again after a new
		// installation.
		if strings.Contains(after, "purge") || !strings.Contains(line, " not-found inactive dead ") {
			h.t.Errorf("after %s systemd still knows %s", after, line)
		}
	}
	if processes := h.Must("find", "/proc", "-maxdepth", "1", "-user", "justnews"); processes != "" {
		h.t.Errorf("still running after %s:\n%s", after, processes)
	}
	for _, name := range h.List("/run/systemd/generator") {
		if strings.Contains(name, "justnews") {
			h.t.Errorf("after %s there is still /run/systemd/generator/%s", after, name)
		}
	}
}

// stoppedInOrder fails if an agent was stopped after the package's or the generated files
// were removed, or was not stopped by a signal at all.
func (h *host) stoppedInOrder(instances ...string) {
	h.t.Helper()
	for _, name := range instances {
		if got := h.ReadFile(stoppedDir + "/stopped-" + name); strings.Contains(got, "no ") || !strings.Contains(got, "stopped") {
			h.t.Errorf("when %s was stopped:\n%s", name, got)
		}
	}
}

// leftovers are the files with our name, except those that are kept by design.
func (h *host) leftovers(stay ...string) []string {
	h.t.Helper()
	var left []string
	found := h.Must("sh", "-c", `find /etc /usr /var /run /lib/systemd/ -xdev \( -name '*justnews*' -o -xtype l -lname '*justnews*' \) -prune -print; find /run -name '*justnews*' -prune -print`)
	for name := range strings.Lines(found) {
		name = strings.TrimSpace(name)
		// The bed's own files.
		if strings.HasPrefix(name, "/usr/local/") || strings.Contains(name, "justnews-test") || strings.HasPrefix(name, "/etc/systemd/system/justnews@.service.d") {
			continue
		}
		if !slices.Contains(stay, name) && !slices.Contains(left, name) {
			left = append(left, name)
		}
	}
	return left
}

func (h *host) exposures() {
	h.t.Helper()
	for name, budget := range budgets {
		name = strings.Replace(name, "@.", "@scout.", 1)
		if h.Unit(name).LoadState != "loaded" {
			continue // not in the packages yet
		}
		r := h.Run("systemd-analyze", "security", "--no-pager", fmt.Sprintf("--threshold=%d", int(budget*10)), name)
		m := overall.FindStringSubmatch(r.Stdout)
		if r.Err != nil || m == nil {
			h.t.Errorf("%s is more exposed than %.1f: %v\n%s%s", name, budget, m, r.Stdout, r.Stderr)
			continue
		}
		h.t.Logf("exposure of %s with what was generated: %s of %.1f", name, m[1], budget)
	}
}
