// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/fnv"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/modelmap"
	"justnews/internal/plan"
	"justnews/internal/records"
	"justnews/internal/requirement"
	"justnews/internal/unitname"
)

const (
	lockName = "orchestrator"
	// grace is how long a run may take beyond its deadline: a diagnosis, one record and one
	// answer.
	grace = 250 * time.Millisecond
	// maxFailures limits the reported violations of one host.
	maxFailures = 12
)

// host is a whole machine in virtual time. mu guards all of it.
type host struct {
	mu    sync.Mutex
	seed  uint64
	dir   string // of the lock and the record
	boot  time.Time
	wall  time.Duration // how far the wall clock was set forward
	watch bool          // keep the trace

	units   map[string]*unit
	order   []*unit
	changed chan struct{} // closed at each change of a unit

	orchestratorUnit, preloadUnit, busUnit, mpsUnit *unit         // mpsUnit is nil on half of the hosts
	orchestrator                                    *orchestrator // nil: no process
	bus                                             *busServer
	groupsMade                                      uint64
	alives                                          map[uint64]chan struct{}

	holders  map[*process]bool
	unlocked time.Time     // when the lock's file was removed last
	freed    chan struct{} // closed when the lock may have become free

	configs []*variant
	now     int // of configs

	models          int
	modelMap        *modelmap.Map
	damaged, wedged bool          // the Model Store, the MPS daemon
	each            time.Duration // the longest that a model takes
	old             bool
	slow            time.Duration // the orchestrator's start
	broken          int
	short           int
	ignores         bool
	workers         bool
	turn            int

	impostor, busImpostor bool
	dbusDown, dbusHangs   bool
	diskFails             int
	net                   network
	active                map[string]int // faults in force
	happened              map[string]bool
	struck                map[string]int // the same, with how often, where there was something to strike
	missed                bool

	posts       []time.Time // to the orchestrator's current process
	posted      int         // in all
	opens       int         // by gates that require the models
	overlapping int
	results     int
	codes       map[diag.Code]int
	steps       int
	sum         hash.Hash64
	trace       []string
	failures    []string
	up          time.Duration // from the end of the faults
}

// variant is a configuration, and what follows from it.
type variant struct {
	cfg       *config.Config
	host, mps requirement.Run
	instances map[string]requirement.Run
	marks     map[string]facts.Mark
}

func (h *host) config() *variant { return h.configs[h.now] }

func newHost(seed uint64, dir string, watch bool) *host {
	h := &host{
		seed: seed, dir: dir, watch: watch, boot: time.Now().Add(-time.Minute), units: map[string]*unit{}, changed: make(chan struct{}),
		alives: map[uint64]chan struct{}{}, holders: map[*process]bool{}, freed: make(chan struct{}),
		active: map[string]int{}, happened: map[string]bool{}, struck: map[string]int{}, codes: map[diag.Code]int{}, sum: fnv.New64a(),
	}
	a := h.actor("host", nil)
	h.models, h.each, h.old = 1+a.rng.IntN(16), a.between(10*time.Millisecond, 2*time.Second), a.chance(4)
	h.modelMap = mapOf(h.models)
	gpu := a.chance(2)
	h.configs = h.variants(a, gpu)
	var first []*unit
	if gpu {
		h.mpsUnit = h.newUnit(unitname.MPS, "")
		first = append(first, h.mpsUnit)
	}
	h.orchestratorUnit = h.newUnit(unitname.Of("gpu_orchestrator"), "gpu_orchestrator", first...)
	h.preloadUnit = h.newUnit(unitname.Preload, "", h.orchestratorUnit)
	h.busUnit = h.newUnit(unitname.Of("mcp_bus"), "mcp_bus", h.orchestratorUnit, h.preloadUnit)
	for _, name := range agents {
		u := h.newUnit(unitname.Of(name), name, h.orchestratorUnit, h.preloadUnit, h.busUnit)
		if name == "scout" {
			u.after = append(u.after, first...)
		}
	}
	for _, u := range h.order {
		u.mark = h.config().marks[u.instance]
	}
	return h
}

