// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"path"
	"slices"
	"strings"
)

// removal returns the commands that take the old gating away, in the order in
// which they have to be run.
func (a *adopter) removal() []string {
	var commands []string
	var enabled []string
	for _, link := range a.host.Wanted {
		if name := path.Base(link); !slices.Contains(enabled, name) {
			enabled = append(enabled, name)
		}
	}
	if len(enabled) > 0 {
		commands = append(commands, "systemctl disable "+strings.Join(quotedAll(enabled), " "))
	}
	var dirs []string
	for _, u := range a.host.Units {
		if a.stays[u.Path] {
			commands = append(commands, "# "+u.Path+" holds lines that were not taken over: keep what is needed of it first")
		}
		commands = append(commands, "rm "+word(u.Path))
		if dir := path.Dir(u.Path); u.DropIn && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, dir := range dirs {
		commands = append(commands, "rmdir --ignore-fail-on-non-empty "+word(dir))
	}
	commands = append(commands, a.gateVariables()...)
	for _, name := range a.host.Leftovers {
		commands = append(commands, "rm "+word(name))
	}
	if slices.ContainsFunc(a.host.Leftovers, func(n string) bool { return strings.HasPrefix(n, "/etc/sudoers.d/") }) {
		commands = append(commands, "visudo -c")
	}
	return append(commands, "justnews-gate config check && systemctl daemon-reload", "systemctl enable justnews.target")
}

func quotedAll(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = word(w)
	}
	return out
}

// word quotes for a shell where it has to.
func word(s string) string {
	if strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./@") == "" {
		return s
	}
	return shell(s)
}

// gateVariables are the lines of the environment files that only the gate
// reads: justnews.toml says them now, and they would beat it. All else stays:
// other programs read these files, too.
func (a *adopter) gateVariables() []string {
	var commands []string
	for _, f := range a.host.Env {
		for _, v := range f.Vars {
			if v.Name == "GATE_TIMEOUT" || v.Name == "REQUIRE_BUS" {
				commands = append(commands, "sed -i "+shell(`/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}`+v.Name+"[[:space:]]*=/d")+" "+word(f.Path))
			}
		}
	}
	return commands
}
