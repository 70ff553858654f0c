// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"justnews/test/bed"
)

// The broken model and its location. The store is the reference's complete one, with
// upstream's manifests: the preload verifies every byte.
const (
	brokenAgent  = "scout"
	brokenModel  = "google/bert_uncased_L-2_H-128_A-2"
	brokenDir    = modelRoot + "/scout/versions/v1/models--google--bert_uncased_L-2_H-128_A-2"
	referenceBin = "/usr/local/bin/justnews-reference"
)

// manifested is a host whose store has manifests, which the preload verifies.
func manifested() host {
	return host{
		config: strings.Replace(config("60s"), "verify_preload = \"presence\"\n", "", 1),
		change: func(tree *bed.Tree) {
			tree.Remove(modelRoot)
			tree.Run(referenceBin, "store", "make", modelRoot)
		},
	}
}

// cause is one reason why a model does not load.
type cause struct {
	name  string
	spoil []string // commands that produce it
	code  string
	says  []string // evidence, beside the code
	// repair does what the hint advises; the hint's commands are pasted.
	repair []string
	fix    string // what the pasted line has to begin with
}

func broken(damage string) []string {
	return []string{fmt.Sprintf("%s store break %s %s %s %s", referenceBin, modelRoot, damage, brokenAgent, brokenModel)}
}

func repaired() []string {
	return []string{fmt.Sprintf("%s store repair %s %s %s", referenceBin, modelRoot, brokenAgent, brokenModel)}
}

const again = "justnews-gate retry"

// causes are numbered as in the runbook.
var causes = []cause{
	{"1: no snapshot", broken("missing-snapshot"), "STORE-SNAPSHOT", []string{brokenModel, "contains no snapshot", "copy the snapshot to \"" + brokenDir}, repaired(), again},
	{"1: only partly copied", broken("half-copied"), "STORE-STAGED", []string{"versions/v1.tmp"}, repaired(), again},
	{"1: the checksum differs", broken("corrupt"), "STORE-CORRUPT", []string{brokenModel, "/blobs/", "its name says"}, repaired(), again},
	{"1: the link current is missing", broken("missing-current"), "STORE-VERSION", []string{"current does not exist"}, nil, "ln -sfn -- versions/v1 " + modelRoot + "/scout/current\n" + again},
	{"2: the wrong key", broken("wrong-key"), "MAP-NAME", []string{"AGENT_MODEL_MAP.json:2:", `"scouts"`, `the store contains "scout", which the map does not list`}, repaired(), again},
	{"2: the wrong id", broken("wrong-id"), "MAP-NAME", []string{"AGENT_MODEL_MAP.json:2:", brokenModel + "x", `the version contains "` + brokenModel + `"`}, repaired(), again},
	{"3: a parent that cannot be searched", []string{"chmod 0700 " + modelRoot + "/scout/versions"}, "STORE-PERMISSION",
		[]string{modelRoot + "/scout/versions: the user justnews may not search this directory", "mode 0700, owner 0:0"}, nil, "chmod -R o+rX -- " + modelRoot + "/scout/versions\n" + again},
	{"3: a parent of the whole store and its map", []string{"chmod 0700 /opt/justnews"}, "MAP-UNREADABLE",
		[]string{"the user justnews may not search the directory /opt/justnews", "mode 0700, owner 0:0"}, nil, "chmod o+x -- /opt/justnews\n" + again},
	{"3: the agent's directory", broken("unsearchable"), "STORE-PERMISSION",
		[]string{modelRoot + "/scout: the user justnews may not list this directory"}, nil, "chmod -R o+rX -- " + modelRoot + "/scout\n" + again},
	{"3: the weights' mode", broken("unreadable"), "STORE-PERMISSION",
		[]string{"/blobs/", "the user justnews may not read this file", "scout: " + brokenModel + " cannot load"}, nil, "chmod -R o+rX -- " + brokenDir + "/blobs\n" + again},
	{"3: the weights' owner", []string{"chown -R root:root " + brokenDir + "/blobs", "chmod -R go= " + brokenDir + "/blobs"}, "STORE-PERMISSION",
		[]string{brokenDir + "/blobs: the user justnews may not search this directory"}, nil, "chmod -R o+rX -- " + brokenDir + "/blobs\n" + again},
}

// The runbook's causes 1 to 3, actually produced: no agent starts, the code, the evidence
// and the fix are in the journal, and following the fix opens every gate.
func TestCauses_RunbookCausesAreReportedAndFixed(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		s := boot(t, suite, manifested())
		s.everythingUp(0)
		for i, c := range causes {
			// The disk does not depend on systemd: the older one gets one of each of
			// the runbook's causes.
			if suite == bed.Suites()[0] || i == 0 || causes[i-1].name[0] != c.name[0] {
				t.Run(c.name, func(t *testing.T) { s.cause(t, c) })
			}
		}
	})
}

