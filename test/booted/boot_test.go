// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"testing"

	"justnews/test/bed"
)

// The models become ready late: nothing starts before, everything soon after,
// and the rest of the host does not wait for it.
func TestBoot_NothingStartsBeforeModelsAreReady(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{misbehave: "hold"})
		s.waitHeld()
		s.WaitUnit("multi-user.target", "active")
		s.WaitUnit(preload, "activating")
		s.noAgentStarted()
		flip := s.release()
		s.everythingUp(flip)
		if state := s.WaitIdle(); state != "running" {
			t.Errorf("the system is %s, want running\n%s", state, s.Run("systemctl", "--failed").Stdout)
		}
		s.WaitUnit(target, "active")
		if u := s.Unit(preload); u.StatusText != "" {
			t.Errorf("%v; a gate that passed clears its status", u)
		}
	})
}

// The switch on the kernel command line opens every gate, loudly.
func TestBoot_KernelCommandLineOpensGates(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{config: config("60s"), misbehave: "hold", cmdline: []string{"justnews.gate=off"}})
		s.WaitUnits("active/running", units(agents()...)...)
		s.WaitJournal(unit("scout"), "GATE-OFF")
	})
}
