// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"justnews/test/bed"
	"justnews/test/busy"
	"justnews/test/reference/hang"
)

// holding is one way to hold up or mislead a gate. The files that it plants belong to
// root or to the agents, whichever can do more harm.
type holding struct {
	name  string
	plant func(s *site) (undo func())
	// says are the codes by one of which the run has to say what it was; none: the
	// models that are never ready are enough.
	says []string
	// late happens shortly before the deadline.
	late func(s *site)
	// manifest has the gate hash the Model Store.
	manifest bool
	// stuck means that the kernel does not let the process end: what counts is what
	// the process itself did until then.
	stuck bool
}

const (
	holdBudget = 2 * time.Second
	holdLimit  = 500 * time.Millisecond // after the deadline
	termLimit  = time.Second            // after SIGTERM
)

// script plants and removes files with a shell as root. $M is a model of the instance
// and $S its snapshot.
func script(plant, undo string) func(*site) func() {
	const names = "M=" + brokenDir + "; S=$(echo $M/snapshots/*); as_agent() { setpriv --reuid=justnews --regid=justnews --clear-groups \"$@\"; }; "
	return func(s *site) func() {
		s.t.Helper()
		s.must(names + plant)
		return func() { s.must(names + undo) }
	}
}

// repair rewrites the model, whatever replaced it.
func repair() string { return repaired()[0] }

// silent mounts a file system that does not answer over the path to which a shell word
// expands.
func silent(word string, how hang.How) func(*site) func() {
	return func(s *site) func() {
		s.t.Helper()
		path := strings.TrimSpace(s.Must("sh", "-c", "M="+brokenDir+"; readlink -f "+word))
		unmount, err := hang.MountFor(s.HostPID(1), path, how)
		if err != nil {
			s.t.Fatalf("cannot mount over %s: %v", path, err)
		}
		return unmount
	}
}

// leased keeps a lease on a file: opening it waits until the kernel breaks the lease.
func leased(word string) func(*site) func() {
	return func(s *site) func() {
		s.t.Helper()
		path := s.Path(strings.TrimSpace(s.Must("sh", "-c", "M="+brokenDir+"; readlink -f "+word)))
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err == nil {
			_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK)
		}
		if err != nil {
			s.t.Fatal(err)
		}
		return func() { _ = f.Close() }
	}
}

// stopped stops the main process of a unit.
func stopped(name string) func(*site) func() {
	return script("kill -STOP $(systemctl show -P MainPID "+name+")", "kill -CONT $(systemctl show -P MainPID "+name+")")
}

// claim makes a sparse file with a head and a tail.
func claim(name string, size int64, head, tail []byte) func(*site) func() {
	return func(s *site) func() {
		s.t.Helper()
		dir := strings.TrimSpace(s.Must("sh", "-c", "echo "+brokenDir+"/snapshots/*"))
		path := s.Path(dir + "/" + name)
		_ = os.Remove(path)
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil {
			_, err = f.WriteAt(head, 0)
		}
		if err == nil {
			_, err = f.WriteAt(tail, size-int64(len(tail)))
		}
		if err != nil {
			s.t.Fatal(err)
		}
		_ = f.Close()
		return func() { s.must("rm -f " + dir + "/" + name + "; " + repair()) }
	}
}

