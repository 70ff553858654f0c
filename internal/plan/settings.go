// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/config"
	"justnews/internal/lists"
	"justnews/internal/unitfile"
	"justnews/internal/unitname"
)

// commonSettings is what [service] gives every instance, in a number that a
// drop-in made by hand for an older JustNews comes before.
func (s *shared) commonSettings() DropIn {
	unit := s.mounts(slices.Clone(s.source), append(storePaths(s.Config), programPaths(&s.Service)...)...)
	service := []unitfile.Line{
		unitfile.Plain("User", s.Service.User),
		unitfile.Plain("Group", s.Service.Group),
		unitfile.Path("WorkingDirectory", s.Service.WorkingDirectory),
	}
	if slices.Equal(s.Service.Exec, config.DefaultExec) {
		service = append(service, unitfile.Reset("ExecStart"), unitfile.Verbatim("ExecStart", "/usr/local/bin/justnews-start-agent.sh %i"))
	}
	service = paced(service, s.machine, s.Service.Restart)
	service = append(service, unitfile.Plain("LimitNOFILE", strconv.Itoa(s.Service.LimitNOFILE)))
	if s.Service.MemoryMax != "" {
		service = append(service, unitfile.Size("MemoryMax", s.Service.MemoryMax))
	}
	service = append(service, unitfile.Plain("ProtectHome", s.Service.ProtectHome))
	service = s.credentials(service, &s.Service)
	return file(BaseDir, SettingsName, unit, service)
}

// settings is 60-justnews-instance.conf: everything that an instance has of its
// own but the variables.
func (s *shared) settings(inst *config.Instance) DropIn {
	unit := s.ordering(make([]unitfile.Line, 0, 8+2*len(inst.After)), inst)
	if paths := programPaths(&inst.Service); !slices.Equal(paths, programPaths(&s.Service)) {
		unit = s.mounts(unit, paths...)
	}
	service := make([]unitfile.Line, 0, 8+len(inst.Service.ReadOnlyPaths)+len(inst.Service.ReadWritePaths))
	if timeout := startTimeout(s.machine, inst); timeout != baseTimeout(s.Gate.Timeout, s.machine) {
		service = append(service, unitfile.Plain("TimeoutStartSec", span(timeout)))
	}
	service = s.process(service, inst)
	service = s.paths(service, &inst.Service)
	service = s.mpsPaths(service, inst)
	return file(unitname.Of(inst.Name)+".d", "60-justnews-instance.conf", unit, service)
}

// process is where an instance differs from [service].
func (s *shared) process(lines []unitfile.Line, inst *config.Instance) []unitfile.Line {
	own, all := &inst.Service, &s.Service
	if own.User != all.User {
		lines = append(lines, unitfile.Plain("User", own.User))
	}
	if own.Group != all.Group {
		lines = append(lines, unitfile.Plain("Group", own.Group))
	}
	if own.WorkingDirectory != all.WorkingDirectory {
		lines = append(lines, unitfile.Path("WorkingDirectory", own.WorkingDirectory))
	}
	if !slices.Equal(own.Exec, all.Exec) || !slices.Equal(all.Exec, config.DefaultExec) {
		lines = append(lines, unitfile.Reset("ExecStart"), unitfile.CommandLine("ExecStart", command(inst)))
	}
	if own.Restart != all.Restart {
		lines = paced(lines, s.machine, own.Restart)
		if s.machine.Systemd >= stepsSince && own.Restart >= longest {
			lines = append(lines, unitfile.Verbatim("RestartSteps", "0"), unitfile.Verbatim("RestartMaxDelaySec", "infinity"))
		}
	}
	if own.LimitNOFILE != all.LimitNOFILE {
		lines = append(lines, unitfile.Plain("LimitNOFILE", strconv.Itoa(own.LimitNOFILE)))
	}
	if own.MemoryMax != all.MemoryMax {
		lines = append(lines, unitfile.Size("MemoryMax", cmp.Or(own.MemoryMax, "infinity")))
	}
	if own.ProtectHome != all.ProtectHome {
		lines = append(lines, unitfile.Plain("ProtectHome", own.ProtectHome))
	}
	if !slices.Equal(own.Credentials, all.Credentials) || !slices.Equal(own.EncryptedCredentials, all.EncryptedCredentials) {
		// Either setting empties both lists, on every systemd from 252 on.
		lines = append(lines, unitfile.Reset("LoadCredential"), unitfile.Reset("LoadCredentialEncrypted"))
		lines = s.credentials(lines, own)
	}
	return lines
}

func (s *shared) apiKey(lines []unitfile.Line) []unitfile.Line {
	if s.Orchestrator.APIKeyFile == "" {
		return lines
	}
	return append(lines, unitfile.Plain("LoadCredential", config.APIKey+":"+s.Orchestrator.APIKeyFile))
}

// credentials are read by root, before the sandbox.
func (s *shared) credentials(lines []unitfile.Line, service *config.Service) []unitfile.Line {
	lines = s.apiKey(lines)
	for _, c := range service.Credentials {
		lines = append(lines, unitfile.Plain("LoadCredential", c))
	}
	for _, c := range service.EncryptedCredentials {
		lines = append(lines, unitfile.Plain("LoadCredentialEncrypted", c))
	}
	return lines
}

// command is ExecStart= of an instance. ExecStart= is a list, which an empty
// line before it empties.
func command(inst *config.Instance) []string {
	return lists.Map(inst.Service.Exec, func(arg string) string { return strings.ReplaceAll(arg, "{instance}", inst.Name) })
}

// paths tolerates a missing path ("-"): the gate names it, where systemd would
// only say 226/NAMESPACE.
func (s *shared) paths(lines []unitfile.Line, service *config.Service) []unitfile.Line {
	home := service.ProtectHome
	for _, p := range [...]string{s.Models.Root, s.Models.BaseDir, s.Models.Map} {
		if hiddenHome(home, p) {
			lines = append(lines, readOnly(home, p))
		}
	}
	for _, p := range service.ReadOnlyPaths {
		lines = append(lines, readOnly(home, p))
	}
	for _, p := range service.ReadWritePaths {
		if hidden(home, p) {
			lines = append(lines, unitfile.ListedPath("BindPaths", p, true))
			continue
		}
		lines = append(lines, unitfile.ListedPath("ReadWritePaths", p, true))
	}
	return lines
}

// readOnly: a path that is hidden by an empty tmpfs or by PrivateTmp= does not
// exist in there until it is bound in.
func readOnly(protectHome, p string) unitfile.Line {
	if hidden(protectHome, p) {
		return unitfile.ListedPath("BindReadOnlyPaths", p, true)
	}
	return unitfile.ListedPath("ReadOnlyPaths", p, true)
}

// hidden reports whether a path has to be bind-mounted to be visible. /tmp itself would then be
// the shared one instead of the unit's own.
func hidden(protectHome, p string) bool {
	return hiddenHome(protectHome, p) || private(p) && p != "/tmp" && p != "/var/tmp"
}

func hiddenHome(protectHome, p string) bool {
	return protectHome == "tmpfs" && (below(p, "/home") || below(p, "/root") || below(p, "/run/user"))
}

// mpsPaths lets an agent reach the control daemon's sockets. PrivateTmp= hides
// a pipe directory below /tmp, so it is bind-mounted. If it is missing at that moment it is
// skipped, and the gate refuses and is retried in a new namespace.
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
