// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"justnews/test/bed"
)

// clockSteps are disturbances of TestChaos if the clock may be set. A step without an end
// stays until the next one: the machine's clock drifts from cell to cell.
func clockSteps() []fault {
	if !bed.MaySetClock() {
		return nil
	}
	return []fault{
		passing("the clock jumps an hour ahead", "date -s '3600 seconds'", ""),
		passing("the clock jumps an hour back", "date -s '3600 seconds ago'", ""),
		passing("the clock is a day ahead for a while", "date -s '86400 seconds'", "date -s '86400 seconds ago'"),
		passing("the clock is a day behind for a while", "date -s '86400 seconds ago'", "date -s '86400 seconds'"),
		passing("the clock is ten years ahead for a while", "date -s '315360000 seconds'", "date -s '315360000 seconds ago'"),
		passing("the clock is at 1970 for a while",
			"echo $(($(date +%s) - $(cut -d. -f1 /proc/uptime))) > /run/boot-time && date -s @86400",
			"date -s @$(($(cat /run/boot-time) + $(cut -d. -f1 /proc/uptime)))"),
		passing("the clock jumps to and fro", "for i in 1 2 3 4 5; do date -s '600 seconds'; sleep 0.2; date -s '600 seconds ago'; sleep 0.2; done", ""),
	}
}

// keepClock corrects the clock at the end of the test.
func (s *site) keepClock() {
	if !bed.MaySetClock() {
		return
	}
	boot := time.Duration(time.Now().UnixNano()) - bed.Monotonic()
	s.t.Cleanup(func() {
		now := unix.NsecToTimespec(int64(boot + bed.Monotonic()))
		if err := unix.ClockSettime(unix.CLOCK_REALTIME, &now); err != nil {
			s.t.Errorf("cannot correct the clock: %v", err)
		}
	})
}

// inVM are the agents of a host that a virtual machine without KVM can run.
var inVM = []string{"mcp_bus", "scout", "memory"}

// clocked boots such a host, where the clock may be set.
func clocked(t *testing.T, suite, timeout string, h host) *site {
	t.Helper()
	if !bed.MaySetClock() {
		t.Skip("sets the clock of the whole host: JUSTNEWS_TEST_CLOCK=1 in a virtual machine (make vm)")
	}
	h.misbehave = "hold"
	h.config = config(timeout, slices.DeleteFunc(agents(), func(name string) bool { return slices.Contains(inVM, name) })...)
	s := boot(t, suite, h)
	s.keepClock()
	s.waitHeld()
	return s
}

// stepped sets the clock in each way, and waits a second after each.
func (s *site) stepped() {
	s.t.Helper()
	for _, step := range clockSteps() {
		s.must(step.inject)
		time.Sleep(time.Second)
		s.must(step.remove + "\ntrue")
	}
}

// A waiting gate neither gives up early nor opens when the clock is set, and running
// instances are not affected.
func TestClock_StepsChangeNothing(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		s := clocked(t, suite, "600s", host{})
		before := s.Unit(preload)
		s.stepped()
		if u := s.Unit(preload); u.InvocationID != before.InvocationID || !u.Is("activating") {
			t.Errorf("%v: it gave up while the clock was set", u)
		}
		s.noAgentStarted()
		flip := s.release()
		for _, u := range s.WaitUnits("active/running", units(inVM...)...) {
			if u.ExecMainStart < flip {
				t.Errorf("%v: it was started %v too early", u, flip-u.ExecMainStart)
			}
		}
		pids := s.mainPIDs(inVM...)
		s.stepped()
		s.untouched(pids)
		if r := s.Run("justnews-gate", "status"); r.Code != 0 || !strings.HasPrefix(r.Stdout, "up: 4 of 4\n") {
			t.Errorf("exit status %d:\n%s", r.Code, r.Stdout)
		}
		s.Systemctl("restart", "--no-block", unit("scout"))
		s.WaitFor("another process of scout", bed.Patience, func() bool {
			u := s.Unit(unit("scout"))
			return u.Is("active/running") && u.MainPID != pids["scout"]
		})
	})
}

// A clock that is set back does not prolong the wait of a gate.
func TestClock_SetBackDoesNotProlongTheTimeout(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		const budget = 40 * time.Second
		s := clocked(t, suite, budget.String(), host{change: onlyOnce})
		began := s.Unit(preload).InactiveExit
		s.must("date -s '86400 seconds ago'")
		s.WaitFor("the end of the preload's gate", bed.Patience, func() bool { return s.waitRefused(preload).InactiveEnter > began })
		// On a machine this slow it may be ended by the watchdog.
		s.WaitJournal(preload, "1 error after 40 s, exit status 75")
		s.noAgentStarted()
	})
}