// archive is the end of a zip file that claims that many entries.
func archive(size int64, entries uint64) []byte {
	const end64, locator = 56, 20
	var b []byte
	b = append(b, "PK\x06\x06"...)
	b = binary.LittleEndian.AppendUint64(b, end64-12)
	b = append(b, 45, 0, 45, 0)
	b = append(b, make([]byte, 8)...)
	b = binary.LittleEndian.AppendUint64(b, entries)
	b = binary.LittleEndian.AppendUint64(b, entries)
	b = append(b, make([]byte, 16)...)
	b = append(b, "PK\x06\x07"...)
	b = append(b, make([]byte, 4)...)
	b = binary.LittleEndian.AppendUint64(b, uint64(size-end64-locator-22))
	b = append(b, 1, 0, 0, 0)
	b = append(b, "PK\x05\x06"...)
	b = append(b, make([]byte, 4)...)
	b = append(b, 0xff, 0xff, 0xff, 0xff)
	b = append(b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	return append(b, 0, 0)
}

const (
	mapFile   = modelRoot + "/AGENT_MODEL_MAP.json"
	ownCache  = "/var/cache/justnews/scout/preflight"
	hugeZip   = int64(243 << 30)
	hugeShard = int64(100 << 30)
)

// holdings are the ways that were found to hold up a gate, and similar ones.
var holdings = []holding{
	{name: "a lock on every file of the gates, held forever", plant: script(
		`systemd-run -q --unit=holder sh -c 'for f in $(find /run/justnews-gate /var/lib/justnews-gate -type f); do flock -x $f sleep infinity & done; wait'; sleep 0.3`,
		"systemctl stop holder")},
	{name: "every lock and record of the gates is a FIFO", plant: script(
		`cd /run/justnews-gate; for f in $(find . -maxdepth 1 -type f); do rm $f; as_agent mkfifo -m 0666 $f; done`,
		"find /run/justnews-gate -maxdepth 1 -type p -delete")},
	{name: "every record of the gates is 60 GB, sparse", plant: script(
		`cd /run/justnews-gate; for f in *.json orchestrator-x.json; do rm -f $f; as_agent truncate -s 60G $f; done`,
		"rm -f /run/justnews-gate/*.json")},
	{name: "300,000 summaries in the instance's own cache, the last one a FIFO", plant: script(
		`mkdir -p `+ownCache+`; mount -t tmpfs -o mode=755 none `+ownCache+`; cd `+ownCache+`; mkdir scout; mkfifo scout/latest.json
		seq 300000 | sed 's/.*/summary_20200101T000000.&Z_scout.json/' | xargs touch; chown -R justnews:justnews .`,
		"umount -l "+ownCache)},
	{name: "refs/main is a FIFO", plant: script("mkdir -p $M/refs; rm -f $M/refs/main; mkfifo $M/refs/main", "rm -r $M/refs; "+repair())},
	{name: "refs/main is a link to /dev/zero", plant: script("mkdir -p $M/refs; ln -sf /dev/zero $M/refs/main", "rm -r $M/refs; "+repair())},
	{name: "refs/main is 60 GB, sparse", plant: script("mkdir -p $M/refs; rm -f $M/refs/main; truncate -s 60G $M/refs/main", "rm -r $M/refs; "+repair())},
	{name: "pytorch_model.bin of 243 GB, sparse, whose zip64 claims 7.5 billion entries", plant: claim("pytorch_model.bin", hugeZip, []byte("PK\x03\x04"), archive(hugeZip, 7_500_000_000)), says: []string{"STORE-"}},
	{name: "pytorch_model.bin of 243 GB, sparse, that claims 60,000 entries", plant: claim("pytorch_model.bin", hugeZip, []byte("PK\x03\x04"), archive(hugeZip, 60_000)), says: []string{"STORE-"}},
	{name: "model.safetensors of 100 GB, sparse, whose header claims 90 GB", plant: claim("model.safetensors", hugeShard, binary.LittleEndian.AppendUint64(nil, 90<<30), []byte{0}), says: []string{"STORE-"}},
	{name: "config.json is 60 GB, sparse", plant: claim("config.json", 60<<30, []byte("{"), []byte("}"))},
	{name: "manifest.json is 60 GB, sparse", plant: script("truncate -s 60G $M/../manifest.json", repair()), says: []string{"STORE-"}, manifest: true},
	{name: "the seal is a FIFO", plant: script("mkdir -p $M/../.justnews; mkfifo $M/../.justnews/manifest.json", "rm -r $M/../.justnews; "+repair()), manifest: true},
	{name: "weights of 60 GB, sparse, to be hashed", plant: script("truncate -s 60G $M/blobs/weights", repair()), says: []string{"STORE-"}, manifest: true},
	{name: "a version known to differ, with a sparse blob of 8 GB named by 40 digits", plant: script(
		"truncate -s 8G $M/blobs/$(printf %040d 7); timeout 300 justnews-gate models verify scout >/dev/null 2>&1; true", repair()), says: []string{"STORE-"}, manifest: true},
	{name: "400,000 small files in a version", plant: script(
		"mkdir $M/../many; mount -t tmpfs -o mode=755 none $M/../many; cd $M/../many; seq 400000 | xargs touch", "cd /; umount -l $M/../many; rmdir $M/../many"), says: []string{"STORE-TIMEOUT", "ORCHESTRATOR-", "MODELS-"}},
	{name: "400,000 directories in a version, to be hashed", plant: script(
		"mkdir $M/../many; mount -t tmpfs -o mode=755 none $M/../many; cd $M/../many; seq 400000 | xargs mkdir", "cd /; umount -l $M/../many; rmdir $M/../many"), manifest: true},
	{name: "a lease on the weights", plant: leased("$M/snapshots/*/model.safetensors"), says: []string{"STORE-"}},
	{name: "a file system over the snapshot that reads no request", plant: silent("$M/snapshots/*", hang.Deaf), says: []string{"STORE-TIMEOUT", "HUNG"}},
	{name: "a file system over the snapshot that reads requests and never answers", plant: silent("$M/snapshots/*", hang.Mute), says: []string{"STORE-TIMEOUT", "HUNG"}, stuck: true},
	{name: "weights that can be opened, but whose content is never returned", plant: silent("$M/snapshots/*/model.safetensors", hang.Stuck), says: []string{"STORE-TIMEOUT", "HUNG"}, stuck: true},
	{name: "a file system over the whole store that reads no request", plant: silent(modelRoot, hang.Deaf), says: []string{"STORE-TIMEOUT", "MAP-", "HUNG"}},
	{name: "a map that can be opened, but whose content is never returned", plant: silent(mapFile, hang.Stuck), says: []string{"MAP-", "HUNG"}, stuck: true},
	{name: "the map is a FIFO", plant: script("mv "+mapFile+" /root/map; mkfifo "+mapFile, "mv /root/map "+mapFile), says: []string{"MAP-"}},
	{name: "the map is a link to /dev/zero", plant: script("mv "+mapFile+" /root/map; ln -s /dev/zero "+mapFile, "mv /root/map "+mapFile), says: []string{"MAP-"}},
	{name: "the map is a link to /proc/kallsyms", plant: script("mv "+mapFile+" /root/map; ln -s /proc/kallsyms "+mapFile, "mv /root/map "+mapFile), says: []string{"MAP-"}},
	{name: "the map is a link to /proc/self/pagemap", plant: script("mv "+mapFile+" /root/map; ln -s /proc/self/pagemap "+mapFile, "mv /root/map "+mapFile), says: []string{"MAP-"}},
	{name: "justnews.toml is a FIFO", plant: script("mv "+configFile+" /root/toml; mkfifo "+configFile, "mv /root/toml "+configFile), says: []string{"CONFIG-"}},
	{name: "justnews.toml is a link to /dev/zero", plant: script("mv "+configFile+" /root/toml; ln -s /dev/zero "+configFile, "mv /root/toml "+configFile), says: []string{"CONFIG-"}},
	{name: "an environment file of the orchestrator is a FIFO", plant: script("mkfifo /etc/justnews/gpu_orchestrator.env", "rm /etc/justnews/gpu_orchestrator.env")},
	{name: "dbus-daemon is stopped by SIGSTOP", plant: stopped("dbus.service"), says: []string{"UNIT-", "SERVER-UNPROVEN"}},
	{name: "the orchestrator is stopped by SIGSTOP", plant: stopped(unit(orchestrator)), says: []string{"ORCHESTRATOR-"}},
	{name: "journald is stopped by SIGSTOP", plant: stopped("systemd-journald.service")},
	{name: "a model fails 0.3 s before the deadline", plant: script("true", "true"), late: (*site).failModel, says: []string{"MODEL", "PRELOAD-"}},
}

// failModel makes the model fail at which the preload is held.
func (s *site) failModel() {
	all := regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(s.ReadFile(mapFile), -1)
	s.control(http.MethodPut, "/misbehave", "fail-model="+all[len(all)-1][1])
}

// holdHost has two instances: the orchestrator, whose models never become ready, and
// one that waits.
func holdHost() host {
	h := manifested()
	all := agents()
	h.config = config("60s", slices.DeleteFunc(all, func(name string) bool { return name == "scout" })...)
	h.config = strings.Replace(h.config, "[instances.scout]\n", "[instances.scout]\nrequire_bus = false\n", 1)
	h.config = strings.Replace(h.config, "[service]\n", "[bus]\ninstance = \"\"\n\n[service]\n", 1)
	h.misbehave = "hold"
	change := h.change
	h.change = func(tree *bed.Tree) {
		change(tree)
		onlyOnce(tree)
		tree.Symlink("/dev/null", "/etc/systemd/system/"+preload)
		tree.WriteFile("/etc/systemd/system/justnews@.service.d/96-no-limit.conf", noLimit)
		tree.WriteFile("/etc/justnews/scout.env", "GATE_TIMEOUT=2\n")
	}
	return h
}

// late is how long after the deadline, or after SIGTERM, the process ended. It is
// unknown if the gate had refused before.
type late struct{ deadline, term string }

// TestHold_NothingDelaysAGate applies each of the holdings and measures how long after
// its deadline, and after SIGTERM, a unit's gate ends. None of them opens it.
func TestHold_NothingDelaysAGate(t *testing.T) {
	t.Parallel()
	measured := map[string]map[string]late{}
	each := bed.Newest
	if *update {
		each = bed.Each
	}
	each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, holdHost())
		s.WaitUnit(unit("scout"), "failed")
		measured[suite] = map[string]late{}
		plain := s.ReadFile(configFile)
		thorough := strings.Replace(plain, `verify_preload = "presence"`, `verify = "manifest"`, 1)
		now := plain
		for i, h := range holdings {
			if i%3 != 0 && !*update {
				continue // a third of them, or all when the table is written
			}
			t.Run(h.name, func(t *testing.T) {
				inner := &site{Machine: s.Machine, t: t}
				want := plain
				if h.manifest {
					want = thorough
				}
				if now != want {
					s.WriteFile(configFile, want)
					s.Systemctl("daemon-reload")
					now = want
				}
				measured[suite][h.name] = inner.holds(h)
			})
		}
		if t.Failed() {
			return
		}
		// Once all of that is gone, the gate opens.
		s.control(http.MethodPut, "/misbehave", "")
		s.WriteFile("/etc/justnews/scout.env", "GATE_TIMEOUT=60\n")
		s.Systemctl("reset-failed", unit("scout"))
		s.Systemctl("start", "--no-block", unit("scout"))
		s.WaitUnit(unit("scout"), "active/running")
	})
	if *update && !t.Failed() {
		writeLateness(t, measured)
	}
}

