// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"strings"
	"testing"

	"justnews/internal/config"
	"justnews/internal/unitname"
)

func TestPlan_MountUnitsAreNamedAsSystemdDoes(t *testing.T) { // systemd-escape -p --suffix=mount
	for p, want := range map[string]string{
		"/opt/justnews/models": `opt.mount opt-justnews.mount opt-justnews-models.mount`,
		"/srv/a-b/ü":           `srv.mount srv-a\x2db.mount srv-a\x2db-\xc3\xbc.mount`,
		"/.x/.y":               `\x2ex.mount \x2ex-.y.mount`,
		"/":                    ``,
		"/az/AZ/09":            `az.mount az-AZ.mount az-AZ-09.mount`,
		"/`{/@[/!/;":           "\\x60\\x7b.mount \\x60\\x7b-\\x40\\x5b.mount \\x60\\x7b-\\x40\\x5b-\\x21.mount \\x60\\x7b-\\x40\\x5b-\\x21-\\x3b.mount",
	} {
		if got := strings.Join(MountUnits(p), " "); got != want {
			t.Errorf("%s: %s, want %s", p, got, want)
		}
	}
}

// systemd's names of units have at most 255 bytes.
func TestPlan_MountUnitsLeaveOutNamesThatAreTooLong(t *testing.T) {
	longest := strings.Repeat("m", 255-len(".mount"))
	if got := MountUnits("/" + longest); !slices.Equal(got, []string{longest + ".mount"}) {
		t.Errorf("%q", got)
	}
	if got := MountUnits("/srv/" + longest); !slices.Equal(got, []string{"srv.mount"}) {
		t.Errorf("%q", got)
	}
}

func TestPlan_WaitsForMountsOfAbsolutePathsOnly(t *testing.T) {
	p := Build(host(func(c *config.Config) { c.Models.Root, c.Models.BaseDir, c.Models.Map = "/", "", "/srv/map.json" }), Machine{Systemd: mountsSince})
	if got := values(lines(t, p, unitname.Preload, "60-"), "WantsMountsFor"); !slices.Equal(got, []string{"/srv/map.json"}) {
		t.Errorf("%q", got)
	}
}

func TestPlan_WaitsForMounts(t *testing.T) {
	change := func(c *config.Config) {
		c.Models.Root, c.Models.Map = "/srv/models", "/etc/justnews/map.json"
		c.Instances[3].Service.Exec, c.Instances[3].Service.WorkingDirectory = []string{"/mnt/agents/start"}, "/home/x"
	}
	for _, unit := range []string{unitname.Of("scout"), unitname.Preload} {
		young := lines(t, Build(host(change), Machine{Systemd: 256}), unit, "60-")
		old := lines(t, Build(host(change), Machine{Systemd: 255}), unit, "60-")
		for _, want := range []string{"/srv/models", "/etc/justnews/map.json"} {
			if got := values(young, "WantsMountsFor"); !slices.Contains(got, want) {
				t.Errorf("%s: WantsMountsFor=%q, want %s", unit, got, want)
			}
		}
		if got := values(old, "After"); !slices.Contains(got, "srv-models.mount") || len(values(old, "WantsMountsFor")) > 0 {
			t.Errorf("%s: After=%q", unit, got)
		}
		if got := values(old, "After"); unit != unitname.Preload && (!slices.Contains(got, "mnt-agents.mount") || !slices.Contains(got, "home-x.mount")) {
			t.Errorf("%s: After=%q", unit, got)
		}
	}
}
