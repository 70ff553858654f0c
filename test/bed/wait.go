// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Patience is the default time limit of a wait. It is long because it costs nothing as long
// as things work.
var Patience = Scaled(2 * time.Minute)

// Scaled returns the time limit for this machine: JUSTNEWS_TEST_SLOWNESS times as long, if
// that is set.
func Scaled(limit time.Duration) time.Duration {
	factor, err := strconv.Atoi(os.Getenv("JUSTNEWS_TEST_SLOWNESS"))
	if err != nil {
		factor = 1
	}
	return limit * time.Duration(factor)
}

// WaitFor repeats see until it returns true. The test fails when the limit passes, when go
// test's own timeout comes near, or when the machine is gone; the failure then names desc.
func (m *Machine) WaitFor(desc string, limit time.Duration, see func() bool) {
	m.t.Helper()
	if !m.poll(limit, see) {
		m.t.Fatalf("timed out after %v waiting for %s", limit, desc)
	}
}

func (m *Machine) poll(limit time.Duration, see func() bool) bool {
	late := time.NewTimer(limit)
	defer late.Stop()
	for pause := 10 * time.Millisecond; ; pause = min(pause*3/2, 100*time.Millisecond) {
		if see() {
			return true
		}
		select {
		case <-time.After(pause):
		case <-late.C:
			return see() // events while this process did not run still count
		case <-m.gone:
			return false
		case <-m.ctx.Done():
			return false
		}
	}
}

// WaitUnit waits until the unit is in the state ("active", "failed",
// "activating/start-pre") and returns it.
func (m *Machine) WaitUnit(name, state string) Unit {
	m.t.Helper()
	var u Unit
	if !m.poll(Patience, func() bool { u = m.Unit(name); return u.Is(state) }) {
		m.t.Fatalf("timed out after %v waiting for %s to be %s; it is %v", Patience, name, state, u)
	}
	return u
}

// WaitUnits waits until each unit has been in one of the states, each with WaitUnit's time
// limit, and returns them as they were then.
func (m *Machine) WaitUnits(state string, names ...string) []Unit {
	m.t.Helper()
	seen := make([]Unit, len(names))
	waiting := names
	for len(waiting) > 0 {
		before := waiting
		if m.poll(Patience, func() bool {
			waiting = nil
			for i, u := range m.Units(before...) {
				if at := slices.Index(names, before[i]); u.Is(state) {
					seen[at] = u
				} else {
					waiting = append(waiting, before[i])
				}
			}
			return len(waiting) < len(before)
		}) {
			continue
		}
		m.t.Fatalf("timed out after %v waiting for %s to be %s; it is %v", Patience, waiting[0], state, m.Unit(waiting[0]))
	}
	return seen
}

// WaitIdle waits until systemd has no jobs left and returns the output of is-system-running
// then: running, or degraded.
func (m *Machine) WaitIdle() string {
	m.t.Helper()
	// --wait ends with the first boot transaction, without polling, but does not cover later
	// jobs.
	state := strings.TrimSpace(m.RunFor(Patience, "systemctl", "is-system-running", "--wait").Stdout)
	m.WaitFor("an empty job queue", Patience, func() bool {
		return strings.TrimSpace(m.Systemctl("list-jobs", "--no-legend")) == ""
	})
	return state
}

// Journal returns the messages of a unit ("" for all) as text, one per line.
func (m *Machine) Journal(unit string) string {
	m.t.Helper()
	args := []string{"journalctl", "--no-pager", "--quiet", "--boot", "--output=cat"}
	if unit != "" {
		args = append(args, "--unit="+unit)
	}
	return m.Must(args...)
}

// WaitJournal waits until the unit's journal has every text. journald may be slow: a message
// can come after the state that it explains.
func (m *Machine) WaitJournal(unit string, texts ...string) {
	m.t.Helper()
	var missing, journal string
	ok := m.poll(Patience, func() bool {
		journal = m.Journal(unit)
		for _, missing = range texts {
			if !strings.Contains(journal, missing) {
				return false
			}
		}
		return true
	})
	if !ok {
		m.t.Fatalf("timed out after %v waiting for %q in the journal of %s; it has:\n%s", Patience, missing, unit, journal)
	}
}