var agents = []string{
	"scout", "chief_editor", "fact_checker", "analyst", "synthesizer", "critic", "memory", "reasoning", "newsreader",
	"analytics", "archive", "dashboard", "crawler", "crawler_control", "hitl_service",
}

// variants are two configurations: the one at boot, and an edited one.
func (h *host) variants(a *actor, gpu bool) []*variant {
	timeout := []string{"60s", "120s", "300s"}[a.rng.IntN(3)]
	gate := fmt.Sprintf("timeout = %q\nrefresh_attempts = %d\nfail_fast = %v\n", timeout, a.rng.IntN(3), a.chance(2))
	return []*variant{load(gate, h.old, gpu, "60s"), load(gate, h.old, gpu, "61s")}
}

var (
	loaded   = map[string]*variant{}
	loadedMu sync.Mutex
)

// load reads a configuration of 17 instances as the gate does, once, since the result is
// always the same.
func load(gate string, acceptEmpty, gpu bool, grace string) *variant {
	mps := ""
	if gpu {
		mps = "mps = { enabled = true }\n"
	}
	text := "[gate]\n" + gate + "[models]\nverify_preload = \"presence\"\n" + fmt.Sprintf("accept_empty = %v\n", acceptEmpty) +
		"[service]\nstart_grace = \"" + grace + "\"\n[instances.gpu_orchestrator]\nport = 8014\n" + mps + "[instances.mcp_bus]\nport = 8000\n"
	for i, name := range agents {
		text += fmt.Sprintf("[instances.%s]\nport = %d\n", name, 8100+i)
		if name == "scout" {
			text += mps
		}
	}
	loadedMu.Lock()
	defer loadedMu.Unlock()
	if v := loaded[text]; v != nil {
		return v
	}
	v := &variant{cfg: parse(text), instances: map[string]requirement.Run{}, marks: map[string]facts.Mark{}}
	none := func(string) (string, bool) { return "", false }
	v.host, _ = requirement.ForHost(v.cfg, none, requirement.Flags{})
	v.host.Orchestrator.Here = true
	v.mps, _ = requirement.ForMPS(v.cfg, none, requirement.Flags{})
	for _, i := range v.cfg.Instances {
		w, _ := requirement.ForInstance(v.cfg, i.Name, none, requirement.Flags{})
		w.Orchestrator.Here = true
		v.instances[i.Name] = w
		v.marks[i.Name], _ = plan.Mark(v.cfg, i.Name)
	}
	loaded[text] = v
	return v
}

// mapOf is a model map with that many models, the first of them scout's.
func mapOf(models int) *modelmap.Map {
	names := make([]string, models)
	for i := range names {
		names[i] = fmt.Sprintf("%q", fmt.Sprintf("model-%d", i))
	}
	m, problems := modelmap.Parse([]byte(`{"scout":[` + strings.Join(names, ",") + `]}`))
	if m == nil {
		panic(fmt.Sprint(problems))
	}
	return m
}

func parse(text string) *config.Config {
	dir, err := os.MkdirTemp("", "justnews-simulate")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover in /tmp changes nothing
	file := filepath.Join(dir, "justnews.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		panic(err)
	}
	cfg, problems := config.Load(config.Source{File: file, Owner: os.Getuid()})
	if cfg == nil || len(diag.Errors(problems)) > 0 {
		panic(fmt.Sprint(problems))
	}
	return cfg
}

func (h *host) record() records.State[gate.History] {
	return records.State[gate.History]{Dir: h.dir, Name: lockName, Boot: "boot"}
}

// event counts a step. h.mu is held.
func (h *host) event(a *actor, what string) {
	h.steps++
	at := time.Since(h.boot)
	_, _ = h.sum.Write(binary.LittleEndian.AppendUint64(nil, uint64(at)))
	_, _ = h.sum.Write([]byte(a.name))
	_, _ = h.sum.Write([]byte(what))
	if h.watch {
		h.trace = append(h.trace, fmt.Sprintf("%12.6f %s: %s", (at-time.Minute).Seconds(), a.name, what))
	}
}

