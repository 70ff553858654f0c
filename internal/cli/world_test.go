// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"testing"

	"justnews/internal/gate"
	"justnews/internal/records"
	"justnews/internal/requirement"
)

// A run that triggers nothing must not keep one that does from leading, and what was
// requested before a boot says nothing about the server that was started since.
func TestWorld_LockAndRecordBelongToRunsThatTriggerInThisBoot(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", dir)
	cfg := configured(t, t.TempDir(), "[instances.gpu_orchestrator]\n[instances.mcp_bus]\n[instances.scout]\n")
	none := func(string) (string, bool) { return "", false }
	instance, _ := requirement.ForInstance(cfg, "scout", none, requirement.Flags{})
	follower, _ := requirement.ForServer(cfg, "", requirement.Flags{})
	for name, c := range map[string]struct {
		run  requirement.Run
		lead bool
	}{"an instance's gate": {instance, true}, "ready": {follower, false}} {
		a := &app{Machine: Machine{Lookup: none}, ctx: t.Context()}
		x, problems := a.openWorld(c.run, cfg, nil, nil)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if (x.Lock != nil) != c.lead || (x.Memory != nil) != c.lead {
			t.Errorf("%s: lock %v, record %v", name, x.Lock, x.Memory)
		}
		if state, ok := x.Memory.(records.State[gate.History]); ok && (state.Boot == "" || state.Boot != bootID()) {
			t.Errorf("%s: the record is of boot %q", name, state.Boot)
		}
		x.shut()
	}
}
