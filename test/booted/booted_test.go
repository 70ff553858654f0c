// SPDX-License-Identifier: Apache-2.0

// Package booted runs the whole of JustNews' gating on a booted systemd: our
// generator, units and gate as the packages install them, an orchestrator
// process that really loads a model store, 17 instances. It does not mock any part of
// systemd or test single functions: each test is a situation that an operator
// may encounter, on systemd 257 and 252.
//
// Assertions about order use systemd's own timestamps, never the time at which a test
// looked.
package booted

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"justnews/test/bed"
)

const (
	orchestrator = "gpu_orchestrator"
	preload      = "justnews-preload.service"
	target       = "justnews.target"
	configFile   = "/etc/justnews/justnews.toml"
	modelRoot    = "/opt/justnews/models"
	startedDir   = "/run/justnews-test"

	// controlSocket is where the reference orchestrator takes commands, hidden from the
	// gate.
	controlSocket = startedDir + "/control"
	statusURL     = "http://127.0.0.1:8014/models/status"
)

// ports are the 17 instances, with the ports of upstream's own table.
var ports = map[string]int{
	orchestrator: 8014, "mcp_bus": 8000, "chief_editor": 8001, "scout": 8002, "fact_checker": 8003,
	"analyst": 8004, "synthesizer": 8005, "critic": 8006, "memory": 8007, "reasoning": 8008,
	"newsreader": 8009, "analytics": 8011, "archive": 8012, "dashboard": 8013, "crawler": 8015,
	"crawler_control": 8016, "hitl_service": 8040,
}

// models are what AGENT_MODEL_MAP lists: 7 agents, 9 models.
var models = map[string][]string{
	"analyst":      {"google/bert_uncased_L-2_H-128_A-2"},
	"chief_editor": {"distilbert-base-uncased"},
	"critic":       {"unitary/unbiased-toxic-roberta"},
	"fact_checker": {"roberta-base", "sentence-transformers/all-mpnet-base-v2"},
	"memory":       {"sentence-transformers/all-MiniLM-L6-v2"},
	"scout":        {"martin-ha/toxic-comment-model", "cardiffnlp/twitter-roberta-base-sentiment"},
	"synthesizer":  {"facebook/bart-large-cnn"},
}

// agents are the instances that wait for the models: all but the orchestrator.
func agents() []string {
	names := slices.Sorted(maps.Keys(ports))
	return slices.DeleteFunc(names, func(n string) bool { return n == orchestrator })
}

func unit(instance string) string { return "justnews@" + instance + ".service" }

func units(instances ...string) []string {
	names := make([]string, len(instances))
	for i, name := range instances {
		names[i] = unit(name)
	}
	return names
}

// config is a justnews.toml with all instances except those in leftOut.
func config(timeout string, leftOut ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[gate]\ntimeout = %q\n\n", timeout)
	// The store has no manifests here: they have their own tests.
	fmt.Fprintf(&b, "[models]\nroot = %q\nmap = %q\nverify_preload = \"presence\"\n\n", modelRoot, modelRoot+"/AGENT_MODEL_MAP.json")
	b.WriteString("[service]\nstart_grace = \"20s\"\n\n")
	for _, name := range slices.Sorted(maps.Keys(ports)) {
		if !slices.Contains(leftOut, name) {
			fmt.Fprintf(&b, "[instances.%s]\nport = %d\n", name, ports[name])
		}
	}
	return b.String()
}

// host describes the host to boot: a working JustNews host, and the changes to it.
type host struct {
	config    string // justnews.toml; "": config("60s")
	misbehave string // the reference orchestrator's, from its start on
	cmdline   []string
	packages  []string // Debian's, beyond the bed's own
	change    func(tree *bed.Tree)
}

// quick keeps a scenario from waiting for restarts: what matters is the number of starts,
// not the time between them.
const quick = "[Service]\nRestartSec=100ms\n"

// site is a booted JustNews host.
type site struct {
	*bed.Machine
	t testing.TB
}

func boot(t testing.TB, suite string, h host) *site {
	t.Helper()
	m := bed.Boot(t, bed.Options{Suite: suite, Cmdline: h.cmdline, Packages: h.packages, Prepare: func(tree *bed.Tree) {
		tree.Install()
		tree.InstallReference()
		if h.config == "" {
			h.config = config("60s")
		}
		tree.WriteFile(configFile, h.config)
		tree.WriteFile("/etc/justnews/global.env", "REFERENCE_MISBEHAVE="+h.misbehave+"\n")
		writeStore(tree)
		tree.WriteFile("/etc/systemd/system/justnews@.service.d/95-quick.conf", quick)
		if h.change != nil {
			h.change(tree)
		}
	}})
	return &site{Machine: m, t: t}
}