// fail notes a violation. h.mu is held.
func (h *host) fail(format string, args ...any) {
	if len(h.failures) == maxFailures {
		return
	}
	text := fmt.Sprintf(format, args...)
	h.failures = append(h.failures, fmt.Sprintf("at %.6f s: %s", (time.Since(h.boot)-time.Minute).Seconds(), text))
	if h.watch {
		h.trace = append(h.trace, "*** "+text)
	}
}

// exited notes the end of a gate's process.
func (h *host) exited(p *process, panicked any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if panicked != nil {
		h.fail("%s: panic: %v\n%s", p.name, panicked, debug.Stack())
	}
	p.cancel(nil)
	p.lock.Unlock()
	delete(h.holders, p)
	h.lockChanged()
}

// lockFree reports whether the existing lock file is unlocked. h.mu is held.
func (h *host) lockFree() bool {
	for p := range h.holders {
		if !p.killed && p.lock.StillMine() {
			return false
		}
	}
	return true
}

func (h *host) lockChanged() {
	close(h.freed)
	h.freed = make(chan struct{})
}

// alive returns the channel that is closed at the end of the process of a control
// group. h.mu is held.
func (h *host) alive(group uint64) chan struct{} {
	if h.alives[group] == nil {
		h.alives[group] = make(chan struct{})
	}
	return h.alives[group]
}

func (h *host) lives(e *end) <-chan struct{} { return h.alive(e.group) }

// outcome is the result of one simulated host.
type outcome struct {
	steps, results, posts int
	sum                   uint64
	up                    time.Duration
	failures, trace       []string
	codes                 map[diag.Code]int
	struck                map[string]int
}

// simulate boots a host, runs the faults of its seed, and waits until the host is up.
func simulate(t *testing.T, seed uint64, keep string, watch bool) outcome {
	t.Helper()
	h := newHost(seed, privateDir(t), watch)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for _, u := range h.order {
		all.Go(func() { u.live(ctx) })
	}
	lasting := h.strike(ctx, keep)
	h.operate(keep)
	h.settle(ctx, lasting)
	h.shutDown(cancel, &all)
	return outcome{
		h.steps, h.results, h.posted, h.sum.Sum64(), h.up, h.failures, h.trace, h.codes, h.struck,
	}
}

// privateDir is a directory in which a lock is trusted.
func privateDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// operate does what an operator has to do with refresh_attempts = 0: nothing else restarts a
// failed job.
func (h *host) operate(keep string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if keep != "" && h.config().host.Gate.RefreshAttempts == 0 {
		h.happened[restarted] = true
		h.crash(h.orchestratorUnit)
	}
}

// settle waits until every unit is up. If a fault lasts, it only waits for a while.
func (h *host) settle(ctx context.Context, lasting bool) {
	a := h.actor("settle", nil)
	from := time.Now()
	bound := recovery
	if lasting {
		bound = 3 * time.Minute
	}
	for time.Since(from) < bound {
		if h.isUp() && !lasting {
			h.up = time.Since(from)
			return
		}
		a.wait(ctx, 100*time.Millisecond)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !lasting {
		h.up = time.Since(from)
		h.fail("%v after the last fault was over the host is not up: %s", h.up, h.states())
	}
}

func (h *host) isUp() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !slices.ContainsFunc(h.order, func(u *unit) bool { return u.active != "active" })
}

func (h *host) states() string {
	var all []string
	for _, u := range h.order {
		if u.active != "active" {
			all = append(all, fmt.Sprintf("%s %s/%s", u.name, u.active, u.sub))
		}
	}
	return strings.Join(all, ", ")
}

// shutDown kills all processes and waits for every goroutine.
func (h *host) shutDown(cancel context.CancelFunc, all *sync.WaitGroup) {
	h.mu.Lock()
	for _, u := range h.order {
		if u.gate != nil {
			u.gate.kill()
		}
	}
	h.mu.Unlock()
	cancel()
	all.Wait()
}
