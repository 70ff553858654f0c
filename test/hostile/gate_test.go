// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"justnews/internal/diag"
	"justnews/test/busy"
	"justnews/test/reference"
)

// executions counts the runs of the real program.
var executions atomic.Int64

// call is one run of justnews-gate.
type call struct {
	orchestrator string // its URL
	bus          string // empty: the good one
	timeout      time.Duration
	env          []string
	args         []string // empty: --json gate scout
	text         string   // of the configuration, empty: that of the reference servers
	dir          string   // for its locks and records; empty: a separate one
}

// ending is the result of a run.
type ending struct {
	status         int
	stdout, stderr []byte
	took           time.Duration
	own            time.Duration // took, minus what the load of the machine may have added
	memory         int           // KiB: the peak resident memory, as far as it was sampled
	summary        summary
}

// summary is the part of the program's record that a test reads.
type summary struct {
	Verdict  string
	Status   int
	Models   struct{ Looks, Triggers int }
	Problems []struct {
		Code     string
		Severity string
		Message  string
		Fix      diag.Fix
	}
}

// patience is how long after its timeout a run is killed: a run that hangs
// must not hang the test.
const patience = 20 * time.Second

const configuration = `[gate]
timeout = "%ds"

[orchestrator]
url = %q
instance = ""

[bus]
url = %q
instance = ""

[models]
root = %q
map = %q

[instances.gpu_orchestrator]
port = 18014

[instances.mcp_bus]
port = 18000

[instances.scout]
port = 18002
`

// run executes the program and waits for its end.
func (c call) run(t testing.TB) ending {
	t.Helper()
	if c.dir == "" {
		c.dir = t.TempDir()
	}
	if c.bus == "" {
		c.bus = goodBus.URL()
	}
	if c.args == nil {
		c.args = []string{"--json", "gate", "scout"}
	}
	config := filepath.Join(c.dir, "justnews.toml")
	text := c.text
	if text == "" {
		text = fmt.Sprintf(configuration, int(c.timeout.Seconds()), c.orchestrator, c.bus, models.Root, models.Map)
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), c.timeout+patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{"--config", config}, c.args...)...)
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "HOME=" + c.dir, "XDG_CACHE_HOME=" + c.dir, "XDG_RUNTIME_DIR=" + private(t, c.dir)}, c.env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began, mark := time.Now(), busy.Now()
	executions.Add(1)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	memory := watch(cmd.Process.Pid, ended)
	err := cmd.Wait()
	e := ending{took: time.Since(began), stdout: stdout.Bytes(), stderr: stderr.Bytes(), status: cmd.ProcessState.ExitCode()}
	e.own = mark.Less(e.took)
	close(ended)
	e.memory = <-memory
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if slices.Contains(c.args, "--json") && len(e.stdout) > 0 {
		if err := json.Unmarshal(e.stdout, &e.summary); err != nil {
			t.Errorf("the record is not JSON: %v\n%s", err, e.stdout)
		}
	}
	return e
}

// private creates the directory for $XDG_RUNTIME_DIR.
func private(t testing.TB, dir string) string {
	run := filepath.Join(dir, "run")
	if err := os.MkdirAll(run, 0o700); err != nil {
		t.Fatal(err)
	}
	return run
}

