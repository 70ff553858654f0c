// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"justnews/internal/diag"
	"justnews/internal/unitname"
)

func cyclesOf(text string) (found []string) {
	for _, p := range loadText(text).problems {
		if p.Code == diag.ConfigCycle {
			found = append(found, fmt.Sprintf("%d: %s", p.Position.Line, p.Message))
		}
	}
	return found
}

func TestCycles_EachIsReportedWhereItCanBeBroken(t *testing.T) {
	const servers = "[instances.gpu_orchestrator]\n[instances.mcp_bus]\n"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"none": {"[instances.a]\nafter = ['b', 'c']\n[instances.b]\nafter = ['c']\n[instances.c]\n", nil},
		"two through one instance": {
			"[instances.a]\nafter = ['b']\n[instances.b]\nafter = ['a', 'c']\n[instances.c]\nafter = ['b']\n",
			[]string{"4: ordering cycle, each after the next: a -> b -> a", "6: ordering cycle, each after the next: b -> c -> b"},
		},
		"an instance that is the MPS daemon of itself": {
			"[instances.a]\nmps = { enabled = true }\n[mps]\nunit = 'justnews@a.service'\n",
			[]string{"6: mps.unit closes an ordering cycle, each after the next: a -> a"},
		},
		"the preload as the MPS daemon of the orchestrator": {
			"[instances.gpu_orchestrator.mps]\nenabled = true\n[mps]\nunit = 'justnews-preload.service'\n",
			[]string{"6: mps.unit closes an ordering cycle, each after the next: gpu_orchestrator -> justnews-preload.service -> gpu_orchestrator"},
		},
		"the orchestrator's instance as its unit": {
			"[instances.a]\n[mps]\nunit = 'mps.service'\n[orchestrator]\nunit = 'justnews@a.service'\n",
			[]string{"7: orchestrator.unit closes an ordering cycle, each after the next: a -> justnews-preload.service -> a"},
		},
		"an after and mps.unit": {
			"[instances.a]\nafter = ['b']\nmps = { enabled = true }\n[instances.b]\nafter = ['a']\nmps = { enabled = true }\n[mps]\nunit = 'justnews@b.service'\n",
			[]string{"4: ordering cycle, each after the next: a -> b -> a", "10: mps.unit closes an ordering cycle, each after the next: b -> b"},
		},
	} {
		if got := cyclesOf(servers + c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// The second judge sorts: what no order exists for has a cycle.
func TestCycles_AreReportedExactlyWhereNoOrderExists(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	cyclic := 0
	for range 500 {
		var b strings.Builder
		b.WriteString("[instances.gpu_orchestrator]\n[instances.mcp_bus]\n")
		n := 2 + random.IntN(6)
		for i := range n {
			var after []string
			for range random.IntN(3) {
				if name := fmt.Sprintf("'i%d'", random.IntN(n)); !slices.Contains(after, name) {
					after = append(after, name)
				}
			}
			fmt.Fprintf(&b, "[instances.i%d]\nafter = [%s]\nmps = { enabled = %t }\n", i, strings.Join(after, ", "), random.IntN(4) == 0)
		}
		fmt.Fprintf(&b, "[mps]\nunit = 'justnews@i%d.service'\n", random.IntN(2*n))
		if random.IntN(8) == 0 {
			fmt.Fprintf(&b, "[orchestrator]\nunit = 'justnews@i%d.service'\n", random.IntN(2*n))
		}
		s := loadText(b.String())
		want := !sorts(s.translate())
		if got := len(cyclesOf(b.String())) > 0; got != want {
			t.Fatalf("cycle %t, want %t:\n%s", got, want, b.String())
		}
		if want {
			cyclic++
		}
	}
	if cyclic < 50 || cyclic > 450 {
		t.Errorf("%d of 500 have a cycle", cyclic)
	}
}

// sorts removes, again and again, the instances that are after none that is left.
func sorts(c *Config) bool {
	left := map[string][]string{unitname.Preload: {c.Orchestrator.ServedBy()}}
	for _, i := range c.Instances {
		unit := unitname.Of(i.Name)
		left[unit] = c.Dependencies(&i)
		if slices.Contains(i.After, i.Name) || i.MPS.Enabled && c.MPS.Unit == unit {
			return false
		}
	}
	for removed := true; removed; {
		removed = false
		for unit, after := range left {
			if !slices.ContainsFunc(after, func(other string) bool { _, there := left[other]; return there }) {
				delete(left, unit)
				removed = true
			}
		}
	}
	return len(left) == 0
}
