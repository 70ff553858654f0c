// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"testing"
	"time"
)

func TestParse_MirrorIsTheHosts(t *testing.T) {
	for _, c := range []struct{ name, targets, want string }{
		{"debian", "DEP-11 main bookworm http://mirror.example/debian/\n" +
			"Packages main bookworm-security http://mirror.example/debian-security/\n" +
			"Packages main bookworm-updates http://mirror.example/debian/\n" +
			"Packages main nodistro https://node.example/node_20.x/\n" +
			"Packages main bookworm http://mirror.example/debian/\n", "http://mirror.example/debian"},
		{"pinned path", "Packages main trixie https://cache.example/a/b/debian\n", "https://cache.example/a/b/debian"},
		{"another distribution", "Packages main noble http://mirror.example/ubuntu/\n", ""},
		{"no sources", "", ""},
	} {
		if got := pickMirror(c.targets); got != c.want {
			t.Errorf("%s: mirror %q, want %q", c.name, got, c.want)
		}
	}
}

func TestParse_UnitIsReadFromSystemctlShow(t *testing.T) {
	u, err := parseUnit("Id=justnews@scout.service\nLoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\n" +
		"ExecStartPre={ path=/bin/true ; argv[]=/bin/true ; ignore_errors=no ; pid=40 ; code=exited ; status=0 }\n" +
		"ExecStartPre={ path=/usr/bin/justnews-gate ; argv[]=/usr/bin/justnews-gate --gate-only scout ; ignore_errors=no ; pid=41 ; code=exited ; status=78 }\n" +
		"StatusText=a=b\nNRestarts=2\nInactiveExitTimestampMonotonic=1500000\n")
	if err != nil {
		t.Fatal(err)
	}
	if u.PreStatus != 78 || u.StatusText != "a=b" || u.NRestarts != 2 || u.InactiveExit != 1500*time.Millisecond {
		t.Errorf("read as %+v", u)
	}
	if !u.Is("failed") || !u.Is("active", "failed/failed") || u.Is("active/failed") {
		t.Errorf("%v: wrong about its state", u)
	}
	if u, err := parseUnit("Id=x\nExecStartPre={ path=/bin/true ; code=(null) ; status=0/0 }\n"); err != nil || u.PreStatus != -1 {
		t.Errorf("a gate that never ran has the status %d, %v; want -1", u.PreStatus, err)
	}
	if _, err := parseUnit("NRestarts=many\n"); err == nil {
		t.Error("an invalid number was read without an error")
	}
}

func TestParse_UnitsAreReadInTheirOrder(t *testing.T) {
	units, err := parseUnits("Id=a.service\nActiveState=active\n\nId=b.service\nActiveState=failed\n")
	if err != nil || len(units) != 2 || units[0].Name != "a.service" || units[1].Name != "b.service" || !units[1].Is("failed") {
		t.Errorf("read as %v, %v", units, err)
	}
	if _, err := parseUnits("Id=a\n\nNRestarts=many\n"); err == nil {
		t.Error("an invalid number was read without an error")
	}
}