func (s *site) cause(t *testing.T, c cause) {
	t.Helper()
	s.stopAll()
	for _, command := range c.spoil {
		if r := s.Sh(command); r.Err != nil {
			t.Fatalf("%s: %v\n%s%s", command, r.Err, r.Stdout, r.Stderr)
		}
	}
	before := bed.Monotonic()
	s.Run("systemctl", "start", "--no-block", target)
	s.waitRefused(preload)
	var said string
	s.WaitFor("the refusal in the journal of "+preload, bed.Patience, func() bool {
		said = s.since(before, preload)
		return strings.Contains(said, "refused: preload: ")
	})
	for _, want := range append([]string{c.code}, c.says...) {
		if !strings.Contains(said, want) {
			t.Errorf("the journal lacks %q:\n%s", want, said)
		}
	}
	for _, u := range s.Units(units(agents()...)...) {
		if u.ExecMainStart > before {
			t.Errorf("%v: started although %s", u, c.name)
		}
	}
	for _, command := range c.repair {
		if r := s.Sh(command); r.Err != nil {
			t.Fatalf("%s: %v\n%s%s", command, r.Err, r.Stdout, r.Stderr)
		}
	}
	fixed := bed.Monotonic()
	s.paste(t, said, c)
	s.everythingUp(fixed)
}

// stopAll stops everything and waits for the end: systemctl waits only for the target, and
// an immediate start would keep units that have not stopped yet.
func (s *site) stopAll() {
	s.t.Helper()
	s.Systemctl("stop", target)
	all := append(units(append(agents(), orchestrator)...), preload)
	s.WaitFor("everything to stop", 2*bed.Patience, func() bool {
		return !slices.ContainsFunc(s.Units(all...), func(u bed.Unit) bool { return !u.Is("inactive", "failed") })
	})
}

// paste follows the hints of a run as an operator would, by pasting their commands; a
// problem that only shows once another is fixed has its own hint.
func (s *site) paste(t *testing.T, said string, c cause) {
	t.Helper()
	for try := 1; ; try++ {
		before := bed.Monotonic()
		found := hints(said)
		if found == nil {
			t.Fatalf("no hint can be pasted:\n%s", said)
		}
		line := strings.ReplaceAll(strings.TrimSpace(found[0]), "\n    ", "\n")
		if try == 1 && !strings.HasPrefix(line, c.fix) {
			t.Errorf("the hint is %q, want it to begin with %q", line, c.fix)
		}
		t.Logf("pasting: %s", line)
		r := s.Sh(line)
		if r.Err == nil && !strings.Contains(r.Stderr, "refused: retry") {
			return
		}
		if said = s.since(before, preload); try == 3 {
			t.Fatalf("the printed hint fails: %s: %v\n%s%s", line, r.Err, r.Stdout, r.Stderr)
		}
	}
}

// since returns a unit's messages since a time of the monotonic clock.
func (s *site) since(moment time.Duration, name string) string {
	s.t.Helper()
	return s.Must("sh", "-c", fmt.Sprintf("journalctl --no-pager -q -o short-monotonic -u %s | awk -F'[][]' '$2 + 0 >= %.6f'", name, moment.Seconds()))
}

// Cause 4, by a resource limit: the model is complete, but the unit's LimitDATA= leaves the
// orchestrator too little memory. With STRICT, upstream hides that behind its own message;
// the gate finds the limit.
func TestCauses_MemoryLimitBelowTheModelIsReported(t *testing.T) {
	t.Parallel()
	const limit = "/etc/systemd/system/justnews@gpu_orchestrator.service.d/97-limit.conf"
	bed.Newest(t, func(t *testing.T, suite string) {
		h := host{change: func(tree *bed.Tree) {
			big := snapshot("memory", models["memory"][0]) + "/model.safetensors"
			tree.WriteFile(big, weightsHeader(512<<20))
			if err := os.Truncate(tree.Path(big), weightsSize(512<<20)); err != nil {
				t.Fatal(err)
			}
			tree.WriteFile(limit, "[Service]\nLimitDATA=256M\n")
		}}
		s := boot(t, suite, h)
		s.waitRefused(preload)
		s.WaitJournal(preload, "MODEL-MEMORY", "memory: sentence-transformers/all-MiniLM-L6-v2: STRICT_MODEL_STORE=1 but failed to load model",
			"the model needs 512 MiB, more than LimitDATA= of the unit allows", "raise LimitDATA= of the orchestrator")
		s.noAgentStarted()
		s.Must("rm", limit)
		fixed := bed.Monotonic()
		s.pasteHint(preload)
		s.everythingUp(fixed)
	})
}

