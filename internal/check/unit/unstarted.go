// SPDX-License-Identifier: Apache-2.0

package unit

import (
	"fmt"
	"path"

	"justnews/internal/check/host"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/unitname"
)

// unstarted is why systemd could not even execute a command of a unit. It ends
// the process itself then, with a status of its own from 200 on (systemd.exec(5),
// Process Exit Codes).
type unstarted struct {
	text string // "its program /p cannot be executed (203/EXEC)"
	fix  diag.Fix
}

// unstartedBy reports what kept a unit's last command from being executed; ok is
// false where nothing did.
func unstartedBy(u facts.Unit) (unstarted, bool) {
	if u.ExecMainCode == facts.CodeExited && u.ExecMainStatus >= firstOfSystemd {
		return setupFailed(u, u.ExecMainStatus, u.Service.ExecStart), true
	}
	for _, e := range u.ExecStartPre {
		if e.Code == facts.CodeExited && e.Status >= firstOfSystemd {
			return setupFailed(u, e.Status, []facts.Exec{e}), true
		}
	}
	return unstarted{}, false
}

// WithSetup names what kept the process of a unit from being set up, and its fix.
func WithSetup(p diag.Problem, u facts.Unit) diag.Problem {
	if why, ok := unstartedBy(u); ok {
		p.Message += ": " + why.text
		p.Fix = why.fix
	}
	return p
}

const firstOfSystemd = 200

// setups are systemd's names for its statuses, and what each is about.
var setups = map[int]struct{ name, what string }{
	200: {"CHDIR", ""}, 203: {"EXEC", ""}, 216: {"GROUP", ""}, 217: {"USER", ""},
	226: {"NAMESPACE", "its sandbox"}, 209: {"STDOUT", "its standard output"},
	233: {"RUNTIME_DIRECTORY", "/run"}, 238: {"STATE_DIRECTORY", "/var/lib"}, 239: {"CACHE_DIRECTORY", "/var/cache"}, 240: {"LOGS_DIRECTORY", "/var/log"},
}

func setupFailed(u facts.Unit, status int, commands []facts.Exec) unstarted {
	s := setups[status]
	named := fmt.Sprintf(" (status %d)", status)
	if s.name != "" {
		named = fmt.Sprintf(" (%d/%s)", status, s.name)
	}
	then := []diag.Command{diag.Retry()}
	switch status {
	case 203:
		program := programOf(commands)
		return unstarted{
			"its program " + diag.Clean(program) + " cannot be executed" + named,
			host.PathFix(host.Path{What: "service.exec", Path: program}, facts.Reach{User: u.User, Detail: host.Absent, At: program}, then),
		}
	case 200:
		dir := u.Service.WorkingDirectory
		return unstarted{
			"its working directory " + diag.Clean(dir) + " cannot be entered" + named,
			diag.Advise("create it, or correct service.working_directory in /etc/justnews/justnews.toml", then...).Looking(diag.Namei(dir)),
		}
	case 216, 217:
		return unstarted{
			"its user " + diag.Clean(u.User) + ", or one of its groups, does not exist" + named,
			diag.Advise("create them, or correct service.user and service.group in /etc/justnews/justnews.toml", append([]diag.Command{diag.Run("systemd-sysusers", "justnews.conf")}, then...)...),
		}
	case 233, 238, 239, 240:
		dir := path.Join(s.what, "justnews", unitname.Instance(u.Name))
		return unstarted{
			"its directory " + dir + " cannot be made" + named,
			diag.Advise("make room there, or let root write to it", then...).Looking(diag.Run("df", "-h", "--", path.Dir(dir)), diag.Run("df", "-i", "--", path.Dir(dir))),
		}
	}
	what := s.what
	if what == "" {
		what = "its process"
	}
	return unstarted{
		what + " could not be set up" + named,
		diag.Advise("fix the error in its log", then...).Looking(diag.LogOf(u.Name)),
	}
}

func programOf(commands []facts.Exec) string {
	if len(commands) == 0 || len(commands[0].Argv) == 0 {
		return "of ExecStart="
	}
	return commands[0].Argv[0]
}
