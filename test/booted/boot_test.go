// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"fmt"
	"testing"

	"justnews/internal/facts"
	"justnews/internal/probe/systemd"
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
		s.partsOfUnits(unit("scout"), unit("mcp_bus"), preload)
		if u := s.Unit(preload); u.StatusText != "" {
			t.Errorf("%v; a gate that passed clears its status", u)
		}
	})
}

// partsOfUnits fails where systemd answers otherwise about the properties that gates ask for
// than about the whole unit.
func (s *site) partsOfUnits(names ...string) {
	s.t.Helper()
	bus, err := systemd.OpenAddress(s.t.Context(), s.Bus())
	if err != nil {
		s.t.Fatal(err)
	}
	defer bus.Close()
	for _, name := range names {
		whole, err := bus.Unit(s.t.Context(), name)
		if err != nil {
			s.t.Fatal(err)
		}
		want := facts.Unit{
			Name: whole.Name, InvocationID: whole.InvocationID, MainPID: whole.MainPID, ControlGroup: whole.ControlGroup,
			Marks: whole.Marks, Unset: whole.Unset, DropInPaths: whole.DropInPaths,
			SuccessExitStatus: whole.SuccessExitStatus, SuccessSignals: whole.SuccessSignals,
		}
		part, err := bus.Unit(s.t.Context(), name, "InvocationID", "MainPID", "ControlGroup", "UnsetEnvironment", "DropInPaths", "SuccessExitStatus")
		if err != nil || fmt.Sprint(part) != fmt.Sprint(want) {
			s.t.Errorf("%s: %+v, %v; want %+v", name, part, err, want)
		}
	}
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
