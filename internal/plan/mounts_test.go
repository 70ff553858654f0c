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
	} {
		if got := strings.Join(MountUnits(p), " "); got != want {
			t.Errorf("%s: %s, want %s", p, got, want)
		}
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
