// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"testing"

	"justnews/test/bed"
)

// Port 8014 needs no privilege, so another user can be there first and answer
// like an orchestrator, models loaded and all. The real one's unit is active:
// only the owner of the listening socket tells.
func TestAnotherUserOnTheOrchestratorsPortOpensNothing(t *testing.T) {
	const (
		idle     = "[Service]\nExecStart=\nExecStart=/bin/sleep infinity\n"
		impostor = `[Unit]
Before=justnews@gpu_orchestrator.service

[Service]
User=nobody
ExecStart=/usr/local/bin/justnews-reference orchestrator --bus-url "" --root ` + modelRoot + `
`
	)
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{change: func(tree *bed.Tree) {
			tree.WriteFile("/etc/systemd/system/justnews@gpu_orchestrator.service.d/90-idle.conf", idle)
			tree.WriteFile("/etc/systemd/system/impostor.service", impostor)
			tree.Symlink("../impostor.service", "/etc/systemd/system/multi-user.target.wants/impostor.service")
		}})
		s.WaitUnit("impostor.service", "active/running")
		s.waitRefused(preload)
		s.WaitJournal(preload, "ORCHESTRATOR-IMPOSTOR", "exit status 76")
		s.waitRefused(unit("scout"))
		s.noAgentStarted()

		// With the impostor gone and the orchestrator itself on the port, the
		// printed hint brings everything up.
		s.Systemctl("stop", "impostor.service")
		s.Remove("/etc/systemd/system/justnews@gpu_orchestrator.service.d/90-idle.conf")
		s.Systemctl("daemon-reload")
		s.Systemctl("restart", unit(orchestrator))
		mended := bed.Monotonic()
		s.pasteHint(preload)
		s.everythingUp(mended)
	})
}
