// SPDX-License-Identifier: Apache-2.0

// Package simulate boots whole hosts in virtual time: systemd, the orchestrator, the bus, disk
// and messages are simulated, with random faults; the gates, the lock and the records are
// real. A seed determines every event of one host, so a host that violates a rule can be run
// again.
package simulate

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/hostlock"
	"justnews/internal/unitname"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "the first host")
	runsFlag  = flag.Int("runs", 0, "number of hosts; with 1 its trace is printed; 0: as many as -steps needs")
	stepsFlag = flag.Int("steps", 200_000, "minimum number of steps, if -runs is 0")
	keepFlag  = flag.String("faults", letters, "the faults of each host that are to happen")
)

// boot runs one host in its own bubble.
func boot(t *testing.T, seed uint64, keep string, watch bool) (o outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { o = simulate(t, seed, keep, watch) })
	return o
}

func TestHostKeepsRules(t *testing.T) {
	all := outcome{codes: map[diag.Code]int{}, struck: map[string]int{}}
	seed, began := *seedFlag, time.Now()
	n := 0
	for ; *runsFlag > 0 && n < *runsFlag || *runsFlag == 0 && all.steps < *stepsFlag; n++ {
		o := boot(t, seed, *keepFlag, *runsFlag == 1)
		if *runsFlag == 1 {
			t.Log("\n" + strings.Join(o.trace, "\n"))
		}
		if len(o.failures) > 0 {
			t.Fatalf("seed %d: %s\nto see all of it: make simulate SEED=%d RUNS=1 FAULTS=%s",
				seed, strings.Join(o.failures, "\n"), seed, reduced(t, seed, *keepFlag))
		}
		all.add(o)
		seed++
	}
	t.Logf("%d hosts, %d steps (%.0f a second), %d runs of gates, %d requests to load, slowest recovery %v; refused with: %s",
		n, all.steps, float64(all.steps)/time.Since(began).Seconds(), all.results, all.posts, all.up.Round(time.Second), codesOf(all.codes))
	for _, f := range everyFault {
		if *runsFlag == 0 && all.struck[f.name] == 0 {
			t.Errorf("never happened: %s", f.name)
		}
		t.Logf("%5d times: %s", all.struck[f.name], f.name)
	}
}

// reduced omits every fault that the host does not need in order to fail.
func reduced(t *testing.T, seed uint64, keep string) string {
	t.Helper()
	for _, letter := range keep {
		if less := strings.ReplaceAll(keep, string(letter), ""); len(boot(t, seed, less, false).failures) > 0 {
			keep = less
		}
	}
	return keep
}

// add sums up.
func (o *outcome) add(other outcome) {
	o.steps, o.results, o.posts = o.steps+other.steps, o.results+other.results, o.posts+other.posts
	for code, times := range other.codes {
		o.codes[code] += times
	}
	for name, times := range other.struck {
		o.struck[name] += times
	}
	o.up = max(o.up, other.up)
}

func codesOf(codes map[diag.Code]int) string {
	var text []string
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		text = append(text, fmt.Sprintf("%s %d", code, codes[code]))
	}
	return strings.Join(text, ", ")
}

func TestHostWithoutFaults(t *testing.T) {
	for seed := range uint64(20) {
		o := boot(t, seed, "", false)
		if len(o.failures) > 0 || o.posts != 1 || o.up > time.Minute {
			t.Errorf("seed %d: up after %v with %d requests to load: %v", seed, o.up, o.posts, o.failures)
		}
	}
}

func TestSeed_DeterminesHost(t *testing.T) {
	for seed := range uint64(20) {
		one, two := boot(t, seed, letters, true), boot(t, seed, letters, true)
		if one.sum != two.sum {
			t.Fatalf("seed %d: %d and %d steps, %s", seed, one.steps, two.steps, difference(one.trace, two.trace))
		}
	}
}

func difference(one, two []string) string {
	for i := range min(len(one), len(two)) {
		if one[i] != two[i] {
			return fmt.Sprintf("first different at step %d:\n%s\n%s", i, one[i], two[i])
		}
	}
	return "one is the beginning of the other"
}

// A host whose gates open unverified violates a rule: this tests the rules themselves.
func TestRules_FindViolations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(1, privateDir(t), false) // one with MPS
		u := h.units[unitname.Of("scout")]
		p := processOf(t, h, u)
		w := p.requires()
		h.judge(p, gate.Result{Status: diag.StatusReady}, w.Timeout.Value+time.Second, w)
		h.judge(p, gate.Result{Status: diag.StatusInternal}, 0, w)
		h.opens, h.posts = 0, slices.Repeat([]time.Time{time.Now()}, 9)
		h.bounded()
		h.happened["the disk is full"] = true
		h.judge(p, gate.Refusal("scout", u.name, time.Now(), []diag.Problem{{Code: diag.StoreCorrupt}}), 0, w)
		h.entitled(p)
		for i, want := range []string{
			"ended after", "had shown its models as loaded 0 times", "not the bus's own", "not the configured one", "the MPS daemon", "a store that is not complete",
			"no problem says why", "host without a fault", "9 requests to load", "STORE-CORRUPT: ; : nothing that happened explains that", "the lock is not its own",
		} {
			if len(h.failures) <= i || !strings.Contains(h.failures[i], want) {
				t.Errorf("violation %d is not %q: %q", i, want, h.failures)
			}
		}
	})
}

func TestRules_FindBrokenRecordsCrashesAndHostsThatStayDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(1, privateDir(t), false)
		p := processOf(t, h, h.busUnit)
		if err := os.WriteFile(filepath.Join(h.dir, lockName+".json"), []byte(`{"version": 1, "rec`), 0o600); err != nil {
			t.Fatal(err)
		}
		h.diskFails = full
		_ = disk{p, h.record()}.Save(gate.History{})
		h.exited(p, "a crash")
		h.settle(t.Context(), false)
		for i, want := range []string{"the record cannot be read", "panic: a crash", "the host is not up: "} {
			if len(h.failures) <= i || !strings.Contains(h.failures[i], want) {
				t.Errorf("violation %d is not %q: %q", i, want, h.failures)
			}
		}
	})
}

// processOf is a gate of a unit that was not started.
func processOf(t *testing.T, h *host, u *unit) *process {
	t.Helper()
	lock, err := hostlock.OpenIn(h.dir, lockName)
	if err != nil {
		t.Fatal(err)
	}
	return &process{actor: h.actor("x", nil), unit: u, lock: lock, cancel: func(error) {}}
}
