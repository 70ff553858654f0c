// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"justnews/test/bed"
	"justnews/test/busy"
)

var healingTable = flag.Bool("healing", false, "inject every fault and rewrite docs/healing.md from what is measured (both suites)")

// fault keeps a host down. It is injected and removed by shell scripts; the removal
// neither starts nor resets anything.
type fault struct {
	name   string
	inject string
	remove string
	// refused is found in the output of some gate, "" if no gate is reached: then
	// systemd itself reports the cause.
	refused string
	said    string // the unit that reports the cause if no gate is reached, "": systemd
	// stays is how long it lasts after that, 0: until every unit has been tried twice.
	stays time.Duration
	// names are words of the true cause, which the first finding must contain.
	names []string
	quick bool // also without the flag that makes the tables
}

const starter = "/usr/local/bin/justnews-start-agent.sh"

// faults are those that a person, a disk or a boot can cause on a host whose
// configuration is correct.
var faults = []fault{
	{name: "the configuration is broken", inject: "echo '[gate' >> " + configFile + "; systemctl daemon-reload", remove: "sed -i '$d' " + configFile + "; systemctl daemon-reload", said: "the generator, at the reload", stays: 5 * time.Second, names: []string{"justnews.toml"}, quick: true},
	{name: "the configuration is missing", inject: "mv " + configFile + " /root; systemctl daemon-reload", remove: "mv /root/justnews.toml " + configFile + "; systemctl daemon-reload", said: "the generator, at the reload", stays: 5 * time.Second, names: []string{configFile}},
	{name: "a model has no snapshot", inject: broken("missing-snapshot")[0], remove: repaired()[0], refused: "STORE-SNAPSHOT", names: []string{brokenModel, "snapshot"}, quick: true},
	{name: "a model is corrupt", inject: broken("corrupt")[0], remove: repaired()[0], refused: "STORE-CORRUPT", names: []string{brokenModel}},
	{name: "the map has a wrong key", inject: broken("wrong-key")[0], remove: repaired()[0], refused: "MAP-NAME", names: []string{"scouts"}},
	{name: "weights that cannot be read", inject: broken("unreadable")[0], remove: repaired()[0], refused: "STORE-PERMISSION", names: []string{brokenModel, "justnews"}},
	{name: "the whole store cannot be searched", inject: "chmod 0700 /opt/justnews", remove: "chmod 0755 /opt/justnews", refused: "MAP-UNREADABLE", names: []string{"/opt/justnews", "justnews"}},
	{name: "the store is missing", inject: "mv " + modelRoot + " /opt/justnews/away", remove: "mv /opt/justnews/away " + modelRoot, refused: "MAP-", names: []string{modelRoot}},
	{name: "the map is missing", inject: "mv " + modelRoot + "/AGENT_MODEL_MAP.json /root", remove: "mv /root/AGENT_MODEL_MAP.json " + modelRoot, refused: "MAP-", names: []string{"AGENT_MODEL_MAP.json"}},
	{name: "the program is missing for 6 s", inject: "mv " + starter + " /root", remove: "mv /root/justnews-start-agent.sh " + starter, stays: 6 * time.Second, names: []string{starter}, quick: true},
	{name: "the program is missing for 30 s", inject: "mv " + starter + " /root", remove: "mv /root/justnews-start-agent.sh " + starter, stays: 30 * time.Second, names: []string{starter}},
	{name: "the user is missing", inject: "cp /etc/passwd /root; sed -i s/^justnews:/absent:/ /etc/passwd", remove: "cp /root/passwd /etc/passwd", stays: 20 * time.Second, names: []string{"justnews"}},
	{name: "no space for the instances' directories", inject: "mkdir -p /var/cache/justnews; mount -t tmpfs -o size=4k,nr_inodes=1 none /var/cache/justnews", remove: "umount /var/cache/justnews", stays: 10 * time.Second, names: []string{"/var/cache/justnews"}},
	{name: "D-Bus is stopped", inject: "systemctl stop dbus.socket dbus.service", remove: "systemctl start dbus.socket", stays: 15 * time.Second, names: []string{"D-Bus"}},
	{name: "the environment is wrong", inject: "echo GATE_TIMEOUT=abc >> /etc/justnews/global.env", remove: "sed -i /GATE_TIMEOUT/d /etc/justnews/global.env", refused: "CONFIG-ENVIRONMENT", names: []string{"/etc/justnews/global.env", "GATE_TIMEOUT", "abc"}},
	{name: "the lock directory is read-only", inject: "mount -t tmpfs -o ro none /run/justnews-gate", remove: "umount /run/justnews-gate", stays: 5 * time.Second},
	inside("a model fails inside the orchestrator", "fail-model", "MODEL-FAILED", "MODEL-FAILED"),
	inside("the orchestrator answers with errors", "500", "ORCHESTRATOR-", "500"),
	inside("the orchestrator does not answer", "hang-headers", "", "8014"),
	{name: "another process uses the bus's port", inject: "systemd-run -q --collect --unit=squat --service-type=exec -p User=nobody " + referenceBin + " bus", remove: "systemctl stop squat || true", stays: 20 * time.Second, names: []string{"8000"}, quick: true},
}

