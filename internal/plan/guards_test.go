// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"strings"
	"testing"

	"justnews/internal/config"
	"justnews/internal/facts"
	"justnews/internal/unitname"
)

const client = "model-client.service"

func guarded(change func(*config.Guard)) *config.Config {
	return host(func(c *config.Config) {
		g := config.Guard{Name: "client", Unit: client, When: "before", RequireModels: true}
		change(&g)
		c.Guards = []config.Guard{g}
	})
}

// The lines of guards must not change, in this or any later version.
func TestPlan_GuardHasOneLine(t *testing.T) {
	for when, want := range map[string]string{
		"before": "ExecStartPre=/usr/bin/justnews-gate --gate-only %n",
		"after":  "ExecStartPost=/usr/bin/justnews-gate ready %n",
	} {
		d := GuardLine("a.service", when == "after", "Ours")
		text, err := d.Append(nil)
		if err != nil || string(text) != "# Ours\n\n[Service]\n"+want+"\n" {
			t.Errorf("%s: %q, %v", when, text, err)
		}
		if got := map[string]string{"before": GuardBefore, "after": GuardAfter}[when]; got != want {
			t.Errorf("the constant is %q", got)
		}
		p := Build(guarded(func(g *config.Guard) { g.When = when }), Machine{})
		if got := lines(t, p, client, "50-"); len(got) != 1 || !strings.HasPrefix(got[0], strings.SplitAfter(want, "=")[0]) {
			t.Errorf("%s: %v", when, got)
		}
	}
}

func TestPlan_GuardIsOrderedAfterItsNeeds(t *testing.T) {
	for what, c := range map[string]struct {
		change func(*config.Guard)
		want   []string
	}{
		"the models": {func(*config.Guard) {}, []string{"After=" + orchestrator, "After=" + unitname.Preload}},
		"everything": {func(g *config.Guard) { g.RequireBus, g.RequireMPS = true, true },
			[]string{"Wants=" + unitname.MPS, "After=" + orchestrator, "After=" + unitname.Preload, "After=" + bus, "After=" + unitname.MPS}},
		"nothing": {func(g *config.Guard) { g.RequireModels = false }, nil},
		"its own": {func(g *config.Guard) { g.When = "after" }, nil},
	} {
		got := slices.DeleteFunc(lines(t, Build(guarded(c.change), Machine{}), client, "60-"), func(l string) bool {
			return strings.HasPrefix(l, markSetting)
		})
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}

func TestPlan_GuardIsOrderedAfterTheGuardedServer(t *testing.T) {
	c := guarded(func(*config.Guard) {})
	c.Orchestrator.Instance, c.Orchestrator.Unit, c.Instances = "", "vllm.service", nil
	c.Guards = append(c.Guards, config.Guard{Name: "vllm", Unit: "vllm.service", When: "after", RequireModels: true})
	if got := lines(t, Build(c, Machine{}), client, "60-"); !slices.Equal(got[:2], []string{"Wants=vllm.service", "After=vllm.service"}) {
		t.Errorf("%q", got)
	}
}

func TestPlan_GuardWaitsForNoUnitWhereAServerIsElsewhere(t *testing.T) {
	c := guarded(func(g *config.Guard) { g.RequireBus, g.RequireMPS = true, true })
	c.Orchestrator.Instance, c.Bus.Instance, c.MPS.Unit, c.Instances = "", "", "", nil
	got := lines(t, Build(c, Machine{}), client, "60-")
	if len(got) != 1 || !strings.HasPrefix(got[0], markSetting) {
		t.Errorf("%q, want the mark alone", got)
	}
}

// The generator writes the mark that the gate derives, whatever the machine is like,
// and another one for every configuration that makes another unit of it.
func TestPlan_GuardMarkCoversItsDropIns(t *testing.T) {
	seen := map[string]string{}
	for what, change := range map[string]func(*config.Guard){
		"as it is": func(*config.Guard) {}, "after": func(g *config.Guard) { g.When = "after" },
		"bus": func(g *config.Guard) { g.RequireBus = true }, "timeout": func(g *config.Guard) { g.StartTimeout = 7 },
	} {
		c := guarded(change)
		want, err := GuardMark(c, client)
		if err != nil || want.Mark == "" || len(want.DropIns) != 1 || want.After != c.Guards[0].After() {
			t.Fatalf("%s: %+v, %v", what, want, err)
		}
		got := lines(t, Build(c, Machine{Systemd: 257, GateOff: true}), client, "60-")
		if last := got[len(got)-1]; last != markSetting+"="+facts.MarkVariable+"="+want.Mark {
			t.Errorf("%s: the generator writes %s, the gate wants %s", what, last, want.Mark)
		}
		if other := seen[want.Mark]; other != "" {
			t.Errorf("%s has the mark of %s", what, other)
		}
		seen[want.Mark] = what
	}
	if _, err := GuardMark(guarded(func(*config.Guard) {}), "other.service"); err == nil {
		t.Error("a unit without a guard has a mark")
	}
}

func TestPlan_GuardsLeaveInstancesUnchanged(t *testing.T) {
	with, without := Build(guarded(func(*config.Guard) {}), Machine{}), Build(host(func(*config.Config) {}), Machine{})
	with.DropIns = slices.DeleteFunc(with.DropIns, func(d DropIn) bool { return d.Dir == client+".d" })
	if len(with.DropIns) != len(without.DropIns) {
		t.Fatalf("%d drop-ins, want %d", len(with.DropIns), len(without.DropIns))
	}
	for i := range with.DropIns {
		a, _ := with.DropIns[i].Append(nil)
		b, _ := without.DropIns[i].Append(nil)
		if string(a) != string(b) {
			t.Errorf("%s/%s:\n%s\nwithout the guard:\n%s", with.DropIns[i].Dir, with.DropIns[i].Name, a, b)
		}
	}
}
