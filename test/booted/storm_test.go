// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"justnews/test/bed"
)

// 17 gates run at once, in waves, lose their leader and their lock: the orchestrator is
// triggered once, and queried about as often as by one client.
func TestStorm_SeventeenGatesCostOnePreload(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		s := bootCrowd(t, suite, host{misbehave: "hold"})
		s.waitCrowd()
		s.waitHeld()
		s.onePreload("17 gates at once")
		s.tellProgress()
		s.requestRate(2 * time.Second)

		first := crowd()[:8]
		s.Systemctl(append([]string{"restart", "--no-block"}, units(first...)...)...)
		s.waitCrowd()
		s.onePreload("a second wave of 8")

		pid, file := s.waitLeader(0)
		for range 5 {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil {
				t.Fatalf("cannot kill the leader: %v", err)
			}
			pid, file = s.waitLeader(pid)
		}
		s.waitCrowd()
		s.onePreload("five leaders killed")

		for range 2 {
			s.Remove(file)
			s.waitLeader(0) // of the new file; it may be the one that led before
		}
		s.onePreload("the lock's file removed twice")

		s.neverStarted("before the models were ready")
		flip := s.release()
		s.crowdUp(flip)
		s.onePreload("in the end")
		s.progressCleared()
		s.summaries()
	})
}

// tellProgress fails unless each waiting gate reports what it waits for.
func (s *site) tellProgress() {
	s.t.Helper()
	for _, name := range crowd() {
		s.WaitFor("the progress in the status of "+name, bed.Patience, func() bool {
			text := s.Unit(unit(name)).StatusText
			return strings.HasPrefix(text, "waiting: models: ") && strings.Contains(text, "8 of 9")
		})
	}
}

// progressCleared fails if a gate that passed left its status behind.
func (s *site) progressCleared() {
	s.t.Helper()
	for _, u := range s.Units(units(crowd()...)...) {
		if u.StatusText != "" {
			s.t.Errorf("%v; a gate that passed clears its status", u)
		}
	}
}

// summaries fails unless each gate that passed left a summary of that.
func (s *site) summaries() {
	s.t.Helper()
	for _, name := range crowd() {
		dir := "/var/cache/justnews/" + name + "/preflight"
		kept := 0
		for _, file := range s.List(dir) {
			if strings.HasPrefix(file, "summary_") && strings.HasSuffix(file, ".json") {
				kept++
			}
		}
		var latest struct{ Instance, Verdict string }
		if err := json.Unmarshal([]byte(s.ReadFile(dir+"/"+name+"/latest.json")), &latest); err != nil || kept == 0 ||
			latest.Instance != name || latest.Verdict != "ready" {
			s.t.Errorf("%s: %d summaries, latest says %+v, %v", dir, kept, latest, err)
		}
	}
}

// requestRate logs how often the gates query together, and fails if that is more often
// than one leader looks (every 80 ms).
func (s *site) requestRate(window time.Duration) {
	s.t.Helper()
	began, before := bed.Monotonic(), s.counters()
	s.WaitFor("the end of the window", window+time.Second, func() bool { return bed.Monotonic()-began >= window })
	after := s.counters()
	took := bed.Monotonic() - began
	rate := float64(after.Requests-before.Requests) / took.Seconds()
	s.t.Logf("17 gates waiting: %.1f requests a second, at most %d at one time", rate, after.MaxConcurrent)
	if rate < 1 || rate > 15 {
		s.t.Errorf("17 gates ask %.1f times a second; one leader asks at most 12.5 times", rate)
	}
}