// inside is a fault within an orchestrator that keeps running.
func inside(name, misbehave, refused string, names ...string) fault {
	return fault{
		name: name, refused: refused, names: names, stays: 10 * time.Second,
		inject: "sed -i 's/^REFERENCE_MISBEHAVE=.*/REFERENCE_MISBEHAVE=" + misbehave + "/' /etc/justnews/global.env",
		remove: "sed -i 's/^REFERENCE_MISBEHAVE=.*/REFERENCE_MISBEHAVE=/' /etc/justnews/global.env; " + referenceBin + " control " + controlSocket + " PUT /misbehave",
	}
}

// mpsOutages are faults of NVIDIA MPS and the GPU, on a host with three instances that
// need them.
var mpsOutages = []fault{
	{name: "MPS is not installed", inject: "mv " + control + " /root/away", remove: "mv /root/away " + control, refused: "MPS-MISSING", quick: true},
	{name: "MPS exits at once", inject: "mv " + control + " /root/away; ln -s /bin/false " + control, remove: "mv /root/away " + control, stays: 25 * time.Second},
	{name: "a device node of the GPU is missing", inject: "mv /dev/nvidia-uvm /root/away", remove: "mv /root/away /dev/nvidia-uvm", stays: 25 * time.Second},
}

// promised is how long a host may take after the cause is gone.
func promised(suite string) time.Duration {
	if suite == "bookworm" {
		return bed.Scaled(90 * time.Second)
	}
	return bed.Scaled(time.Minute)
}

// TestHealing injects each fault into a host, waits for a refusal, removes the fault, and
// does nothing else: every enabled instance has to come up.
func TestHealing(t *testing.T) {
	t.Parallel()
	measured := map[string]map[string]string{}
	if *healingTable {
		t.Cleanup(func() { writeHealing(t, measured) }) // also of a run that was stopped
	}
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, unhurried())
		s.everythingUp(0)
		measured[suite] = map[string]string{}
		for _, f := range taken(suite, slices.Concat(faults, mistaken)) {
			t.Run(f.name, func(t *testing.T) {
				inner := &site{Machine: s.Machine, t: t}
				took, own := inner.heals(t, f, append(units(orchestrator), units(agents()...)...)...)
				if own > promised(suite) {
					t.Fatalf("up %v after the cause was gone (%v of its own), want at most %v", took, own, promised(suite))
				}
				measured[suite][f.name] = fmt.Sprintf("%.0f s", took.Seconds())
			})
		}
	})
	bed.Each(t, func(t *testing.T, suite string) {
		names := []string{"memory", "scout", "synthesizer"}
		s := bootMPS(t, suite, strings.Replace(mpsConfig("", names...), `"20s"`, `"60s"`, 1), func(tree *bed.Tree) {
			tree.Remove("/etc/systemd/system/justnews@.service.d/95-quick.conf")
		})
		s.WaitUnits("active/running", units(names...)...)
		for _, f := range taken(suite, mpsOutages) {
			t.Run(f.name, func(t *testing.T) {
				inner := &site{Machine: s.Machine, t: t}
				took, own := inner.heals(t, f, units(names...)...)
				if own > promised(suite) {
					t.Fatalf("up %v after the cause was gone (%v of its own), want at most %v", took, own, promised(suite))
				}
				measured[suite][f.name] = fmt.Sprintf("%.0f s", took.Seconds())
			})
		}
	})
}

// taken returns the faults of this run: all with -healing, otherwise some of each kind,
// and one on the older suite.
func taken(suite string, all []fault) []fault {
	if *healingTable {
		return all
	}
	some := slices.DeleteFunc(slices.Clone(all), func(f fault) bool { return !f.quick })
	if suite != bed.Suites()[0] {
		return some[:1]
	}
	return some
}

// unhurried is a host with manifests and the product's own restart delays, which are
// measured.
func unhurried() host {
	h := manifested()
	change := h.change
	h.change = func(tree *bed.Tree) {
		change(tree)
		tree.Remove("/etc/systemd/system/justnews@.service.d/95-quick.conf")
	}
	return h
}

