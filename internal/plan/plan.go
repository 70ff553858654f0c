// SPDX-License-Identifier: Apache-2.0

// Package plan turns a configuration and facts about the machine into the
// drop-ins that the generator writes. It is pure: it opens no files, queries
// nothing and cannot fail; whether a string can be written to a unit file is
// decided when the plan is rendered.
package plan

import (
	"time"

	"justnews/internal/config"
	"justnews/internal/unitfile"
	"justnews/internal/unitname"
)

// Machine is what Build needs besides the configuration. The zero value is a
// machine without environment files and with every gate shut.
type Machine struct {
	// EnvTimeouts are the values of GATE_TIMEOUT in /etc/justnews/NAME.env, by
	// NAME. Invalid ones are left out: the gate refuses them.
	EnvTimeouts map[string]time.Duration
	// Systemd is its version, 0 if unknown. Settings of later versions are left
	// out.
	Systemd int
	// GateOff is justnews.gate=off on the kernel command line.
	GateOff bool
}

// Plan is everything that the generator writes. The paths are below its output
// directory.
type Plan struct {
	// Base is the fail-closed drop-in of every instance, listed or not. It is
	// written before anything else.
	Base DropIn
	// DropIns are the others, grouped by directory.
	DropIns []DropIn
	// Wanted are the units that justnews.target starts.
	Wanted []string
	// GateOff requests the marker file that the gate trusts.
	GateOff bool
}

// DropIn is one file, Name in the directory Dir.
type DropIn struct {
	Dir, Name string
	unitfile.File
}

// Names of units and directories that are also used in the static units.
const (
	PreflightUnit = "justnews-preflight.service"
	HealUnit      = "justnews-heal.path"
	HealTarget    = "justnews-heal.target"
	globalEnv     = "global"
)

// Build returns the plan for a configuration that was loaded without an error.
// What instances depend on comes before them, so that a complete instance has
// the rest as well.
func Build(c *config.Config, m Machine) *Plan {
	host, fixed := newShared(c, m), newShared(c, Machine{})
	p := &Plan{
		Base:    host.base(),
		DropIns: make([]DropIn, 0, 2*len(c.Instances)+5),
		GateOff: m.GateOff,
	}
	for i := range c.Instances {
		if c.Instances[i].Enabled {
			p.Wanted = append(p.Wanted, unitname.Of(c.Instances[i].Name))
		}
	}
	p.DropIns = append(p.DropIns, host.commonVariables(), host.commonSettings(), host.preload(),
		host.look(PreflightUnit, "60-justnews-preflight.conf"), host.look(unitname.Watch, "60-justnews-watch.conf"))
	if c.MPS.Unit == unitname.MPS {
		p.DropIns = append(p.DropIns, host.mps())
	}
	// The same error occurs when the value is rendered.
	marks, err := newMarker(fixed.template()...)
	for i := range c.Instances {
		inst := &c.Instances[i]
		mark := ""
		if err == nil {
			mark, _ = marks.of(fixed.instance(inst))
		}
		p.DropIns = append(p.DropIns, withMark(host.instance(inst), mark)...)
	}
	p.DropIns = append(p.DropIns, host.target(p.Wanted), host.heal())
	for i := range c.Guards {
		mark, _ := guardMark(fixed.guard(&c.Guards[i]))
		p.DropIns = append(p.DropIns, withMark(host.guard(&c.Guards[i]), mark)...)
	}
	return p
}

// shared is what the drop-ins of all instances have in common.
type shared struct {
	*config.Config
	machine Machine
	source  []unitfile.Line
	store   []unitfile.Line
	wanted  []string // what justnews.target starts
}

func newShared(c *config.Config, m Machine) *shared {
	return &shared{c, m, source(c), storeVariables(c), wanted(c)}
}

func (s *shared) base() DropIn { return base(baseTimeout(s.Gate.Timeout, s.machine), false) }

func (s *shared) template() []DropIn {
	return []DropIn{s.base(), s.commonVariables(), s.commonSettings()}
}

// instance returns the drop-ins of one, in the order in which they are written:
// its variables, where it has any of its own, and its settings, which end with
// the mark.
func (s *shared) instance(inst *config.Instance) []DropIn {
	settings := s.settings(inst)
	if variables := s.variables(inst); len(variables.Sections) > 0 {
		return []DropIn{variables, settings}
	}
	return []DropIn{settings}
}

// Closed returns the plan for a configuration that is broken or missing: every
// instance is gated and none is started. Instead, the target starts HealUnit,
// which starts HealTarget, and so all instances, once a reload has found a
// valid configuration.
func Closed(m Machine) *Plan {
	return &Plan{
		Base: base(baseTimeout(DefaultGateTimeout, m), true), Wanted: []string{HealUnit}, GateOff: m.GateOff,
	}
}

// source is SourcePath=, which makes systemd report that a reload is due when
// that file changes. It takes only one file, so it is the first that was read,
// the main file, if there is one.
func source(c *config.Config) []unitfile.Line {
	if len(c.Files) == 0 {
		return nil
	}
	return []unitfile.Line{unitfile.Path("SourcePath", c.Files[0])}
}

// file is a drop-in with the lines of its two sections.
func file(dir, name string, unit, service []unitfile.Line) DropIn {
	d := DropIn{Dir: dir, Name: name, File: unitfile.File{Comment: comment}}
	for _, s := range []unitfile.Section{{Name: "Unit", Lines: unit}, {Name: "Service", Lines: service}} {
		if len(s.Lines) > 0 {
			d.Sections = append(d.Sections, s)
		}
	}
	return d
}

var comment = []string{"Written by justnews-generator. Edit /etc/justnews/justnews.toml, then: systemctl daemon-reload"}
