// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"justnews/internal/diag"
	"justnews/test/reference"
)

// row is one way to misbehave, and the gate's verdict.
type row struct {
	spec    string // in the reference server's syntax; its name is the behaviour's
	bus     bool   // the MCP bus misbehaves; the orchestrator behaves
	timeout time.Duration
	status  diag.Status
	code    diag.Code
	other   diag.Code // also accepted; "": none
	posts   int
	fewer   bool          // one POST less where a look meets an error before the job's end
	within  time.Duration // 0: until the timeout
	why     string        // details that the reference's description lacks; why the gate opens
}

// The time that a run may take: until its timeout, or well before it if waiting does not
// help.
const (
	short = 3 * time.Second
	grace = 9 * time.Second // longer than the time in which a POST has to show a job
	early = 2500 * time.Millisecond
)

func (r row) name() string {
	if r.bus {
		return r.spec + " (bus)"
	}
	return r.spec
}

// behaviour is the part of the spec that names it.
func (r row) behaviour() string {
	name, _, _ := strings.Cut(r.spec, "=")
	name, _, _ = strings.Cut(name, "@")
	return name
}

// orFewer is a row whose job reports an error before it ends: a look at that moment
// refuses, and one after the end refreshes first.
func (r row) orFewer() row {
	r.fewer = true
	return r
}

// or is a row whose server may answer the trigger before its job has begun: then it cannot
// be known whether a later answer belongs to the same job.
func (r row) or(code diag.Code) row {
	r.other = code
	return r
}

// bound is the longest that the run may take.
func (r row) bound() time.Duration {
	if r.within > 0 {
		return r.within
	}
	return r.timeout + lateness
}

// opens is a row whose gate opens, and why that is right.
func opens(spec string, why string) row {
	return row{spec: spec, status: diag.StatusReady, posts: 1, timeout: short, why: why}
}

// senseless is an answer that ends the wait after three of them.
func senseless(spec string) row {
	return row{spec: spec, status: diag.StatusNonsense, code: diag.OrchestratorNonsense, timeout: short, within: early}
}

// silent is a server for which the gate waits until the timeout.
func silent(spec string) row {
	return row{spec: spec, status: diag.StatusUnavailable, code: diag.OrchestratorUnreachable, timeout: short}
}

// contradictory is a state that is refreshed once and then refused.
func contradictory(spec string) row {
	return row{spec: spec, status: diag.StatusNonsense, code: diag.ModelsInconsistent, posts: 1, timeout: short, within: early}
}

// broken is a job that is refreshed once and fails again.
func broken(spec string, code diag.Code, posts int) row {
	return row{spec: spec, status: diag.StatusFailed, code: code, posts: posts, timeout: short, within: early}
}

// ends is a separate kind of row.
func ends(spec string, status diag.Status, code diag.Code, posts int) row {
	return row{spec: spec, status: status, code: code, posts: posts, timeout: short}
}

func (r row) because(why string) row            { r.why = why; return r }
func (r row) lasting(timeout time.Duration) row { r.timeout = timeout; return r }
func (r row) until(within time.Duration) row    { r.within = within; return r }
func (r row) posted(n int) row                  { r.posts = n; return r }

// ofBus is the same misbehaviour by the bus.
func ofBus(r row) row {
	r.bus, r.posts = true, 1
	switch r.code {
	case diag.OrchestratorNonsense:
		r.code = diag.BusNonsense
	case diag.OrchestratorUnreachable:
		r.code = diag.BusUnreachable
	}
	return r
}

func TestTable_EveryBehaviourHasARow(t *testing.T) {
	var named []string
	for _, r := range rows() {
		named = append(named, r.behaviour())
		if r.status == diag.StatusReady && r.why == "" {
			t.Errorf("%s: the gate opens, but the row does not say why", r.name())
		}
		if r.status != diag.StatusReady && r.code == "" {
			t.Errorf("%s: refused without a code", r.name())
		}
	}
	for _, b := range reference.Behaviours() {
		if !slices.Contains(named, b.Name) {
			t.Errorf("%s: no row", b.Name)
		}
	}
}

// The real program over real sockets against every way to misbehave.
func TestTable_NoServerFoolsTheProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("most rows wait for a timeout of seconds")
	}
	for _, r := range rows() {
		t.Run(r.name(), func(t *testing.T) {
			t.Parallel()
			again(t, func() []string { return r.broken(t) })
		})
	}
}

// broken runs the row once, and returns what is not as it says.
func (r row) broken(t *testing.T) (broken []string) {
	say := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	c := call{timeout: r.timeout}
	var orchestrator, spoilt *reference.Server
	if r.bus {
		orchestrator = serve(t, nil)
		spoilt = serve(t, func(o *reference.Options) { o.Role = reference.Bus }, r.spec)
		c.bus = spoilt.URL()
	} else {
		orchestrator = serve(t, nil, r.spec)
		spoilt = orchestrator
	}
	c.orchestrator = orchestrator.URL()
	e := c.run(t)
	seen := orchestrator.Counters()
	if e.status == int(diag.StatusReady) && r.status != diag.StatusReady {
		t.Errorf("opened\n%s", e.stderr)
	}
	if e.status != int(r.status) || r.code != "" && !e.has(r.code) && (r.other == "" || !e.has(r.other)) {
		say("status %d, want %d with %s\n%s", e.status, r.status, r.code, e.stderr)
	}
	posts := r.posts
	if r.fewer && seen.Preloads < posts {
		posts--
	}
	if seen.Preloads != posts || e.summary.Models.Triggers != posts {
		say("%d POSTs, of which the record tells %d; want %d", seen.Preloads, e.summary.Models.Triggers, posts)
	}
	if e.own > r.bound() {
		say("took %v (%v of its own), want at most %v", e.took, e.own, r.bound())
	}
	return append(append(broken, e.bounded(r.timeout, spoilt.Counters())...), e.explained()...)
}
