// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"justnews/internal/config"
	"justnews/internal/timespan"
	"justnews/internal/unitfile"
)

// preload ties justnews-preload.service to the orchestrator: a job that ran in
// an orchestrator that is gone says nothing, so it ends with it, however that
// ends. It doesn't start the orchestrator, as BindsTo= and Wants= would: systemd
// starts what a unit wants whenever it goes to its pause between two restarts,
// and a start job for the orchestrator would end that pause. It needs no tie to
// one that is no unit of this host.
func (s *shared) preload() DropIn {
	unit := slices.Clone(s.source)
	if orchestrator := InstanceUnit(s.Orchestrator.Instance); orchestrator != "" {
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
	return file(PreloadUnit+".d", "60-justnews-preload.conf",
		unitfile.Section{Name: "Unit", Lines: unit},
		unitfile.Section{Name: "Service", Lines: s.paths(service, &as)})
}

// preflight looks with the orchestrator's eyes: what it finds readable is what
// the orchestrator can read, and the control daemon's sockets are not hidden.
func (s *shared) preflight() DropIn {
	as := preloadService(s.Config)
	service := s.paths([]unitfile.Line{
		unitfile.Plain("User", as.User),
		unitfile.Plain("Group", as.Group),
		unitfile.Plain("ProtectHome", as.ProtectHome),
	}, &as)
	mps := func(i config.Instance) bool { return i.MPS.Enabled }
	if private(s.MPS.PipeDirectory) && slices.ContainsFunc(s.Instances, mps) {
		service = append(service, unitfile.ListedPath("BindPaths", s.MPS.PipeDirectory, true))
	}
	return file(PreflightUnit+".d", "60-justnews-preflight.conf",
		unitfile.Section{Name: "Unit", Lines: s.source},
		unitfile.Section{Name: "Service", Lines: service})
}

// preloadService is the orchestrator's user and view of the file system: what
// the preload finds readable in the Model Store is then what the orchestrator
// can read.
func preloadService(c *config.Config) config.Service {
	inst, ok := c.Instance(c.Orchestrator.Instance)
	if !ok {
		return firstService(c, func(config.Instance) bool { return true })
	}
	return inst.Service
}

// firstService returns [service] of the first instance that fits, else what
// matters here of the packaged defaults.
func firstService(c *config.Config, fits func(config.Instance) bool) config.Service {
	if i := slices.IndexFunc(c.Instances, fits); i >= 0 {
		return c.Instances[i].Service
	}
	return config.Service{User: "justnews", Group: "justnews", ProtectHome: "yes"}
}

// heal gives HealTarget all that the target starts. It can't want the target
// itself: that is active, so that systemd drops its job, and with it all that it
// would start. That the file exists is what HealUnit waits for.
func (s *shared) heal() DropIn {
	unit := slices.Clone(s.source)
	for _, name := range s.wanted {
		unit = append(unit, unitfile.Unit("Wants", name))
	}
	return file(HealTarget+".d", "60-justnews-heal.conf", unitfile.Section{Name: "Unit", Lines: unit})
}

// target makes a start of justnews.target return when every enabled instance
// has started or failed. A link in .wants does not order by itself: the target
// has DefaultDependencies=no.
func (s *shared) target(wanted []string) DropIn {
	unit := slices.Clone(s.source)
	for _, name := range wanted {
		unit = append(unit, unitfile.Unit("After", name))
	}
	for _, name := range s.wanted {
		if !slices.Contains(wanted, name) { // a link in .wants wants the others
			unit = append(unit, unitfile.Unit("Wants", name))
		}
	}
	return file(Target+".d", "60-justnews-target.conf", unitfile.Section{Name: "Unit", Lines: unit})
}
