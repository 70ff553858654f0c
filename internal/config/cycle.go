// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/lists"
	"justnews/internal/unitname"
)

// Dependencies returns the units that an instance is ordered after: every instance but
// the orchestrator after that, the preload and, where required, the bus.
func (c *Config) Dependencies(in *Instance) []string {
	units := make([]string, 0, 4+len(in.After))
	add := func(unit string) {
		if unit != "" && unit != unitname.Of(in.Name) && !slices.Contains(units, unit) {
			units = append(units, unit)
		}
	}
	if in.Name != c.Orchestrator.Instance {
		add(c.Orchestrator.ServedBy())
		add(unitname.Preload)
		if in.RequireBus {
			add(unitname.Of(c.Bus.Instance))
		}
	}
	if in.MPS.Enabled {
		add(c.MPS.Unit)
	}
	for _, other := range in.After {
		add(unitname.Of(other))
	}
	return units
}

// maxCycles bounds the reports of cycles: each names all units of its cycle, and the
// generator has only seconds.
const maxCycles = 100

// cycles reports the cycles in the order of the units that the generator will write.
func (s *state) cycles(c *Config, byName map[string]int) {
	after := map[string][]string{unitname.Preload: {c.Orchestrator.ServedBy()}}
	for i := range c.Instances {
		in := &c.Instances[i]
		unit := unitname.Of(in.Name)
		after[unit] = c.Dependencies(in)
		if slices.Contains(in.After, in.Name) || in.MPS.Enabled && c.MPS.Unit == unit {
			after[unit] = append(after[unit], unit)
		}
	}
	const visited = -1
	var way []string          // from an instance to one that it is after
	depth := map[string]int{} // in way, counted from 1
	reported := map[string]bool{}
	var visit func(unit string)
	visit = func(unit string) {
		way = append(way, unit)
		depth[unit] = len(way)
		for _, next := range after[unit] {
			switch at := depth[next]; {
			case at == 0:
				visit(next)
			case at != visited && len(reported) < maxCycles:
				s.cycle(c, byName, way[at-1:], reported)
			}
		}
		way, depth[unit] = way[:len(way)-1], visited
	}
	for _, name := range c.InstanceNames() {
		if depth[unitname.Of(name)] == 0 {
			visit(unitname.Of(name))
		}
	}
}

// cycle reports a cycle, each of whose units is after the next one: once, at the first
// after that closes it, otherwise at the key that names an instance as another unit.
func (s *state) cycle(c *Config, byName map[string]int, units []string, reported map[string]bool) {
	names := lists.Map(units, func(unit string) string { return cmp.Or(unitname.Instance(unit), unit) })
	path, n := []string{"mps", "unit"}, 0
	if slices.Contains(units, c.Orchestrator.Unit) {
		path[0] = "orchestrator"
	}
	for at, name := range names {
		i, listed := byName[name]
		if !listed {
			continue
		}
		if next := slices.Index(c.Instances[i].After, names[(at+1)%len(names)]); next >= 0 {
			path, n = []string{"instances", name, "after", "[" + strconv.Itoa(next) + "]"}, at
			break
		}
	}
	if reported[dotted(path)] {
		return
	}
	reported[dotted(path)] = true
	loop := slices.Concat(names[n:], names[:n+1])
	message := "ordering cycle, each after the next: " + strings.Join(loop, " -> ")
	seen, expected, fix := strings.Join(loop, " -> "), "an acyclic order", "remove "+quote(loop[1])+" from the after of "+loop[0]
	switch {
	case path[0] == "mps":
		message = "mps.unit closes an " + message
		seen, expected, fix = quote(c.MPS.Unit), "a unit that is not an instance", "name the unit of the MPS control daemon"
	case path[0] == "orchestrator":
		message = "orchestrator.unit closes an " + message
		seen, expected, fix = quote(c.Orchestrator.Unit), "a unit that is not an instance", "name the instance in orchestrator.instance, and remove orchestrator.unit"
	case loop[0] == loop[1]:
		message = loop[0] + " is after itself"
	}
	s.fail(diag.ConfigCycle, path, atValue, message, seen, expected, fix)
}
