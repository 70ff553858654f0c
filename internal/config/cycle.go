// SPDX-License-Identifier: Apache-2.0

package config

import (
	"slices"
	"strconv"

	"justnews/internal/diag"
	"justnews/internal/lists"
	"justnews/internal/unitname"
)

// order is the graph of After= that the generator will write, with edges from a
// unit to those that it is ordered after. Instances are numbered by their
// index, followed by the preload.
type order struct {
	after [][]int
	names []string
}

// orderOf builds the whole graph, implicit edges included: an agent waits for
// the orchestrator, the preload and, where required, the bus; the bus for the
// orchestrator and the preload; the preload for the orchestrator.
func orderOf(c *Config, byName map[string]int) order {
	preload := len(c.Instances)
	g := order{after: make([][]int, preload+1), names: make([]string, preload+1)}
	g.names[preload] = unitname.Preload
	orchestrator, hasOrchestrator := byName[c.Orchestrator.Instance]
	bus, hasBus := byName[c.Bus.Instance]
	if hasOrchestrator {
		g.after[preload] = []int{orchestrator}
	}
	for i := range c.Instances {
		in := &c.Instances[i]
		g.names[i] = in.Name
		edges := make([]int, 0, 4+len(in.After))
		if !hasOrchestrator || i != orchestrator {
			edges = append(edges, preload)
			if hasOrchestrator {
				edges = append(edges, orchestrator)
			}
			if hasBus && in.RequireBus && i != bus {
				edges = append(edges, bus)
			}
		}
		if in.MPS.Enabled {
			if unit, ok := mpsInstance(c.MPS.Unit, byName, preload); ok {
				edges = append(edges, unit)
			}
		}
		for _, name := range in.After {
			if j, ok := byName[name]; ok {
				edges = append(edges, j)
			}
		}
		g.after[i] = edges
	}
	return g
}

// mpsInstance finds mps.unit among the units of the graph. Usually it is not
// one of them.
func mpsInstance(unit string, byName map[string]int, preload int) (int, bool) {
	if unit == unitname.Preload {
		return preload, true
	}
	name := unitname.Instance(unit)
	i, listed := byName[name]
	return i, listed && name != ""
}

// cyclic returns the units that cannot be ordered: those on a cycle or after
// one. It is empty for an acyclic graph.
func (g order) cyclic() []bool {
	before := make([][]int, len(g.after)) // units that wait for it
	open := make([]int, len(g.after))
	for i, edges := range g.after {
		open[i] = len(edges)
		for _, j := range edges {
			before[j] = append(before[j], i)
		}
	}
	queue := make([]int, 0, len(open))
	for i, n := range open {
		if n == 0 {
			queue = append(queue, i)
		}
	}
	for at := 0; at < len(queue); at++ {
		for _, i := range before[queue[at]] {
			if open[i]--; open[i] == 0 {
				queue = append(queue, i)
			}
		}
	}
	if len(queue) == len(open) {
		return nil
	}
	return lists.Map(open, func(n int) bool { return n > 0 })
}

func (g order) shortest(from, to int, within []bool) []int {
	came := map[int]int{from: from}
	queue := []int{from}
	for at := 0; at < len(queue); at++ {
		i := queue[at]
		if i == to {
			var way []int
			for ; i != from; i = came[i] {
				way = append(way, i)
			}
			way = append(way, from)
			slices.Reverse(way)
			return way
		}
		for _, j := range g.after[i] {
			if _, seen := came[j]; !seen && within[j] {
				came[j] = i
				queue = append(queue, j)
			}
		}
	}
	return nil
}

// maxCycles bounds the searches for cycles: each may walk the whole graph, and
// the generator has only seconds.
const maxCycles = 100

// cycles reports each cycle once, at an after that closes it.
func (s *state) cycles(c *Config, byName map[string]int) {
	g := orderOf(c, byName)
	stuck := g.cyclic()
	if stuck == nil {
		return
	}
	found, searches := 0, 0
	member := make([]int, len(g.after)) // the number of the cycle that has been reported
	for i := range c.Instances {
		for n, name := range c.Instances[i].After {
			j, ok := byName[name]
			known := ok && member[i] > 0 && member[i] == member[j] && i != j
			if !ok || !stuck[i] || !stuck[j] || known || searches >= maxCycles {
				continue
			}
			searches++
			if way := g.shortest(j, i, stuck); way != nil {
				found++
				for _, m := range way {
					member[m] = found
				}
				s.cycle(g, way, i, n)
			}
		}
	}
	if found == 0 {
		s.mpsCycle(c, g, byName, stuck)
	}
}

// mpsCycle reports a cycle that no after closes, but mps.unit does.
func (s *state) mpsCycle(c *Config, g order, byName map[string]int, stuck []bool) {
	loop := quote(c.MPS.Unit)
	if unit, ok := mpsInstance(c.MPS.Unit, byName, len(c.Instances)); ok {
		for i := range c.Instances {
			if way := g.shortest(unit, i, stuck); c.Instances[i].MPS.Enabled && way != nil {
				loop = g.loop(i, way)
				break
			}
		}
	}
	s.fail(diag.ConfigCycle, []string{"mps", "unit"}, atValue, "mps.unit closes an ordering cycle, each after the next: "+loop,
		quote(c.MPS.Unit), "a unit that is not an instance", "name the unit of the MPS control daemon")
}

// loop writes the path from what i is ordered after back to i.
func (g order) loop(i int, way []int) string {
	loop := g.names[i]
	for _, m := range way {
		loop += " -> " + g.names[m]
	}
	return loop
}

// cycle reports one cycle: way is the path from the unit named by after[n] of
// instance i back to i.
func (s *state) cycle(g order, way []int, i, n int) {
	path := []string{"instances", g.names[i], "after", "[" + strconv.Itoa(n) + "]"}
	loop := g.loop(i, way)
	message := "ordering cycle, each after the next: " + loop
	if len(way) == 1 {
		message = g.names[i] + " is after itself"
	}
	s.fail(diag.ConfigCycle, path, atValue, message, loop, "an acyclic order", "remove "+quote(g.names[way[0]])+" from the after of "+g.names[i])
}