// heals returns how long after the end of a fault all instances were up, and how much of that
// is not due to other processes of a busy machine.
func (s *site) heals(t *testing.T, f fault, names ...string) (took, own time.Duration) {
	t.Helper()
	s.Systemctl(append([]string{"stop", target}, names...)...)
	s.stopAll()
	if s.Unit(mpsUnit).Is("active") {
		s.Systemctl("stop", mpsUnit)
	}
	before := bed.Monotonic()
	s.must(f.inject)
	s.Systemctl("start", "--no-block", target)
	said := func() string {
		return s.Must("sh", "-c", fmt.Sprintf("journalctl --no-pager -q -o short-monotonic | awk -F'[][]' '$2 + 0 >= %.6f'", before.Seconds()))
	}
	if f.refused != "" {
		s.WaitFor(f.refused+" in the journal", 2*time.Minute, func() bool { return strings.Contains(said(), f.refused) })
		s.WaitFor("a second try", 2*time.Minute, func() bool {
			return slices.ContainsFunc(append(slices.Clone(names), preload), func(name string) bool { return s.Unit(name).NRestarts > 0 })
		})
		time.Sleep(5 * time.Second) // the fault lasts; nothing is measured here
	}
	time.Sleep(f.stays)
	for _, name := range names {
		if u := s.Unit(name); name != unit(orchestrator) && u.ExecMainStart > before && u.Is("active") && f.refused != "" {
			t.Errorf("%v: it runs although %s", u, f.name)
		}
	}
	s.ownPace(t, said())
	s.must(f.remove)
	gone, mark := bed.Monotonic(), busy.Now()
	var last time.Duration
	s.WaitFor("all instances active", 10*time.Minute, func() bool {
		last = 0
		for _, u := range s.Units(names...) {
			if !u.Is("active/running") {
				return false
			}
			last = max(last, u.ActiveEnter)
		}
		return true
	})
	took = max(last-gone, 0)
	own = mark.Less(took)
	t.Logf("%s: up %v after the cause was gone", f.name, took.Round(100*time.Millisecond))
	return took, own
}

// ownPace fails if anything started the orchestrator before its restart delay was over.
func (s *site) ownPace(t *testing.T, journal string) {
	t.Helper()
	var failed float64
	for _, m := range pace.FindAllStringSubmatch(journal, -1) {
		at, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case m[3] != "":
			failed = at
		case failed != 0 && at-failed < 2.5: // restart_sec is 3 s
			t.Errorf("the orchestrator was started %.1f s after it had failed:\n%s", at-failed, m[0])
		}
	}
}

// pace finds systemd's messages about the orchestrator's starts and failures.
var pace = regexp.MustCompile(`(?m)^\[ *([0-9.]+)\] \S+ systemd\[1\]: (Starting )?justnews@gpu_orchestrator\.service(?: - .*\.\.\.|: (Failed) with result.*)$`)

// healingFile is the table that a run with -healing writes. A suite that is not run keeps
// its previous figures.
const healingFile = "../../docs/healing.md"

func writeHealing(t *testing.T, measured map[string]map[string]string) {
	t.Helper()
	before := healingRows(t)
	var b strings.Builder
	b.WriteString(healingHead)
	for _, f := range slices.Concat(faults, mistaken, mpsOutages) {
		said := cmp.Or(f.said, "systemd, or a wait")
		if f.refused != "" {
			said = "`" + strings.TrimSuffix(f.refused, "-") + "`"
		}
		row := before[f.name]
		young, old := cmp.Or(measured["trixie"][f.name], row[0]), cmp.Or(measured["bookworm"][f.name], row[1])
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.name, said, young, old)
	}
	if err := os.WriteFile(healingFile, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// healingRows reads the two times of each fault.
func healingRows(t *testing.T) map[string][2]string {
	t.Helper()
	text, err := os.ReadFile(healingFile)
	if err != nil {
		return nil
	}
	rows := map[string][2]string{}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, " | "); len(cells) == 4 {
			rows[strings.TrimPrefix(cells[0], "| ")] = [2]string{cells[2], strings.TrimSuffix(cells[3], " |\n")}
		}
	}
	return rows
}

// TestHealing_TableHasEveryFault needs no machine.
func TestHealing_TableHasEveryFault(t *testing.T) {
	rows := healingRows(t)
	for _, f := range slices.Concat(faults, mistaken, mpsOutages) {
		if row, found := rows[f.name]; !found || row[0] == "" || row[1] == "" {
			t.Errorf("docs/healing.md has no times for %q; run: go test ./test/booted -run 'TestHealing$' -healing", f.name)
		}
	}
}

