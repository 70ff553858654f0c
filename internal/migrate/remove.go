// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"path"
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/unitname"
)

// Removal is a command, or a note about the next one.
type Removal struct {
	Note    string
	Command diag.Command
}

// String returns a line for a shell, to which a note is a comment.
func (r Removal) String() string {
	if r.Note != "" {
		return "# " + diag.Clean(r.Note)
	}
	return r.Command.String()
}

// removal returns the commands that remove the old gating, in the order in which
// they have to be run.
func (a *converter) removal() []Removal {
	all := a.rivals()
	for _, agent := range a.host.Unsealed {
		all = append(all, Removal{Note: "the version of " + agent + " in the Model Store has no manifest to compare with"},
			Removal{Command: diag.Run("justnews-gate", "models", "seal", "--", agent)})
	}
	run := func(argv ...string) { all = append(all, Removal{Command: argv}) }
	var enabled []string
	for _, link := range a.host.Wanted {
		if name := path.Base(link); !slices.Contains(enabled, name) {
			enabled = append(enabled, name)
		}
	}
	if len(enabled) > 0 {
		run(append([]string{"systemctl", "disable", "--"}, enabled...)...)
	}
	var dirs []string
	for _, u := range a.host.Units {
		if a.stays[u.Path] {
			all = append(all, Removal{Note: u.Path + " contains lines that were not imported: save the ones that are needed first"})
		}
		run("rm", "--", u.Path)
		if dir := path.Dir(u.Path); u.DropIn && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, dir := range dirs {
		run("rmdir", "--ignore-fail-on-non-empty", "--", dir)
	}
	for _, c := range a.gateVariables() {
		run(c...)
	}
	for _, name := range a.host.Leftovers {
		run("rm", "--", name)
	}
	if slices.ContainsFunc(a.host.Leftovers, func(n string) bool { return strings.HasPrefix(n, "/etc/sudoers.d/") }) {
		run("visudo", "-c")
	}
	run("sh", "-c", "justnews-gate config check && systemctl daemon-reload")
	run("systemctl", "enable", unitname.Target)
	return all
}

// gateVariables returns the commands that delete from the environment files what only
// the gate reads: justnews.toml has it now, and would be overridden. Everything else
// remains, since other programs read these files, too.
func (a *converter) gateVariables() []diag.Command {
	var commands []diag.Command
	for _, f := range a.host.Env {
		for _, v := range f.Vars {
			if v.Name == "GATE_TIMEOUT" || v.Name == "REQUIRE_BUS" {
				commands = append(commands, diag.Run("sed", "-i", `/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}`+v.Name+"[[:space:]]*=/d", "--", f.Path))
			}
		}
	}
	return commands
}

// rivals reports what else starts the instances or replaces their template, and
// returns the commands that disable it. It would undo the migration: JustNews' own
// justnews-cold-start.timer does 45 s after each boot.
func (a *converter) rivals() []Removal {
	var all []Removal
	for _, r := range a.host.Rivals {
		a.say(diag.UnitRival, place{r.Path, 0}, "it "+r.Does+" besides the gated units", "in "+r.By, "nothing but justnews.target starts the instances", "see the end of justnews.toml")
		commands := diag.Retire(r.Units(), r.Template())
		if len(commands) == 0 {
			all = append(all, Removal{Note: r.Path + " " + r.Does + ": remove those lines by hand"})
		}
		for _, c := range commands {
			all = append(all, Removal{Command: c})
		}
	}
	return all
}
