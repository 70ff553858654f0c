// SPDX-License-Identifier: Apache-2.0

package unit

import (
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/unitname"
)

// Gated judges whether the gate stands before an instance's unit, by the
// commands that systemd would run and not by the files that are there: a later
// drop-in with an empty ExecStartPre= takes the gate away. It also says where
// systemd does not know the latest files.
func Gated(u facts.Unit) []diag.Problem {
	switch {
	case u.LoadState == "masked":
		return []diag.Problem{{
			Code: diag.Ungated, Severity: diag.Warning, Subject: u.Name, Message: "the unit is masked: nothing can start it",
			Fix: diag.Advise("if it is to run", diag.Run("systemctl", "unmask", "--", u.Name)),
		}}
	case u.LoadState != "loaded":
		return []diag.Problem{{
			Code: diag.Ungated, Severity: diag.Warning, Subject: u.Name, Message: "systemd has no such unit",
			Seen: u.LoadState, Expected: "loaded", Fix: diag.Advise("install the package justnews", diag.Reload()),
		}}
	case !slices.ContainsFunc(u.ExecStartPre, func(e facts.Exec) bool { return isGate(e, u.Name) }):
		return []diag.Problem{{
			Code: diag.Ungated, Subject: u.Name, Message: "this instance has no gate",
			Seen: "ExecStartPre=" + commandLines(u.ExecStartPre), Expected: "ExecStartPre=/usr/bin/justnews-gate --gate-only " + unitname.Instance(u.Name),
			Fix: diag.Do(diag.Run("systemctl", "revert", "--", u.Name), diag.Reload()).Looking(diag.CatUnit(u.Name)),
		}}
	}
	return reloaded(u)
}

// reloaded says where systemd does not know a unit's latest files.
func reloaded(u facts.Unit) []diag.Problem {
	if !u.NeedDaemonReload {
		return nil
	}
	return []diag.Problem{{
		Code: diag.NeedReload, Severity: diag.Warning, Subject: u.Name,
		Message: "its files or justnews.toml changed since systemd read them",
		Fix:     diag.Do(diag.Run("justnews-gate", "config", "check"), diag.Reload()),
	}}
}

// isGate reports whether a command is the gate of the unit's own instance, and
// one whose refusal counts.
func isGate(e facts.Exec, unit string) bool {
	return !e.IgnoreFailure && slices.Equal(e.Argv, []string{"/usr/bin/justnews-gate", "--gate-only", unitname.Instance(unit)})
}

func commandLines(commands []facts.Exec) string {
	var lines []string
	for _, c := range commands {
		line := diag.Clean(strings.Join(c.Argv, " "))
		if c.IgnoreFailure {
			line = "-" + line
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}