var peak = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// watch returns the peak of a process's resident memory in KiB. The kernel's own figure after
// its end (ru_maxrss) includes the memory that this test had when it forked.
func watch(pid int, ended <-chan struct{}) <-chan int {
	most := make(chan int, 1)
	go func() {
		seen := 0
		for {
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if m := peak.FindSubmatch(status); m != nil {
				n, _ := strconv.Atoi(string(m[1])) // digits, by the expression
				seen = max(seen, n)
			}
			select {
			case <-ended:
				most <- seen
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return most
}

// most is the maximum cost of a run, whatever the server does.
const (
	memoryKiB = 64 << 10
	lateness  = time.Second // beyond the timeout
	burst     = 20          // requests, however short the run
	perSecond = 25          // requests
)

// bounded returns the limits that a run exceeded.
func (e ending) bounded(timeout time.Duration, seen reference.Counters) []string {
	var broken []string
	say := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	if e.own > timeout+lateness {
		say("it ended after %v (%v of its own), the timeout was %v", e.took, e.own, timeout)
	}
	if e.memory > memoryKiB {
		say("%d KiB resident", e.memory)
	}
	if limit := burst + int(e.took.Seconds()*perSecond); seen.Requests > limit {
		say("%d requests in %v", seen.Requests, e.took)
	}
	for name, out := range map[string][]byte{"stdout": e.stdout, "stderr": e.stderr} {
		if at := raw(out); at >= 0 {
			say("%s holds something raw: %q", name, out[at:min(at+20, len(out))])
		}
	}
	if line := foreign(e.stderr); line != "" {
		say("stderr has a line that is not the gate's: %.200q", line)
	}
	return broken
}

// foreign returns the first line of messages that the program did not write as one, "" for
// none: libraries log what servers send.
func foreign(stderr []byte) string {
	for line := range strings.Lines(string(stderr)) {
		if !strings.HasPrefix(line, "justnews-gate: ") && !strings.HasPrefix(line, "  ") {
			return line
		}
	}
	return ""
}

// again reports the failures of a try. If processes of a busy machine waited for each other
// for long, the program's own limits differ, so a failed try is repeated, at most nine times. A
// gate that opens wrongly is not such a failure: the try reports it itself.
func again(t *testing.T, try func() (broken []string)) {
	t.Helper()
	for n := 1; ; n++ {
		mark := busy.Now()
		broken := try()
		waited := mark.Waited()
		if len(broken) == 0 {
			return
		}
		if n == 10 || waited < lateness/2 {
			t.Error(strings.Join(broken, "\n"))
			return
		}
		t.Logf("again, since the machine was busy for %v: %s", waited.Round(time.Millisecond), strings.Join(broken, "\n"))
	}
}

// raw returns the position of the first byte that could control a terminal or split a line,
// or -1. A newline ends a line of ours.
func raw(out []byte) int {
	for i := 0; i < len(out); {
		r, size := utf8.DecodeRune(out[i:])
		if r == utf8.RuneError && size == 1 || r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) || r == '\u2028' || r == '\u2029' {
			return i
		}
		i += size
	}
	return -1
}

// explained returns what a run's record and messages lack.
func (e ending) explained() []string {
	var broken []string
	if e.summary.Status != e.status {
		broken = append(broken, fmt.Sprintf("the record says status %d", e.summary.Status))
	}
	if (e.summary.Verdict == "ready") != (e.status == int(diag.StatusReady)) {
		broken = append(broken, fmt.Sprintf("the record says %q", e.summary.Verdict))
	}
	errs := 0
	for _, p := range e.summary.Problems {
		if p.Severity != "error" {
			continue
		}
		errs++
		if p.Fix.Empty() {
			broken = append(broken, "no fix for "+p.Code)
		}
		if !bytes.Contains(e.stderr, []byte(p.Code)) {
			broken = append(broken, p.Code+" is in the record and not in what a person reads")
		}
	}
	if (errs > 0) == (e.status == int(diag.StatusReady)) {
		broken = append(broken, fmt.Sprintf("%d errors with status %d", errs, e.status))
	}
	return broken
}

// has reports whether the record lists an error with that code.
func (e ending) has(code diag.Code) bool {
	for _, p := range e.summary.Problems {
		if p.Code == string(code) {
			return true
		}
	}
	return false
}

// serve starts a reference orchestrator that misbehaves as given.
func serve(t *testing.T, change func(*reference.Options), misbehave ...string) *reference.Server {
	t.Helper()
	o := reference.Options{Root: models.Root, Strict: true, Misbehave: misbehave}
	if change != nil {
		change(&o)
	}
	server, err := reference.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}
