// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strconv"
	"strings"

	"justnews/internal/config"
	"justnews/internal/unitfile"
)

// settings is 60-justnews-instance.conf: everything but the variables.
func (s *shared) settings(inst *config.Instance) DropIn {
	timeout := startTimeout(s.machine, inst)
	unit := make([]unitfile.Line, 0, 16+2*len(inst.After))
	unit = append(unit, s.source...)
	unit = s.ordering(unit, inst)
	unit = s.mounts(unit, append(storePaths(s.Config), programPaths(&inst.Service)...)...)
	service := make([]unitfile.Line, 0, 16+len(inst.Service.ReadOnlyPaths)+len(inst.Service.ReadWritePaths))
	service = append(service, unitfile.Plain("TimeoutStartSec", span(timeout)))
	service = s.process(service, inst)
	service = s.paths(service, &inst.Service)
	service = s.mpsPaths(service, inst)
	return file(InstanceUnit(inst.Name)+".d", "60-justnews-instance.conf",
		unitfile.Section{Name: "Unit", Lines: unit}, unitfile.Section{Name: "Service", Lines: service})
}

// process replaces the template's command: ExecStart= is a list, which the
// empty line empties.
func (s *shared) process(lines []unitfile.Line, inst *config.Instance) []unitfile.Line {
	argv := make([]string, len(inst.Service.Exec))
	for i, arg := range inst.Service.Exec {
		argv[i] = strings.ReplaceAll(arg, "{instance}", inst.Name)
	}
	lines = append(lines,
		unitfile.Plain("User", inst.Service.User),
		unitfile.Plain("Group", inst.Service.Group),
		unitfile.Path("WorkingDirectory", inst.Service.WorkingDirectory),
		unitfile.Reset("ExecStart"),
		unitfile.CommandLine("ExecStart", argv))
	lines = paced(lines, s.machine, inst.Service.Restart)
	lines = append(lines, unitfile.Plain("LimitNOFILE", strconv.Itoa(inst.Service.LimitNOFILE)))
	if inst.Service.MemoryMax != "" {
		lines = append(lines, unitfile.Size("MemoryMax", inst.Service.MemoryMax))
	}
	return lines
}

// paths tolerates a missing path ("-"): the gate names it, where systemd would
// only say 226/NAMESPACE.
func (s *shared) paths(lines []unitfile.Line, service *config.Service) []unitfile.Line {
	home := service.ProtectHome
	lines = append(lines, unitfile.Plain("ProtectHome", home))
	for _, p := range [...]string{s.Models.Root, s.Models.BaseDir, s.Models.Map} {
		if hiddenHome(home, p) {
			lines = append(lines, readOnly(home, p))
		}
	}
	for _, p := range service.ReadOnlyPaths {
		lines = append(lines, readOnly(home, p))
	}
	for _, p := range service.ReadWritePaths {
		if hiddenHome(home, p) {
			lines = append(lines, unitfile.ListedPath("BindPaths", p, true))
			continue
		}
		lines = append(lines, unitfile.ListedPath("ReadWritePaths", p, true))
	}
	return lines
}

// readOnly: a path below a home that is hidden by an empty tmpfs does not exist
// in there until it is bound in.
func readOnly(protectHome, p string) unitfile.Line {
	if hiddenHome(protectHome, p) {
		return unitfile.ListedPath("BindReadOnlyPaths", p, true)
	}
	return unitfile.ListedPath("ReadOnlyPaths", p, true)
}

func hiddenHome(protectHome, p string) bool {
	return protectHome == "tmpfs" && (below(p, "/home") || below(p, "/root") || below(p, "/run/user"))
}

// mpsPaths lets an agent reach the control daemon's sockets. PrivateTmp= hides
// a pipe directory below /tmp, so it is bound in; missing at that moment it is
// left out, and the gate refuses and is tried again in a namespace of its own.
// (JoinsNamespaceOf= would need the daemon to run before every agent.)
func (s *shared) mpsPaths(lines []unitfile.Line, inst *config.Instance) []unitfile.Line {
	switch {
	case !inst.MPS.Enabled:
		return lines
	case private(s.MPS.PipeDirectory):
		return append(lines, unitfile.ListedPath("BindPaths", s.MPS.PipeDirectory, true))
	default:
		return append(lines, unitfile.ListedPath("ReadWritePaths", s.MPS.PipeDirectory, true))
	}
}

// private reports whether PrivateTmp= hides a path.
func private(p string) bool { return below(p, "/tmp") || below(p, "/var/tmp") }

func below(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }
