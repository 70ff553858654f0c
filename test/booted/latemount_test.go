// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"testing"

	"justnews/test/bed"
)

const storeMount = "opt-justnews-models.mount"

// The store lies on a mount that comes 10 s after the boot: nothing is refused,
// and everything starts behind it. Where systemd takes it into the boot the
// instances are ordered behind it, elsewhere their gates wait.
func TestLateMount_GateWaitsForTheStore(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		t.Parallel()
		s := boot(t, suite, host{change: func(tree *bed.Tree) {
			tree.Run("mv", modelRoot, "/srv/models")
			tree.Run("mkdir", modelRoot)
			tree.WriteFile("/etc/systemd/system/"+storeMount, "[Unit]\nRequires=late.service\nAfter=late.service\n"+
				"[Mount]\nWhat=/srv/models\nWhere="+modelRoot+"\nType=none\nOptions=bind,_netdev\n") // a local one that comes after late.service would be a cycle
			tree.WriteFile("/etc/systemd/system/late.service", "[Service]\nType=oneshot\nExecStart=/bin/sleep 10\n")
			tree.WriteFile("/etc/systemd/system/mounter.service", "[Service]\nExecStart=/bin/systemctl start "+storeMount+"\n")
			tree.Symlink("/etc/systemd/system/mounter.service", "/etc/systemd/system/multi-user.target.wants/mounter.service")
		}})
		s.WaitUnit(storeMount, "active")
		s.everythingUp(s.Unit(storeMount).ActiveEnter)
		for _, u := range s.Units(append(units(append(agents(), orchestrator)...), preload)...) {
			if u.NRestarts > 0 {
				t.Errorf("%v: %d restarts: it was refused:\n%s", u, u.NRestarts, s.Journal(u.Name))
			}
		}
	})
}
