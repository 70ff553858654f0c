// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"fmt"
	"strings"
	"testing"

	"justnews/test/bed"
)

const latch = startedDir + "/latch"

// An instance whose unit differs from justnews.toml is refused, whatever stopped the
// generator, and comes up once the generator has written it.
func TestMark_UnitThatDiffersFromTheConfigurationIsRefused(t *testing.T) {
	t.Parallel()
	good := strings.Replace(config("60s"), "[instances.scout]\n", "[instances.scout]\nneeds = [\"latch\"]\n", 1) +
		"\n[probes.latch]\nkind = \"path\"\npath = \"" + latch + "\"\n"
	edited := strings.Replace(good, "[instances.scout]\n", "[instances.scout]\nenvironment = { LOG_LEVEL = \"DEBUG\" }\n", 1)
	bed.Each(t, func(t *testing.T, suite string) {
		t.Parallel()
		s := boot(t, suite, host{config: good, change: func(tree *bed.Tree) {
			tree.WriteFile("/etc/systemd/system/justnews@scout.service.d/90-quick.conf", "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=500ms\n")
		}})
		s.must("mkdir -p " + startedDir + " && touch " + latch)
		s.everythingUp(0)

		refuse := func(when, code string) {
			t.Helper()
			began := bed.Monotonic()
			s.Systemctl("restart", "--no-block", unit("scout"))
			s.WaitFor(code+" "+when, bed.Patience, func() bool {
				return strings.Contains(s.since(began, unit("scout")), code)
			})
			if u := s.Unit(unit("scout")); u.ExecMainStart > began {
				t.Errorf("%s: started: %v", when, u)
			}
		}
		heal := func(when string) {
			t.Helper()
			s.Systemctl("daemon-reload")
			s.WaitUnit(unit("scout"), "active/running")
			if t.Failed() {
				t.Fatal(when)
			}
		}

		s.WriteFile(configFile, edited)
		refuse("edited, not reloaded", "UNIT-STALE")
		if r := s.Run("justnews-gate", "status"); !strings.Contains(r.Stdout, "UNIT-STALE: "+unit("scout")) {
			t.Errorf("status does not report it:\n%s%s", r.Stdout, r.Stderr)
		}
		heal("edited, then reloaded")

		const hidden = "/etc/systemd/system/justnews@scout.service.d/"
		for _, name := range []string{"00-justnews-common.conf", "60-justnews-common.conf", "60-justnews-instance.conf"} {
			s.Symlink("/dev/null", hidden+name)
			s.Systemctl("daemon-reload")
			refuse(name+" masked", "UNIT-UNMARKED")
			s.Remove(hidden + name)
			heal(name + " unmasked")
			s.WriteFile(hidden+name, "[Service]\nMemoryMax=infinity\n")
			s.Systemctl("daemon-reload")
			refuse(name+" replaced", "UNIT-UNMARKED")
			s.Remove(hidden + name)
			heal(name + " no longer replaced")
		}
		s.WriteFile(hidden+"95-admin.conf", "[Service]\nEnvironment=LOG_LEVEL=INFO\nMemoryMax=8G\n")
		s.Systemctl("daemon-reload")
		s.Systemctl("restart", unit("scout"))
		s.WaitUnit(unit("scout"), "active/running")

		// Variables cannot make a gate take another unit for its own, or query another systemd.
		s.WriteFile("/etc/justnews/scout.env", "SYSTEMD_EXEC_PID=1\nINVOCATION_ID=\nJUSTNEWS_MARK=x\nDBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/played\n")
		s.Symlink("/dev/null", maskFile)
		s.Systemctl("daemon-reload")
		refuse("without a generator", "UNIT-UNMARKED")
		s.Remove(maskFile)
		heal("with the generator again")
		s.Remove("/etc/justnews/scout.env")

		for _, inodes := range []int{1, 3, 8, 20, 30, 40, 45, 50} {
			options := fmt.Sprintf("size=4m,nr_inodes=%d", inodes)
			s.must("mount -t tmpfs -o mode=755," + options + " none /run/systemd/generator")
			s.Systemctl("daemon-reload")
			if out := s.Must("systemctl", "show", "-P", "UnsetEnvironment", unit("scout")); !strings.Contains(out, "JUSTNEWS_MARK=") {
				refuse(options, "UNIT-UNMARKED")
			} else if pre := s.Must("systemctl", "show", "-P", "User", unit("scout")); inodes < 45 || strings.TrimSpace(pre) != "justnews" {
				t.Errorf("%s: marked, with the user %q", options, pre)
			}
			s.must("umount /run/systemd/generator")
		}
		s.Systemctl("daemon-reload")
		s.Systemctl("restart", unit("scout")) // instead of waiting for its restart delay
		s.WaitUnit(unit("scout"), "active/running")

		// A reload while the gate waits.
		s.Remove(latch)
		s.Systemctl("restart", "--no-block", unit("scout"))
		waits := func() bool {
			u := s.Unit(unit("scout"))
			return u.Is(starting) && strings.Contains(u.StatusText, "latch")
		}
		s.WaitFor("a gate that waits for the latch", bed.Patience, waits)
		s.Systemctl("daemon-reload")
		began := bed.Monotonic()
		s.must("touch " + latch)
		s.WaitUnit(unit("scout"), "active/running")
		if said := s.since(began, unit("scout")); strings.Contains(said, "UNIT-") {
			t.Errorf("an unchanged reload:\n%s", said)
		}

		for when, change := range map[string]func(){
			"edited":              func() {},
			"edited and reloaded": func() { s.Systemctl("daemon-reload") },
		} {
			s.WriteFile(configFile, edited)
			s.Systemctl("daemon-reload")
			s.Remove(latch)
			began := bed.Monotonic()
			s.Systemctl("restart", "--no-block", unit("scout"))
			s.WaitFor("a gate that waits for the latch", bed.Patience, waits)
			s.WriteFile(configFile, good)
			change()
			s.must("touch " + latch)
			s.WaitFor("UNIT-STALE, "+when, bed.Patience, func() bool {
				return strings.Contains(s.since(began, unit("scout")), "UNIT-STALE")
			})
			heal(when)
		}
	})
}