// writeStore makes a model store in upstream's layout.
func writeStore(tree *bed.Tree) {
	for agent, ids := range models {
		for _, id := range ids {
			writeModel(tree.WriteFile, agent, id)
		}
		tree.Symlink("versions/v1", modelRoot+"/"+agent+"/current")
	}
	text, err := json.Marshal(map[string]any{"agents": models})
	if err != nil {
		panic(err) // a map of strings
	}
	tree.WriteFile(modelRoot+"/AGENT_MODEL_MAP.json", string(text))
}

func snapshot(agent, id string) string {
	return modelRoot + "/" + agent + "/versions/v1/models--" + strings.ReplaceAll(id, "/", "--") + "/snapshots/0123abcd"
}

// writer is the WriteFile of a tree or of a machine.
type writer func(name, content string, mode ...fs.FileMode)

func writeModel(write writer, agent, id string) {
	write(snapshot(agent, id)+"/config.json", `{"model_type":"bert"}`)
	write(snapshot(agent, id)+"/vocab.txt", "[PAD]\n[UNK]\n")
	write(snapshot(agent, id)+"/model.safetensors", bed.OneWeight)
}

// started lists the instances whose main process was ever started since the boot.
func (s *site) started() []string {
	s.t.Helper()
	var names []string
	for _, file := range s.List(startedDir) {
		if name, ok := strings.CutPrefix(file, "started-"); ok {
			names = append(names, name)
		}
	}
	return names
}

// noAgentStarted fails if anything but the orchestrator ever ran: according to systemd,
// which knows of a start before the agent can record it, and to the agents' own records,
// which outlive a unit that systemd has unloaded.
func (s *site) noAgentStarted() {
	s.t.Helper()
	for _, u := range s.Units(units(agents()...)...) {
		if u.ExecMainStart != 0 {
			s.t.Errorf("%v: its main process was started before its gate had passed", u)
		}
	}
	for _, name := range s.started() {
		if name != orchestrator {
			s.t.Errorf("%s was started; nothing but the orchestrator may run before its gate has passed", name)
		}
	}
}

// everythingUp waits until everything runs, and checks that no agent started before since.
func (s *site) everythingUp(since time.Duration) {
	s.t.Helper()
	s.WaitUnits("active", units(orchestrator)...)
	s.WaitUnit(preload, "active/exited")
	var last time.Duration
	for _, u := range s.WaitUnits("active/running", units(agents()...)...) {
		if u.ExecMainStart < since {
			s.t.Errorf("%s started %v too early", u.Name, since-u.ExecMainStart)
		}
		last = max(last, u.ExecMainStart)
	}
	if since > 0 { // else there was no flip to count from
		s.t.Logf("the last of %d agents started %v after the flip", len(agents()), (last - since).Round(time.Millisecond))
	}
}

// control sends the reference orchestrator a command and returns its answer.
func (s *site) control(method, path, body string) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, "http://control"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	client := http.Client{Timeout: bed.Patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", s.Path(controlSocket))
		},
	}}
	response, err := client.Do(request)
	if err != nil {
		s.t.Fatalf("cannot control the orchestrator: %v", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusBadRequest {
		s.t.Fatalf("the orchestrator answers %s %s with %s", method, path, response.Status)
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatalf("cannot read the orchestrator's answer to %s %s: %v", method, path, err)
	}
	return string(answer)
}

// release ends the hold of the last model and returns the time.
func (s *site) release() time.Duration {
	s.t.Helper()
	now := bed.Monotonic()
	s.control(http.MethodPost, "/release", "")
	return now
}

// waitHeld waits until a preload runs and only the held model is missing.
func (s *site) waitHeld() {
	s.t.Helper()
	s.WaitUnit(unit(orchestrator), "active/running")
	s.WaitFor("a preload that waits for its last model", bed.Patience, func() bool {
		state, ok := s.models()
		return ok && state.InProgress && state.Summary.Total > 0 && state.Summary.Done == state.Summary.Total-1
	})
}

type modelsStatus struct {
	AllReady   bool `json:"all_ready"`
	InProgress bool `json:"in_progress"`
	Summary    struct{ Total, Done, Failed int }
}

func (s *site) models() (state modelsStatus, ok bool) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, statusURL, nil)
	if err != nil {
		return state, false
	}
	response, err := s.HTTP().Do(request)
	if err != nil {
		return state, false
	}
	defer func() { _ = response.Body.Close() }()
	return state, json.NewDecoder(response.Body).Decode(&state) == nil
}

