// SPDX-License-Identifier: Apache-2.0

package unit_test

import (
	"testing"

	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/plan"
	"justnews/test/findings"
)

// A file that hides any drop-in of the generator's is reported, but for the line of a
// guard, which is installed below /etc on purpose.
func TestOverrides_EveryDropInOfTheGeneratorMayBeHidden(t *testing.T) {
	c := &config.Config{Instances: []config.Instance{{Name: "scout", Enabled: true}}}
	c.Instances[0].Environment = map[string]string{"A": "1"}
	c.Instances[0].MPS.Enabled, c.MPS.Unit = true, "justnews-mps.service"
	made := plan.Build(c, plan.Machine{})
	names := map[string]bool{}
	for _, d := range append(made.DropIns, made.Base) {
		names[d.Name] = true
		for _, null := range []bool{false, true} {
			p := of(t, unit.Overrides([]facts.UnitFile{{Path: "/etc/systemd/system/" + d.Dir + "/" + d.Name, Dir: d.Dir, Name: d.Name, Null: null}}), diag.DropInMasks)
			if p == nil {
				t.Errorf("%s/%s can be hidden unseen", d.Dir, d.Name)
				continue
			}
			findings.Sound(t, *p)
		}
	}
	if len(names) < 9 {
		t.Errorf("the generator makes %v", names)
	}
	own := facts.UnitFile{Path: "/etc/systemd/system/60-justnews-heal.conf", Name: "60-justnews-heal.conf"}
	if p := unit.Overrides([]facts.UnitFile{own}); len(p) > 0 {
		t.Errorf("a unit's own file is no drop-in: %v", p)
	}
}

func TestOverrides_DropInsOfTheRunbookAreWeighed(t *testing.T) {
	for name, c := range map[string]struct {
		file     facts.UnitFile
		severity diag.Severity
		seen     string // "": no finding
	}{
		"light":          {facts.UnitFile{Name: "20-restart-policy.conf", Keys: []string{"RestartSec", "Restart", "RestartSec"}}, diag.Notice, "RestartSec=, Restart="},
		"heavy":          {facts.UnitFile{Name: "01-root.conf", Keys: []string{"User", "Nice"}}, diag.Warning, "User=, Nice="},
		"somebody's own": {facts.UnitFile{Name: "90-mine.conf", Keys: []string{"User"}}, 0, ""},
	} {
		c.file.Dir, c.file.Path = "justnews@.service.d", "/etc/systemd/system/justnews@.service.d/"+c.file.Name
		p := of(t, unit.Overrides([]facts.UnitFile{c.file}), diag.DropInLeftover)
		if (p == nil) != (c.seen == "") || p != nil && (p.Severity != c.severity || p.Seen != c.seen) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