// holds runs one gate until its deadline, and one that gets SIGTERM after 1 s.
func (s *site) holds(h holding) late {
	s.t.Helper()
	undo := h.plant(s)
	undone := false
	end := func() {
		if !undone {
			undone = true
			undo()
		}
	}
	defer end()
	var measured late

	mark := busy.Now()
	began := s.startHeld("2")
	if h.late != nil {
		time.Sleep(max(holdBudget-300*time.Millisecond-(bed.Monotonic()-began), 0))
		h.late(s)
	}
	ended, forced := s.ends(h, end)
	r := s.record(began)
	over := ended - r.began() - holdBudget
	if forced {
		over = time.Duration(r.Elapsed*float64(time.Second)) - holdBudget
	}
	measured.deadline = seconds(over, forced)
	if over < 0 {
		measured.deadline = "refused before"
	}
	s.t.Logf("%s: ended %v after the deadline (%s, forced %v), %s %s", h.name, over.Round(time.Millisecond), measured.deadline, forced, r.codes(), r.seen())
	if mark.Less(over) > holdLimit+slack {
		s.t.Errorf("it ended %v after its deadline", over)
	}
	// On a busy machine the half second may be over before the run has reported everything.
	if cut := mark.Waited() > holdLimit && r.says([]string{"HUNG"}); !r.says(h.says) && !cut {
		s.t.Errorf("the record does not have the cause: %s, want one of %q", r.codes(), h.says)
	}
	if forced {
		undo = h.plant(s)
		undone = false
	}
	if h.late != nil {
		s.control(http.MethodPut, "/misbehave", "hold")
		s.control(http.MethodPost, "/restart", "")
	}

	began = s.startHeld("30")
	measured.term = s.terminated(h, began, end)
	end()
	s.noAgentStarted()
	return measured
}

