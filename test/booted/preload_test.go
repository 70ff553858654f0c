// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"strings"
	"testing"

	"justnews/test/bed"
)

// A model cannot be loaded: nothing starts, the reason is where an operator
// looks, and what the gate printed brings everything up once the cause is gone.
func TestABrokenModelKeepsEverythingDownUntilItIsMended(t *testing.T) {
	const agent, id = "scout", "martin-ha/toxic-comment-model"
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{change: func(tree *bed.Tree) { tree.Remove(snapshot(agent, id) + "/config.json") }})
		u := s.WaitUnit(preload, "failed")
		if u.PreStatus > 0 || u.Props["ExecMainStatus"] == "0" {
			t.Errorf("%v: main status %s, want the preload itself to fail", u, u.Props["ExecMainStatus"])
		}
		s.WaitJournal(preload, agent, id)
		if !strings.Contains(u.StatusText, agent) || !strings.Contains(u.StatusText, id) {
			t.Errorf("%v; the status has to name %s and %s", u, agent, id)
		}
		s.WaitUnit(unit(agent), "failed")
		s.noAgentStarted()

		writeModel(s.WriteFile, agent, id)
		mended := bed.Monotonic()
		s.pasteHint(preload)
		s.everythingUp(mended)
	})
}

// One instance is restarted later: its gate passes at once, the rest is left alone.
func TestOneInstanceIsRestarted(t *testing.T) {
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{})
		s.everythingUp(0)
		others := s.mainPIDs("memory", "critic", orchestrator)
		before := bed.Monotonic()
		s.Systemctl("restart", unit("scout"))
		if u := s.WaitUnit(unit("scout"), "active/running"); u.ExecMainStart < before || u.PreStatus != 0 {
			t.Errorf("%v; want a new main process behind a gate that passed", u)
		}
		s.untouched(others)
	})
}
