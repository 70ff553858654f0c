// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"testing"
	"time"

	"justnews/test/bed"
	"justnews/test/busy"
)

// slack is what starting and ending a gate may add to its budget, in addition to the time
// for which processes of a busy host wait for each other.
const slack = 1500 * time.Millisecond

// gaveUpAfter starts instances with an orchestrator that answers, and checks that each gate
// ended by its own timeout, with 75, after the configured time.
func (s *site) gaveUpAfter(budgets map[string]time.Duration) {
	s.t.Helper()
	s.WaitFor("an orchestrator that answers", bed.Patience, func() bool { _, ok := s.models(); return ok })
	for instance := range budgets {
		s.waitRefused(unit(instance)) // of the boot, when the orchestrator may have been down
		s.Systemctl("reset-failed", unit(instance))
	}
	mark := busy.Now()
	for instance := range budgets {
		s.Systemctl("start", "--no-block", unit(instance))
	}
	for instance, budget := range budgets {
		s.WaitFor("the end of the gate of "+instance, bed.Patience, func() bool { return s.Unit(unit(instance)).Is("failed") })
		u := s.refused(instance, 75)
		// A follower has its last look a tenth before its deadline, and ends after it.
		if took := u.InactiveEnter - u.InactiveExit; took < budget-budget/10 || mark.Less(took) > budget+slack {
			s.t.Errorf("the gate of %s took %v (%v of its own), want %v", instance, took.Round(time.Millisecond), mark.Less(took), budget)
		}
	}
}

// The models never become ready: every gate gives up in time and reports that loading was
// still in progress.
func TestTimeout_GateGivesUp(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{config: config("2s"), misbehave: "hold", change: onlyOnce})
		// Before the orchestrator answers, the preload gives up for another reason.
		s.WaitFor("a preload whose time is over", bed.Patience, func() bool {
			u := s.waitRefused(preload)
			if u.Result != "exit-code" && u.Result != "success" { // of the next try
				t.Fatalf("%v: want the gate to give up before systemd's timeout", u)
			}
			return u.Result == "exit-code" && u.Props["ExecMainStatus"] == "75"
		})
		s.gaveUpAfter(map[string]time.Duration{"scout": 2 * time.Second})
		s.noAgentStarted()
	})
}

// GATE_TIMEOUT is found wherever the runbook allows it.
func TestGateTimeout_FromTheEnvironmentFiles(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		s := bootCrowd(t, suite, host{config: crowdConfig("1s"), change: func(tree *bed.Tree) {
			onlyOnce(tree)
			tree.WriteFile("/etc/justnews/global.env", "REFERENCE_MISBEHAVE=hold\nGATE_TIMEOUT=2\n")
			tree.WriteFile("/etc/justnews/scout.env", "GATE_TIMEOUT=4\n")
		}})
		s.gaveUpAfter(map[string]time.Duration{"memory": 2 * time.Second, "scout": 4 * time.Second})
		s.neverStarted("when its gate gave up")
	})
}

func TestGateTimeout_FromTheRunbooksDropIn(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := bootCrowd(t, suite, host{config: crowdConfig("2s"), misbehave: "hold", change: func(tree *bed.Tree) {
			onlyOnce(tree)
			tree.WriteFile(dropIn("critic", "05-gate-timeout.conf"), "[Service]\nEnvironment=GATE_TIMEOUT=4\n")
		}})
		s.gaveUpAfter(map[string]time.Duration{"memory": 2 * time.Second, "critic": 4 * time.Second})
		s.neverStarted("when its gate gave up")
	})
}

// onlyOnce makes every failure final, so that one start can be measured.
func onlyOnce(tree *bed.Tree) {
	tree.WriteFile("/etc/systemd/system/justnews@.service.d/99-once.conf", once)
}
