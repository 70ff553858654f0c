// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"

	"justnews/internal/config"
	"justnews/internal/facts"
	"justnews/internal/unitfile"
	"justnews/internal/unitname"
)

// The drop-ins of a guarded unit: its gate's line, and the settings derived from the
// configuration. justnews-gate guard install writes the first below /etc, which masks the
// generated one of the same name.
const (
	GuardName         = "50-justnews-guard.conf"
	GuardSettingsName = "60-justnews-guard.conf"
)

// The lines of guards, which must not change, as Gate.
const (
	GuardBefore = "ExecStartPre=/usr/bin/justnews-gate --gate-only %n"
	GuardAfter  = "ExecStartPost=/usr/bin/justnews-gate ready %n"
)

// GuardLine is the drop-in with the line of a guarded unit. Nothing in it depends on
// anything but the two arguments.
func GuardLine(unit string, after bool, comment ...string) DropIn {
	line := unitfile.Verbatim("ExecStartPre", "/usr/bin/justnews-gate --gate-only %n")
	if after {
		line = unitfile.Verbatim("ExecStartPost", "/usr/bin/justnews-gate ready %n")
	}
	return DropIn{Dir: unit + ".d", Name: GuardName, File: unitfile.File{
		Comment: comment, Sections: []unitfile.Section{{Name: "Service", Lines: []unitfile.Line{line}}},
	}}
}

// guard returns the drop-ins of a guarded unit, without the mark. What the unit's own
// package decides stays as it is: user, sandbox, restarts, notifications.
func (s *shared) guard(g *config.Guard) []DropIn {
	var unit, service []unitfile.Line
	units := s.guardDependencies(g)
	for _, name := range units {
		// As for an instance: what the target starts is not wanted. The preload
		// would start the orchestrator of a host that has none.
		if name != unitname.Preload && !slices.Contains(s.wanted, name) {
			unit = append(unit, unitfile.Unit("Wants", name))
		}
	}
	for _, name := range units {
		unit = append(unit, unitfile.Unit("After", name))
	}
	if g.StartTimeout > 0 {
		service = append(service, unitfile.Plain("TimeoutStartSec", span(g.StartTimeout)))
	}
	if g.RequireModels {
		service = s.apiKey(service)
	}
	return []DropIn{
		GuardLine(g.Unit, g.After(), comment...),
		file(g.Unit+".d", GuardSettingsName, unitfile.Section{Name: "Unit", Lines: unit}, unitfile.Section{Name: "Service", Lines: service}),
	}
}

// guardDependencies returns the units that a guarded unit waits for. config refuses a
// guard that waits for its own.
func (s *shared) guardDependencies(g *config.Guard) []string {
	var units []string
	add := func(unit string) {
		if unit != "" {
			units = append(units, unit)
		}
	}
	if g.RequireModels && !g.After() {
		if server := s.Orchestrator.ServedBy(); s.exists(server) {
			add(server)
		}
		if slices.Contains(s.wanted, unitname.Preload) {
			add(unitname.Preload)
		}
	}
	if bus := unitname.Of(s.Bus.Instance); g.RequireBus && s.exists(bus) {
		add(bus)
	}
	if g.RequireMPS {
		add(s.MPS.Unit)
	}
	return units
}

// exists reports whether a unit is no instance, or one that is listed: an instance
// that is the server by default may be none of this host.
func (s *shared) exists(unit string) bool {
	name := unitname.Instance(unit)
	_, listed := s.Instance(name)
	return name == "" || listed
}

// GuardMark is Mark for a guarded unit. The drop-in with the gate's line may be the
// one below /etc.
func GuardMark(c *config.Config, unit string) (facts.Mark, error) {
	g, ok := c.Guard(unit)
	if !ok {
		return facts.Mark{}, fmt.Errorf("cannot derive a mark: no guard of %s", unit)
	}
	files := newShared(c, Machine{}).guard(&g)
	mark, err := guardMark(files)
	last := &files[len(files)-1]
	return facts.Mark{Mark: mark, DropIns: []string{GeneratorDir + "/" + last.Dir + "/" + last.Name}, After: g.After()}, err
}

func guardMark(files []DropIn) (string, error) {
	m, err := newMarker()
	if err != nil {
		return "", err
	}
	return m.of(files)
}
