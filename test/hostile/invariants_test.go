// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
)

// The invariants of every run against every server, whatever it answers.
const (
	// looksBeforeOpening must all satisfy every condition and agree.
	looksBeforeOpening = 3
	// slack is how long a run may take beyond its deadline: nothing blocks longer in
	// virtual time.
	slack = 10 * time.Millisecond
	// soonPosts is how many POSTs of one incarnation may follow the one before
	// them within the first back-off: the repeat after the grace, and the one
	// refresh.
	soonPosts    = 2
	firstBackoff = 30 * time.Second
	// A leader queries at most every 20 ms right after a POST's answer, otherwise every
	// 80 ms, and looks three times if an answer says ready.
	requestsPerSecond = 40
)

// invariants returns the violations of one run of gates against h's server, of which r was
// one.
func invariants(r gate.Result, h *host, timeout, took time.Duration, gates int) []string {
	var broken []string
	say := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	if took > timeout+slack {
		say("it ended after %v, the deadline was %v", took, timeout)
	}
	if !r.Passed() {
		for _, why := range unexplained(r) {
			say("%s", why)
		}
	}
	if gates == 1 && r.Passed() {
		for _, why := range unproven(h.server.looks) {
			say("%s", why)
		}
	}
	for _, why := range stormy(h.server.posts, h.systemd) {
		say("%s", why)
	}
	if most := gates*20 + int(took.Seconds()*requestsPerSecond); h.server.requests > most {
		say("%d requests in %v", h.server.requests, took)
	}
	return broken
}

// unexplained returns what a refusal lacks.
func unexplained(r gate.Result) []string {
	errs := diag.Errors(r.Problems)
	if len(errs) == 0 {
		return []string{"refused without an error"}
	}
	var broken []string
	for _, p := range errs {
		switch {
		case p.Fix.String() == "":
			broken = append(broken, fmt.Sprintf("no fix for %s", p.Code))
		case p.Code == diag.Internal:
			broken = append(broken, fmt.Sprintf("an internal error: %v", p))
		}
	}
	if r.Status != errs[0].Status() {
		broken = append(broken, fmt.Sprintf("status %d, but the first error is %s", r.Status, errs[0].Code))
	}
	return broken
}

// unproven returns why the last looks do not justify an open gate.
func unproven(looks []facts.ModelsLook) []string {
	// A lost answer between them is repeated; answers before the first do not matter.
	looks = slices.DeleteFunc(slices.Clone(looks), func(l facts.ModelsLook) bool { return check.Reach(l.Answer) == check.Unreachable })
	if len(looks) < looksBeforeOpening {
		return []string{fmt.Sprintf("opened after %d looks", len(looks))}
	}
	var broken []string
	last := looks[len(looks)-looksBeforeOpening:]
	for _, l := range last {
		if !ready(l) {
			broken = append(broken, fmt.Sprintf("opened on %+v", l))
		}
		if !agree(l.State, last[0].State) {
			broken = append(broken, fmt.Sprintf("opened on %+v after %+v", l.State, last[0].State))
		}
	}
	return broken
}

// stormy returns the POSTs that should not have been sent. Without systemd a restart looks
// like a second worker process, so all POSTs count as one process's.
func stormy(posts []post, systemd bool) []string {
	var broken []string
	soon := 0
	for i, p := range posts {
		if p.before.Kind == facts.Answered && p.before.State.InProgress {
			broken = append(broken, "a POST although the last look saw a job in progress")
		}
		if p.before.Kind != facts.Answered {
			broken = append(broken, fmt.Sprintf("a POST although the last look was no answer: %+v", p.before.Answer))
		}
		switch {
		case i == 0 || systemd && p.incarnation != posts[i-1].incarnation:
			soon = 0
		case p.at.Sub(posts[i-1].at) < firstBackoff:
			if soon++; soon > soonPosts {
				broken = append(broken, fmt.Sprintf("POST %d of one incarnation only %v after the one before", soon+1, p.at.Sub(posts[i-1].at)))
			}
		}
	}
	return broken
}

// Each invariant can be violated.
func TestInvariants_FindViolations(t *testing.T) {
	state := func(done int, running bool) facts.ModelsLook {
		return facts.ModelsLook{Answer: facts.Answer{Kind: facts.Answered}, State: facts.ModelsState{Total: 2, Done: done, AllReady: done == 2, InProgress: running}}
	}
	lost := facts.ModelsLook{Answer: facts.Answer{Kind: facts.Refused}}
	now := time.Now()
	posts := func(before facts.ModelsLook, n int) []post {
		return slices.Repeat([]post{{at: now, before: before}}, n)
	}
	open := gate.Result{Status: diag.StatusReady}
	refused := func(status diag.Status, problems ...diag.Problem) gate.Result {
		return gate.Result{Status: status, Problems: problems}
	}
	fix := diag.Do(diag.Retry())
	for want, c := range map[string]struct {
		result   gate.Result
		server   *orchestrator
		took     time.Duration
		requests int
	}{
		"it ended after":            {result: open, server: &orchestrator{looks: slices.Repeat([]facts.ModelsLook{state(2, false)}, 9)}, took: time.Hour},
		"refused without an error":  {result: refused(diag.StatusInternal)},
		"no fix for":                {result: refused(diag.StatusStoreCorrupt, diag.Problem{Code: diag.StoreCorrupt})},
		"an internal error":         {result: refused(diag.StatusInternal, diag.Problem{Code: diag.Internal, Fix: fix})},
		"but the first error is":    {result: refused(diag.StatusInternal, diag.Problem{Code: diag.StoreCorrupt, Fix: fix})},
		"opened after 2 looks":      {result: open, server: &orchestrator{looks: []facts.ModelsLook{state(2, false), lost, state(2, false)}}},
		"opened on {Answer":         {result: open, server: &orchestrator{looks: slices.Repeat([]facts.ModelsLook{state(1, true)}, 9)}},
		"opened on {AllReady":       {result: open, server: &orchestrator{looks: []facts.ModelsLook{state(2, false), state(2, false), state(1, false)}}},
		"saw a job in progress":     {result: open, server: &orchestrator{posts: posts(state(1, true), 1)}},
		"the last look was no":      {result: open, server: &orchestrator{posts: posts(lost, 1)}},
		"POST 4 of one incarnation": {result: open, server: &orchestrator{posts: posts(state(0, false), 4)}},
		"1000000 requests in":       {result: open, server: &orchestrator{requests: 1_000_000}},
	} {
		if c.server == nil {
			c.server = &orchestrator{}
		}
		broken := invariants(c.result, &host{server: c.server}, time.Minute, c.took, 1)
		if !slices.ContainsFunc(broken, func(text string) bool { return strings.Contains(text, want) }) {
			t.Errorf("%q is not in %q", want, broken)
		}
	}
}