// Cause 4, by the kernel: it kills the orchestrator while it loads, in a control
// group that has too little memory.
func TestCauses_OutOfMemoryKillIsReported(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		last := "synthesizer" // the map lists it last
		h := host{misbehave: "hold", change: func(tree *bed.Tree) {
			big := snapshot(last, models[last][0]) + "/model.safetensors"
			tree.WriteFile(big, weightsHeader(512<<20))
			if err := os.Truncate(tree.Path(big), weightsSize(512<<20)); err != nil {
				t.Fatal(err)
			}
			tree.WriteFile(dropIn(orchestrator, "97-once.conf"), once)
		}}
		s := boot(t, suite, h)
		s.waitHeld()
		s.starve(unit(orchestrator), 128<<20)
		s.release()
		// The preload ends with the orchestrator, before or after it can report the cause.
		s.WaitJournal("justnews*", "ORCHESTRATOR-KILL", "the orchestrator was killed because memory ran out", "the kernel has killed", "add swap, raise service.memory_max")
		s.WaitJournal(unit("scout"), "ORCHESTRATOR-KILL", "the orchestrator was killed because memory ran out", "details: journalctl -b -u justnews")
		s.noAgentStarted()
		s.stopAll()
		s.WriteFile("/etc/justnews/global.env", "REFERENCE_MISBEHAVE=\n")
		fixed := bed.Monotonic() // the next process is in no such group, as if there were more memory
		s.Must("justnews-gate", "retry")
		s.everythingUp(fixed)
	})
}

// weightsHeader is a safetensors header of one tensor of n bytes; the file has
// weightsSize(n) bytes. The data is a hole.
func weightsHeader(n int64) string {
	header := fmt.Sprintf(`{"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}`, n, n)
	header += strings.Repeat(" ", -len(header)&7)
	length := len(header)
	return string([]byte{byte(length), byte(length >> 8), 0, 0, 0, 0, 0, 0}) + header
}

func weightsSize(n int64) int64 { return int64(len(weightsHeader(n))) + n }

// starve puts a unit's main process into a control group of the host with little memory,
// with the memory controller of either cgroup version.
func (s *site) starve(name string, bytes int64) {
	s.t.Helper()
	pid := s.HostPID(s.Unit(name).MainPID)
	for _, at := range []struct{ dir, limit string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
		{"/sys/fs/cgroup", "memory.max"},
	} {
		dir := filepath.Join(at.dir, "justnews-starve-"+strconv.Itoa(pid))
		if _, err := os.Stat(filepath.Join(at.dir, "cgroup.procs")); err != nil || os.Mkdir(dir, 0o755) != nil {
			continue
		}
		s.t.Cleanup(func() { _ = os.Remove(dir) })
		if os.WriteFile(filepath.Join(dir, at.limit), []byte(strconv.FormatInt(bytes, 10)), 0o644) != nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	s.t.Skip("the host has no memory controller to make a group with")
}

// The preload hashes every byte of the store; 16 gates that also verify the manifests read
// none.
func TestCauses_GatesDoNotRepeatThePreloadsHashing(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		h := manifested()
		h.config = strings.Replace(h.config, "[models]\n", "[models]\nverify = \"manifest\"\n", 1)
		s := boot(t, suite, h)
		s.everythingUp(0)
		s.WaitJournal(preload, "of models verified")
		if said := s.Journal(preload); strings.Contains(said, "verified, 0 bytes read") {
			t.Errorf("the preload read nothing:\n%s", said)
		}
		for _, name := range agents() {
			if said := s.Journal(unit(name)); !strings.Contains(said, "of models verified, 0 bytes read") {
				t.Errorf("%s reread files that the preload had read:\n%s", name, said)
			}
		}
	})
}

// An environment file lets the libraries download although the configuration is
// strict: the running process shows it, and nothing starts.
func TestCauses_OrchestratorWithDownloadsIsRefused(t *testing.T) {
	t.Parallel()
	const file = "/etc/justnews/global.env"
	bed.Newest(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{change: func(tree *bed.Tree) {
			tree.WriteFile(file, "REFERENCE_MISBEHAVE=\nHF_HUB_OFFLINE=0\n")
		}})
		s.waitRefused(preload)
		s.WaitJournal(preload, "STORE-ENVIRONMENT: "+unit(orchestrator), "HF_HUB_OFFLINE=0 in the running process; expected HF_HUB_OFFLINE=1",
			"remove the override", "systemctl restart -- "+unit(orchestrator))
		s.noAgentStarted()
		s.WriteFile(file, "REFERENCE_MISBEHAVE=\n")
		fixed := bed.Monotonic()
		s.pasteHint(preload)
		s.everythingUp(fixed)
	})
}
