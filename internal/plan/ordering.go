// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"justnews/internal/config"
	"justnews/internal/unitfile"
)

// ordering returns Wants= and After= of an instance. Never Requires= or
// BindsTo=: systemd does not retry a job that a dependency failed, and the
// reason would be the dependency's instead of the gate's.
func ordering(lines []unitfile.Line, c *config.Config, inst *config.Instance) []unitfile.Line {
	units := dependencies(c, inst)
	if inst.Name == c.Orchestrator.Instance {
		// Wants= alone: a crash takes the preload down with it (BindsTo=), and
		// only a start job of the orchestrator brings it back. After= would be
		// a cycle, as would the bus, which waits for the preload.
		lines = append(lines, unitfile.Unit("Wants", PreloadUnit))
	}
	for _, unit := range units {
		lines = append(lines, unitfile.Unit("Wants", unit))
	}
	for _, unit := range units {
		lines = append(lines, unitfile.Unit("After", unit))
	}
	return lines
}

// dependencies returns the units that are both wanted and waited for, each once.
func dependencies(c *config.Config, inst *config.Instance) []string {
	units := make([]string, 0, 4+len(inst.After))
	add := func(unit string) {
		if unit != "" && unit != InstanceUnit(inst.Name) && !slices.Contains(units, unit) {
			units = append(units, unit)
		}
	}
	if inst.Name != c.Orchestrator.Instance {
		add(InstanceUnit(c.Orchestrator.Instance))
		add(PreloadUnit)
		if inst.RequireBus {
			add(InstanceUnit(c.Bus.Instance))
		}
	}
	if inst.MPS.Enabled {
		add(c.MPS.Unit)
	}
	for _, other := range inst.After {
		add(InstanceUnit(other))
	}
	return units
}
