// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"testing"
	"time"

	"justnews/test/bed"
)

// slack is what starting and ending a gate may add to its budget on a busy host.
const slack = 1500 * time.Millisecond

// gaveUpAfter checks that the instance's gate ended by its own time-out, with
// 75, after as long as it was told.
func (s *site) gaveUpAfter(instance string, budget time.Duration) {
	s.t.Helper()
	u := s.refused(instance, 75)
	if took := u.InactiveEnter - u.InactiveExit; took < budget-100*time.Millisecond || took > budget+slack {
		s.t.Errorf("the gate of %s took %v, want %v", instance, took.Round(time.Millisecond), budget)
	}
}

// The models never become ready: every gate gives up by itself, in time, and
// says that things still progressed.
func TestTimeout_GateGivesUpWhenItsTimeIsOver(t *testing.T) {
	bed.Newest(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{config: config("2s"), misbehave: "hold", change: onlyOnce})
		u := s.waitRefused(preload)
		if u.Props["ExecMainStatus"] != "75" || u.Result != "exit-code" {
			t.Errorf("%v: main status %s; want 75, given by the gate and not by systemd's time-out", u, u.Props["ExecMainStatus"])
		}
		s.gaveUpAfter("scout", 2*time.Second)
		s.noAgentStarted()
	})
}

// GATE_TIMEOUT is found wherever the runbook lets an operator put it.
func TestGateTimeoutFromTheEnvironmentFiles(t *testing.T) {
	bed.Newest(t, func(t *testing.T, suite string) {
		s := bootCrowd(t, suite, host{config: crowdConfig("1s"), change: func(tree *bed.Tree) {
			onlyOnce(tree)
			tree.WriteFile("/etc/justnews/global.env", "REFERENCE_MISBEHAVE=hold\nGATE_TIMEOUT=2\n")
			tree.WriteFile("/etc/justnews/scout.env", "GATE_TIMEOUT=4\n")
		}})
		s.gaveUpAfter("memory", 2*time.Second)
		s.gaveUpAfter("scout", 4*time.Second)
		s.neverStarted("when its gate gave up")
	})
}

func TestGateTimeoutFromTheRunbooksDropIn(t *testing.T) {
	bed.Each(t, func(t *testing.T, suite string) {
		s := bootCrowd(t, suite, host{config: crowdConfig("2s"), misbehave: "hold", change: func(tree *bed.Tree) {
			onlyOnce(tree)
			tree.WriteFile(dropIn("critic", "05-gate-timeout.conf"), "[Service]\nEnvironment=GATE_TIMEOUT=4\n")
		}})
		s.gaveUpAfter("memory", 2*time.Second)
		s.gaveUpAfter("critic", 4*time.Second)
		s.neverStarted("when its gate gave up")
	})
}

// onlyOnce makes every failure final, so that one try can be measured.
func onlyOnce(tree *bed.Tree) {
	tree.WriteFile("/etc/systemd/system/justnews@.service.d/99-once.conf", once)
}
