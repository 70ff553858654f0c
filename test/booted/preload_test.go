// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"strings"
	"testing"

	"justnews/test/bed"
)

// A model cannot be loaded: nothing starts, the reason is where an operator
// looks, and what the gate printed brings everything up once the cause is gone.
func TestPreload_BrokenModelKeepsEverythingDownUntilItIsFixed(t *testing.T) {
	t.Parallel()
	const agent, id = "scout", "martin-ha/toxic-comment-model"
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{change: func(tree *bed.Tree) { tree.Remove(snapshot(agent, id) + "/config.json") }})
		u := s.waitRefused(preload)
		s.WaitJournal(preload, agent, id, "Main process exited, code=exited, status=66")
		if !strings.Contains(u.StatusText, agent) || !strings.Contains(u.StatusText, "STORE-") {
			t.Errorf("%v; the status has to name %s and %s", u, agent, id)
		}
		s.waitRefused(unit(agent))
		s.noAgentStarted()

		writeModel(s.WriteFile, agent, id)
		fixed := bed.Monotonic()
		s.pasteHint(preload)
		s.everythingUp(fixed)
	})
}

// One instance is restarted later: its gate passes at once, the rest is left alone.
func TestPreload_OneInstanceIsRestarted(t *testing.T) {
	t.Parallel()
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
