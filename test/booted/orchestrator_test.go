// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"testing"

	"justnews/test/bed"
)

// However the orchestrator goes away and comes back, the models are loaded again
// automatically and the agents are not affected.
func TestOrchestrator_ComesBack(t *testing.T) {
	t.Parallel()
	restart := func(s *site) { s.Systemctl("restart", unit(orchestrator)) }
	kill := func(s *site) { s.Systemctl("kill", "--signal=KILL", "--kill-whom=main", unit(orchestrator)) }
	ways := []struct {
		name string
		goes func(s *site)
	}{
		{"restarted", restart},
		{"killed", kill},
		{"killed twice", func(s *site) {
			pid := s.Unit(unit(orchestrator)).MainPID
			kill(s)
			s.WaitFor("the orchestrator's next process", bed.Patience, func() bool {
				u := s.Unit(unit(orchestrator))
				return u.Is("active/running") && u.MainPID != pid
			})
			kill(s)
		}},
	}
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{})
		s.everythingUp(0)
		running := s.mainPIDs(agents()...)
		for _, way := range ways {
			before := bed.Monotonic()
			way.goes(s)
			s.WaitFor("all models loaded again after the orchestrator was "+way.name, bed.Patience, func() bool {
				o, p := s.Unit(unit(orchestrator)), s.Unit(preload)
				state, ok := s.models()
				return o.Is("active/running") && o.ExecMainStart > before &&
					p.Is("active/exited") && p.ActiveEnter > before && ok && state.AllReady && state.Summary.Total > 0
			})
			s.untouched(running)
		}
	})
}

// The orchestrator dies during the preload: no agent starts, and the next process is
// triggered again.
func TestOrchestrator_DiesDuringThePreload(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{misbehave: "hold"})
		s.waitHeld()
		pid := s.Unit(unit(orchestrator)).MainPID
		s.Systemctl("kill", "--signal=KILL", "--kill-whom=main", unit(orchestrator))
		s.WaitFor("the orchestrator's next process", bed.Patience, func() bool {
			u := s.Unit(unit(orchestrator))
			return u.Is("active/running") && u.MainPID != pid
		})
		s.waitHeld()
		s.noAgentStarted()
		s.everythingUp(s.release())
	})
}
