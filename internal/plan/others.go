// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"justnews/internal/config"
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
	return file(unitname.Preload+".d", "60-justnews-preload.conf",
		unitfile.Section{Name: "Unit", Lines: unit},
		unitfile.Section{Name: "Service", Lines: s.paths(service, &as)})
}

// looks are the units that look at the host. They run as the orchestrator's user with
// its view of the file system: they can read what the orchestrator can read, and the
// control daemon's sockets are not hidden.
func (s *shared) looks() []DropIn {
	return []DropIn{
		s.look(PreflightUnit, "60-justnews-preflight.conf"),
		s.look(unitname.Watch, "60-justnews-watch.conf"),
	}
}

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
	return file(unit+".d", name,
		unitfile.Section{Name: "Unit", Lines: s.source},
		unitfile.Section{Name: "Service", Lines: service})
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
	return file(HealTarget+".d", "60-justnews-heal.conf", unitfile.Section{Name: "Unit", Lines: unit})
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
	return file(unitname.Target+".d", "60-justnews-target.conf", unitfile.Section{Name: "Unit", Lines: unit})
}