// mainPIDs returns the main processes of the instances.
func (s *site) mainPIDs(instances ...string) map[string]int {
	s.t.Helper()
	pids := map[string]int{}
	for i, u := range s.Units(units(instances...)...) {
		pids[instances[i]] = u.MainPID
	}
	return pids
}

// untouched fails if an agent was restarted since pids were taken.
func (s *site) untouched(pids map[string]int) {
	s.t.Helper()
	names := slices.Collect(maps.Keys(pids))
	for i, u := range s.Units(units(names...)...) {
		if pid := pids[names[i]]; u.MainPID != pid || !u.Is("active/running") {
			s.t.Errorf("%v: main process %d, was %d; it had to stay untouched", u, u.MainPID, pid)
		}
	}
}

// hint finds the commands that the gate printed for the operator to paste.
var hint = regexp.MustCompile(`(?m)fix: .*\n((?: {4}.*(?:\n|\z))+)`)

// stamp is what journalctl puts before a message.
var stamp = regexp.MustCompile(`(?m)^\[ *[0-9.]+\] \S+ [^ :]+: `)

// hints returns the commands of every fix in a journal, each list as one text.
func hints(journal string) []string {
	var all []string
	for _, found := range hint.FindAllStringSubmatch(stamp.ReplaceAllString(journal, ""), -1) {
		all = append(all, found[1])
	}
	return all
}

// pasteHint runs the last hint of the unit's journal, as an operator would.
func (s *site) pasteHint(name string) {
	s.t.Helper()
	s.WaitJournal(name, "fix:", "justnews-gate retry")
	found := hints(s.Journal(name))
	if found == nil {
		s.t.Fatalf("no hint in the journal of %s can be pasted:\n%s", name, s.Journal(name))
	}
	command := found[len(found)-1]
	s.t.Logf("pasting: %s", command)
	if r := s.Sh(command); r.Err != nil {
		s.t.Fatalf("the printed hint fails: %s: %v\n%s%s", command, r.Err, r.Stdout, r.Stderr)
	}
}

// waitRefused waits until a start of the unit has failed. systemd retries: by then the unit
// may be waiting for its next start, or in it. The gate's exit status is then taken from
// the journal.
func (s *site) waitRefused(name string) bed.Unit {
	s.t.Helper()
	var u bed.Unit
	s.WaitFor("a failed start of "+name, bed.Patience, func() bool {
		u = s.Unit(name)
		return u.Is("failed") || strings.Contains(u.SubState, "auto-restart") || u.NRestarts > 0 && u.Is("activating", "inactive")
	})
	if u.PreStatus < 0 {
		if all := controlExit.FindAllStringSubmatch(s.Journal(name), -1); all != nil {
			u.PreStatus, _ = strconv.Atoi(all[len(all)-1][1])
		}
	}
	return u
}

var controlExit = regexp.MustCompile(`Control process exited, code=exited, status=([0-9]+)`)

// refused waits until a start of the instance has been refused and checks that
// its main process never ran.
func (s *site) refused(instance string, status int) bed.Unit {
	s.t.Helper()
	u := s.waitRefused(unit(instance))
	if u.PreStatus != status || u.ExecMainStart != 0 {
		s.t.Errorf("%v; want the gate to exit %d and no main process", u, status)
	}
	return u
}

// once keeps systemd from retrying, for tests that measure one start.
const once = "[Service]\nRestart=no\n"

func dropIn(instance, name string) string {
	return "/etc/systemd/system/" + unit(instance) + ".d/" + name
}

// A test that boots a machine but is not parallel holds up all others.
func TestBooted_EveryTestIsParallel(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	function := regexp.MustCompile(`(?s)\nfunc (Test\w+)\(t \*testing\.T\) \{\n(.*?)\n\}\n`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range function.FindAllStringSubmatch(string(text), -1) {
			if boots := regexp.MustCompile(`\bbed\.|\bboot\w*\(`).MatchString(found[2]); boots && !strings.HasPrefix(found[2], "\tt.Parallel()\n") {
				t.Errorf("%s: %s does not begin with t.Parallel()", file, found[1])
			}
		}
	}
}
