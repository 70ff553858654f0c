// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"

	"justnews/internal/config"
	"justnews/internal/facts"
	"justnews/internal/timespan"
	"justnews/internal/unitfile"
	"justnews/internal/unitname"
)

// preload ties justnews-preload.service to the orchestrator: a job of an
// orchestrator that has exited proves nothing, so the preload stops with it,
// for whatever reason. It does not start the orchestrator, as BindsTo= and
// Wants= would: systemd starts what a unit wants whenever the unit enters its
// pause between two restarts, and a start job for the orchestrator would end
// that pause. If the orchestrator is not a unit of this host, there is nothing
// to tie to.
func (s *shared) preload() DropIn {
	unit := slices.Clone(s.source)
	if orchestrator := s.Orchestrator.ServedBy(); orchestrator != "" {
		unit = append(unit,
			unitfile.Unit("StopPropagatedFrom", orchestrator),
			unitfile.Unit("PartOf", orchestrator),
			unitfile.Unit("After", orchestrator))
	}
	unit = s.mounts(unit, storePaths(s.Config)...)
	as := preloadService(s.Config)
	service := slices.Concat([]unitfile.Line{
		unitfile.Plain("TimeoutStartSec", span(preloadTimeout(s.Config, s.machine))),
		unitfile.Plain("User", as.User),
		unitfile.Plain("Group", as.Group),
		unitfile.Plain("ProtectHome", as.ProtectHome),
		unitfile.Assignment("GATE_TIMEOUT", timespan.Plain(s.Gate.Timeout)),
		unitfile.Assignment("GPU_ORCHESTRATOR_URL", s.Orchestrator.URL),
		unitfile.Assignment("MCP_BUS_URL", s.Bus.URL),
	}, s.store)
	service = s.apiKey(service)
	return file(unitname.Preload+".d", "60-justnews-preload.conf", unit, s.paths(service, &as))
}

// look is the drop-in of a unit that looks at the host. It runs as the orchestrator's user
// with its view of the file system: it can read what the orchestrator can read, and the
// control daemon's sockets are not hidden.
func (s *shared) look(unit, name string) DropIn {
	as := preloadService(s.Config)
	service := s.paths([]unitfile.Line{
		unitfile.Plain("User", as.User),
		unitfile.Plain("Group", as.Group),
		unitfile.Plain("ProtectHome", as.ProtectHome),
	}, &as)
	service = s.apiKey(service)
	mps := func(i config.Instance) bool { return i.MPS.Enabled }
	if private(s.MPS.PipeDirectory) && slices.ContainsFunc(s.Instances, mps) {
		service = append(service, unitfile.ListedPath("BindPaths", s.MPS.PipeDirectory, true))
	}
	return file(unit+".d", name, s.source, service)
}

// preloadService is the orchestrator's user and view of the file system, so
// that the preload can read in the Model Store what the orchestrator can read.
func preloadService(c *config.Config) config.Service {
	inst, ok := c.Instance(c.Orchestrator.Instance)
	if !ok {
		return firstService(c, func(config.Instance) bool { return true })
	}
	return inst.Service
}

// firstService returns [service] of the first matching instance, otherwise the
// packaged defaults that matter here.
func firstService(c *config.Config, fits func(config.Instance) bool) config.Service {
	if i := slices.IndexFunc(c.Instances, fits); i >= 0 {
		return c.Instances[i].Service
	}
	return config.Service{User: "justnews", Group: "justnews", ProtectHome: "yes"}
}

// heal makes HealTarget want all that the target starts. It cannot want the
// target itself: that is active, so systemd would drop its job and with it
// everything that it would start. HealUnit waits for this file to exist.
func (s *shared) heal() DropIn {
	unit := slices.Clone(s.source)
	for _, name := range s.wanted {
		unit = append(unit, unitfile.Unit("Wants", name))
	}
	return file(HealTarget+".d", "60-justnews-heal.conf", unit, nil)
}

// target makes a start of justnews.target return when every enabled instance
// has started or failed. A link in .wants does not order: the target has
// DefaultDependencies=no. A target that starts nothing says so in its description, since its
// start succeeds nevertheless.
func (s *shared) target(wanted []string) DropIn {
	unit := slices.Clone(s.source)
	if !slices.ContainsFunc(s.Instances, func(i config.Instance) bool { return i.Enabled }) {
		unit = append(unit, unitfile.Verbatim("Description", "JustNews agents: none is enabled in justnews.toml"))
	}
	for _, name := range wanted {
		unit = append(unit, unitfile.Unit("After", name))
	}
	for _, name := range s.wanted {
		if !slices.Contains(wanted, name) { // the others are wanted by a link in .wants
			unit = append(unit, unitfile.Unit("Wants", name))
		}
	}
	return file(unitname.Target+".d", "60-justnews-target.conf", unit, nil)
}

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
		file(g.Unit+".d", GuardSettingsName, unit, service),
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

// exists reports whether a unit is not an instance, or is a listed one: an instance
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