// The gates' lock is gone or cannot be written: that may cost time, but never causes a
// second preload or an open gate.
func TestStorm_WithoutLockDirectoryThereIsOnePreload(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		s := bootCrowd(t, suite, host{misbehave: "hold"})
		s.waitCrowd()
		for _, way := range []struct{ name, spoil, fix string }{
			{
				"absent", `systemctl mask --runtime --now 'run-justnews\x2dgate.mount' && rm -rf /run/justnews-gate`,
				`systemctl unmask --runtime 'run-justnews\x2dgate.mount' && systemctl start 'run-justnews\x2dgate.mount'`,
			},
			{
				"read-only", "mount -t tmpfs -o ro,mode=3771,gid=$(getent group justnews | cut -d: -f3) none /run/justnews-gate",
				"umount /run/justnews-gate",
			},
			{"closed", "chmod 0 /run/justnews-gate", "chmod 3771 /run/justnews-gate"},
		} {
			s.Systemctl("stop", target)
			s.must(way.spoil)
			s.Systemctl("start", "--no-block", target)
			s.waitCrowd()
			s.waitHeld()
			s.onePreload(way.name)
			c := s.counters()
			s.neverStarted("with a place for locks that is " + way.name)
			s.WaitFor("more looks at the orchestrator", bed.Patience, func() bool { return s.counters().Requests > c.Requests })
			s.onePreload(way.name + ", later")
			if way.name == "closed" { // the last one: does it open, too?
				s.crowdUp(s.release())
			}
			s.must(way.fix)
		}
	})
}

// must runs a shell script that has to succeed.
func (s *site) must(script string) {
	s.t.Helper()
	if r := s.Sh(script); r.Err != nil {
		s.t.Fatalf("cannot run %q in the machine: %v\n%s%s", script, r.Err, r.Stdout, r.Stderr)
	}
}

// stormFor is how long the storm lasts: JUSTNEWS_TEST_STORM=10m for the figures.
func stormFor(t *testing.T) time.Duration {
	text := os.Getenv("JUSTNEWS_TEST_STORM")
	if text == "" {
		return 8 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("cannot read JUSTNEWS_TEST_STORM: %v", err)
	}
	return d
}

// A model is broken, and systemd keeps restarting every instance at once: the orchestrator
// is queried, but not made to load again and again.
func TestStorm_BrokenModelCausesNone(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		t.Parallel()
		long := stormFor(t)
		s := bootCrowd(t, suite, host{misbehave: "fail-model", change: func(tree *bed.Tree) {
			tree.WriteFile("/etc/systemd/system/justnews@.service.d/97-storm.conf", "[Service]\nRestartSec=200ms\n")
		}})
		s.WaitUnit(unit(orchestrator), "active/running")
		began := bed.Monotonic()
		s.WaitFor("the end of the storm", long+time.Second, func() bool { return bed.Monotonic()-began >= long })
		c := s.counters()
		restarts := 0
		for _, u := range s.Units(units(crowd()...)...) {
			restarts += u.NRestarts
		}
		// One trigger, one refresh, then one after 30 s, 60 s, 120 s, … of waiting.
		allowed := 2
		for wait, at := 30*time.Second, 30*time.Second; at < long+10*time.Second; wait = min(2*wait, 10*time.Minute) {
			allowed++
			at += wait
		}
		t.Logf("%v of storm: %d restarts of 17 instances, %d POSTs (%d allowed), %d jobs, %d requests, %.1f a second",
			long, restarts, c.Preloads, allowed, c.Jobs, c.Requests, float64(c.Requests)/long.Seconds())
		if restarts == 0 { // restarted gates hold and look
			t.Errorf("no instance of %d was started again", len(crowd()))
		}
		if c.Preloads > allowed || c.Preloads == 0 {
			t.Errorf("%d POSTs, want 1 to %d", c.Preloads, allowed)
		}
		// Each gate queries /health, /ready and /models/status; the two that trigger also
		// follow a job.
		looks := (restarts + len(crowd())) * (1 + int(long/(10*time.Second)))
		if most := 5*looks + 100; c.Requests > most {
			t.Errorf("%d requests of %d gate runs, want at most %d", c.Requests, restarts+len(crowd()), most)
		}
		s.neverStarted("although a model is broken")
	})
}