const healingHead = `# How a host heals

A booted host with 17 instances. The fault is injected while the instances are stopped, and
` + "`systemctl start justnews.target`" + ` is refused. Then only the cause is removed. The times are from that moment until the
last instance is active, by systemd's own timestamps. Faults in the configuration are removed by an edit and
` + "`systemctl daemon-reload`" + `. The limits are 60 s with systemd 257 and 90 s with 252. 0 s: nothing was delayed.

This table is written by ` + "`go test ./test/booted -run 'TestHealing$' -healing`" + `.

| fault | refused with | systemd 257 | systemd 252 |
|---|---|---|---|
`

// refusedFor is how long 17 refused instances are observed: JUSTNEWS_TEST_REFUSED=10m
// for the figures, then on both suites and with both causes.
func refusedFor(t *testing.T) time.Duration {
	text := os.Getenv("JUSTNEWS_TEST_REFUSED")
	if text == "" {
		return 30 * time.Second // the table in docs/figures.md takes ten minutes
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("cannot read JUSTNEWS_TEST_REFUSED: %v", err)
	}
	return d
}

// TestRefused_HostIsQuiet measures the cost of 17 instances that stay refused.
func TestRefused_HostIsQuiet(t *testing.T) {
	t.Parallel()
	long := refusedFor(t)
	whole := os.Getenv("JUSTNEWS_TEST_REFUSED") != ""
	for i, c := range []struct{ name, spoil, misbehave string }{
		{"a model that fails to load", "true", "fail-model"},
		{"a missing snapshot", broken("missing-snapshot")[0], ""},
	} {
		if i > 0 && !whole { // TestJournal_SharedCauseIsLoggedInFullOnce covers it too
			break
		}
		t.Run(c.name, func(t *testing.T) {
			each := bed.Newest
			if whole {
				each = bed.Each
			}
			each(t, func(t *testing.T, suite string) {
				h := unhurried()
				h.config, h.misbehave = strings.Replace(h.config, `"60s"`, `"180s"`, 1), c.misbehave
				change := h.change
				h.change = func(tree *bed.Tree) {
					change(tree)
					tree.Run("sh", "-c", c.spoil)
				}
				s := boot(t, suite, h)
				s.waitRefused(preload)
				s.waitRefused(unit("mcp_bus")) // the others may wait for its next try
				time.Sleep(10 * time.Second)   // the first refusals are over
				began, used, asked := bed.Monotonic(), s.cpu(), s.counters()
				time.Sleep(long)
				passed, cpu, now := bed.Monotonic()-began, s.cpu()-used, s.counters()
				ours, all := s.linesSince(began)
				minutes := passed.Minutes()
				t.Logf("%s, %s: in %v: %.2f %% of one core, %.2f requests/s, %d POSTs, %.1f lines of ours a minute, %.1f lines in all a minute",
					suite, c.name, passed.Round(time.Second), 100*cpu.Seconds()/passed.Seconds(),
					float64(now.Requests-asked.Requests)/passed.Seconds(), now.Preloads-asked.Preloads, float64(ours)/minutes, float64(all)/minutes)
				if rate := float64(now.Requests-asked.Requests) / passed.Seconds(); rate > 5 {
					t.Errorf("%.1f requests a second, want at most 5", rate)
				}
				if posts := now.Preloads - asked.Preloads; posts > 2+int(minutes) {
					t.Errorf("%d POSTs in %v", posts, passed)
				}
				s.noAgentStarted()
			})
		})
	}
}

// cpu is the time that all processes of the machine have used.
func (s *site) cpu() time.Duration {
	s.t.Helper()
	var usec int64
	if _, err := fmt.Sscanf(s.Must("cat", "/sys/fs/cgroup/cpu.stat"), "usage_usec %d", &usec); err != nil {
		s.t.Fatalf("cannot read the CPU time of the machine: %v", err)
	}
	return time.Duration(usec) * time.Microsecond
}

// linesSince counts the journal's lines, those of justnews-gate and all.
func (s *site) linesSince(moment time.Duration) (ours, all int) {
	s.t.Helper()
	text := s.Must("sh", "-c", fmt.Sprintf("journalctl --no-pager -q -o short-monotonic | awk -F'[][]' '$2 + 0 >= %.6f'", moment.Seconds()))
	for line := range strings.Lines(text) {
		all++
		if strings.Contains(line, " justnews-gate[") {
			ours++
		}
	}
	return ours, all
}