// startHeld starts the gate and returns the time.
func (s *site) startHeld(budget string) time.Duration {
	s.t.Helper()
	s.WriteFile("/etc/justnews/scout.env", "GATE_TIMEOUT="+budget+"\n")
	s.Systemctl("reset-failed", unit("scout"))
	began := bed.Monotonic()
	s.Systemctl("start", "--no-block", unit("scout"))
	return began
}

// ends waits for the end of the unit, and returns the time. A process that is stuck in
// the kernel is freed after a while.
func (s *site) ends(h holding, free func()) (at time.Duration, forced bool) {
	s.t.Helper()
	limit := bed.Monotonic() + 8*time.Second
	var u bed.Unit
	s.WaitFor("the end of the gate", bed.Patience, func() bool {
		if u = s.Unit(unit("scout")); h.stuck && !forced && bed.Monotonic() > limit {
			forced = true
			free()
		}
		return u.Is("failed")
	})
	if u.ExecMainStart != 0 {
		s.t.Errorf("%v: it was opened", u)
	}
	return u.InactiveEnter, forced
}

// terminated sends SIGTERM to the gate after it has run for 1 s, and returns how long it
// took to end.
func (s *site) terminated(h holding, began time.Duration, free func()) string {
	s.t.Helper()
	s.WaitFor("the program of the gate", bed.Patience, func() bool { // before, it is systemd's executor
		u := s.Unit(unit("scout"))
		if u.Is("failed") || u.ControlPID == 0 {
			return u.Is("failed")
		}
		name, err := os.ReadFile(s.Path(fmt.Sprintf("/proc/%d/comm", u.ControlPID)))
		return err == nil && string(name) == "justnews-gate\n"
	})
	time.Sleep(time.Second)
	u := s.Unit(unit("scout"))
	if u.Is("failed") {
		return "refused before"
	}
	if u.ControlPID == 0 {
		s.t.Fatalf("%v: it has no gate", u)
	}
	pid := s.HostPID(u.ControlPID)
	sent, mark := bed.Monotonic(), busy.Now()
	if err := unix.Kill(pid, syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	ended, forced := s.ends(h, free)
	over := ended - sent
	r := s.record(began)
	if forced {
		over = r.began() + time.Duration(r.Elapsed*float64(time.Second)) - sent
	}
	s.t.Logf("%s: ended %v after SIGTERM (forced %v), %s", h.name, over.Round(time.Millisecond), forced, r.codes())
	if mark.Less(over) > termLimit+slack {
		s.t.Errorf("it ended %v after SIGTERM", over)
	}
	return seconds(over, forced)
}

// seconds finds the process's own report of its end.
func seconds(d time.Duration, forced bool) string {
	if forced {
		return fmt.Sprintf("%.2f s ¹", d.Seconds())
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// heldRecord is what a run leaves behind.
type heldRecord struct {
	Monotonic float64 `json:"monotonic_s"`
	Elapsed   float64 `json:"elapsed_s"`
	Verdict   string
	Problems  []struct{ Code, Severity, Subject, Message, Seen string }
}

// record returns the record of the run that began after a moment.
func (s *site) record(after time.Duration) heldRecord {
	s.t.Helper()
	var r heldRecord
	for limit := bed.Monotonic() + 5*time.Second; ; time.Sleep(50 * time.Millisecond) {
		text := s.Run("timeout", "5", "cat", ownCache+"/scout/latest.json").Stdout
		if r = (heldRecord{}); json.Unmarshal([]byte(text), &r) == nil && r.began() >= after-time.Millisecond {
			break
		}
		if bed.Monotonic() > limit {
			s.t.Error("the run left no record")
			return r
		}
	}
	if r.Verdict != "refused" {
		s.t.Errorf("the record says %q", r.Verdict)
	}
	return r
}

func (r heldRecord) began() time.Duration { return time.Duration(r.Monotonic * float64(time.Second)) }

func (r heldRecord) codes() string {
	var all []string
	for _, p := range r.Problems {
		if p.Severity == "error" {
			all = append(all, p.Code)
		}
	}
	return strings.Join(all, " ")
}

func (r heldRecord) seen() string {
	for _, p := range r.Problems {
		if p.Severity == "error" {
			return fmt.Sprintf("(%s: %s: %s)", p.Subject, p.Message, p.Seen)
		}
	}
	return ""
}

// says reports whether an error has a code that begins with one of these.
func (r heldRecord) says(codes []string) bool {
	return slices.ContainsFunc(r.Problems, func(p struct{ Code, Severity, Subject, Message, Seen string }) bool {
		return p.Severity == "error" && (len(codes) == 0 || slices.ContainsFunc(codes, func(c string) bool { return strings.HasPrefix(p.Code, c) }))
	})
}

// The table in docs/security.md is between these lines.
const (
	securityFile  = "../../docs/security.md"
	latenessBegin = "<!-- lateness: go test ./test/booted -run 'TestHold_NothingDelaysAGate$' -update -->\n"
	latenessEnd   = "<!-- end of lateness -->\n"
	latenessHead  = "\n| what | after the deadline: systemd 257 | 252 | after SIGTERM: 257 | 252 |\n|---|---|---|---|---|\n"
)

func writeLateness(t *testing.T, measured map[string]map[string]late) {
	t.Helper()
	text, err := os.ReadFile(securityFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), latenessBegin)
	_, after, ended := strings.Cut(rest, latenessEnd)
	if !found || !ended {
		t.Fatalf("%s has no place for the table", securityFile)
	}
	known := latenessRows(t)
	var b strings.Builder
	b.WriteString(before + latenessBegin + latenessHead)
	for _, h := range holdings {
		young, old, row := measured["trixie"][h.name], measured["bookworm"][h.name], known[h.name]
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", h.name, cmp.Or(young.deadline, row[0]), cmp.Or(old.deadline, row[1]), cmp.Or(young.term, row[2]), cmp.Or(old.term, row[3]))
	}
	b.WriteString("\n" + latenessEnd + after)
	if err := os.WriteFile(securityFile, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// latenessRows reads the table's row of each case.
func latenessRows(t *testing.T) map[string][4]string {
	t.Helper()
	text, err := os.ReadFile(securityFile)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][4]string{}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |\n"), " | "); len(cells) == 5 {
			rows[cells[0]] = [4]string(cells[1:])
		}
	}
	return rows
}

// TestLateness_TableHasEveryCase needs no machine.
func TestLateness_TableHasEveryCase(t *testing.T) {
	rows := latenessRows(t)
	for _, h := range holdings {
		if row, found := rows[h.name]; !found || slices.Contains(row[:], "") {
			t.Errorf("docs/security.md has no figures for %q; run: go test ./test/booted -run 'TestHold_NothingDelaysAGate$' -update", h.name)
		}
	}
}
