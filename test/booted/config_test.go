// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"strings"
	"testing"

	"justnews/test/bed"
)

// The configuration is broken at boot: nothing starts, the message names line
// and column, and repair plus daemon-reload is enough: the target, which was
// started without an instance, is started again.
func TestConfig_BrokenConfigurationKeepsGatesShutUntilFixed(t *testing.T) {
	t.Parallel()
	broken := strings.Replace(config("60s"), "timeout =", "timeot =", 1) // line 2, column 1
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{config: broken, change: func(tree *bed.Tree) {
			// The next try begins without the status of this one.
			tree.WriteFile(dropIn("scout", "97-slow.conf"), "[Service]\nRestartSec=5s\n")
		}})
		s.WaitIdle()
		if started := s.started(); len(started) > 0 {
			t.Errorf("%v started behind a broken configuration", started)
		}
		if r := s.Run("systemctl", "start", unit("scout")); r.Code == 0 {
			t.Error("systemctl start reports success behind a broken configuration")
		}
		u := s.refused("scout", 78)
		const where = configFile + ":2:1"
		s.WaitJournal(unit("scout"), where, "timeot")
		if !strings.Contains(u.StatusText, where) {
			t.Errorf("%v; the status has to name %s", u, where)
		}

		s.WriteFile(configFile, config("60s"))
		s.Systemctl("daemon-reload")
		repaired := bed.Monotonic()
		s.everythingUp(repaired)
	})
}

// An instance that the configuration no longer lists still has its gate, and so
// has one that it never listed.
func TestConfig_UnlistedInstanceIsGated(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{})
		s.everythingUp(0)
		was := s.mainPIDs("scout")

		s.WriteFile(configFile, config("60s", "scout"))
		s.Systemctl("daemon-reload")
		s.untouched(was)
		_ = s.Run("systemctl", "restart", unit("scout"))
		if u := s.waitRefused(unit("scout")); u.PreStatus != 78 || u.MainPID != 0 {
			t.Errorf("%v; want a gate that exits 78", u)
		}

		_ = s.Run("systemctl", "start", unit("nosuch"))
		s.refused("nosuch", 78)
		if s.Exists(startedDir + "/started-nosuch") {
			t.Error("nosuch was started although no configuration lists it")
		}
	})
}

// Without the generator the packaged drop-in still gates every instance.
func TestConfig_WithoutGeneratorGatesStayShut(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{config: config("3s"), change: func(tree *bed.Tree) {
			tree.Remove("/usr/lib/systemd/system-generators/justnews-generator")
			// What the generator would have told the orchestrator.
			tree.WriteFile("/etc/justnews/global.env", "MODEL_STORE_ROOT="+modelRoot+"\nSTRICT_MODEL_STORE=1\n")
			tree.WriteFile(dropIn("scout", "90-once.conf"), once)
		}})
		s.WaitIdle()
		_ = s.Run("systemctl", "start", unit("scout"))
		u := s.waitRefused(unit("scout"))
		if u.PreStatus <= 0 || u.ExecMainStart != 0 {
			t.Errorf("%v; want a gate that refuses", u)
		}
		s.noAgentStarted()
	})
}

// A drop-in that empties ExecStartPre= opens one instance by hand: it starts,
// and status and preflight say that it is ungated.
func TestConfig_InstanceOpenedByHandIsReported(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{})
		s.everythingUp(bed.Monotonic())
		if r := s.Run("justnews-gate", "status"); r.Code != 0 || strings.Contains(r.Stdout+r.Stderr, "UNGATED") {
			t.Errorf("before: status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
		s.WriteFile("/run/systemd/system/justnews@scout.service.d/override.conf", "[Service]\nExecStartPre=\n")
		s.Systemctl("daemon-reload")
		for _, command := range []string{"status", "preflight"} {
			r := s.Run("justnews-gate", command)
			if r.Code == 0 || !strings.Contains(r.Stdout+r.Stderr, "UNGATED: justnews@scout.service") {
				t.Errorf("%s: exit status %d\n%s%s", command, r.Code, r.Stdout, r.Stderr)
			}
		}
	})
}
