// SPDX-License-Identifier: Apache-2.0

package unit

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Marked judges whether a unit is the one that the configuration asks for: it
// has the mark of the configuration and no other, and systemd has read every
// drop-in that the mark stands for. What an administrator adds is allowed.
func Marked(u facts.Unit, want facts.Mark) []diag.Problem {
	hidden := slices.DeleteFunc(slices.Clone(want.DropIns), func(p string) bool { return slices.Contains(u.DropInPaths, p) })
	notRead := ""
	if len(hidden) > 0 {
		names := make([]string, len(hidden))
		for i, p := range hidden {
			names[i] = path.Base(p)
		}
		notRead = "not read: " + diag.Clean(strings.Join(names, ", "))
	}
	switch {
	case want.Mark == "":
		return []diag.Problem{unmarked(u.Name, "the configuration defines no mark for this unit", "")}
	case len(u.Marks) == 0:
		seen := "no mark"
		if notRead != "" {
			seen += "; " + notRead
		}
		return []diag.Problem{unmarked(u.Name, "the generator did not finish this unit, or one of its drop-ins is hidden", seen)}
	case slices.ContainsFunc(u.Marks, func(mark string) bool { return mark != want.Mark }):
		return []diag.Problem{Stale(u.Name)}
	case len(hidden) > 0:
		p := unmarked(u.Name, "another file hides a drop-in of the generator", notRead)
		p.Fix = diag.Advise("remove or rename the file of the same name in /etc/systemd/system or /run/systemd/system", diag.Reload())
		return []diag.Problem{p}
	}
	return nil
}

// Stale is the problem of a unit with the mark of another configuration.
func Stale(unit string) diag.Problem {
	return diag.Problem{
		Code: diag.UnitStale, Subject: unit, Message: "the configuration or the program changed since systemd read this unit",
		Seen: "the mark of another configuration", Expected: "that of the one in /etc/justnews",
		Fix: diag.Do(diag.Reload()),
	}
}

// Changed is the problem of a gate that runs with an outdated configuration.
func Changed(unit string) diag.Problem {
	p := Stale(unit)
	p.Message, p.Fix = "the configuration changed while this gate ran", diag.Advise("no action is needed: systemd tries again")
	return p
}

// MarkUnknown is the problem of a unit that systemd does not show.
func MarkUnknown(unit string, err error) diag.Problem {
	return diag.Problem{
		Code: diag.UnitUnmarked, Subject: unit, Message: "cannot verify over D-Bus that this unit was generated from the current configuration",
		Seen: err.Error(), Expected: "an answer over D-Bus",
		Fix: diag.Do(startDBus()),
	}
}

func unmarked(unit, message, seen string) diag.Problem {
	return diag.Problem{
		Code: diag.UnitUnmarked, Subject: unit, Message: message, Seen: seen, Expected: "the mark of the configuration",
		Fix: diag.Advise("fix what the generator reports", diag.Run("journalctl", "-b", "-t", "justnews-generator"),
			diag.Run("/usr/lib/systemd/system-generators/justnews-generator", "--dry-run"), diag.Reload()),
	}
}

// GatedBy is Gated, and Marked where the mark is known. A unit that is not the
// wanted one asks for the same reload as files that systemd has not read. What
// runs is not harmed by it.
func GatedBy(u facts.Unit, want facts.Mark) []diag.Problem {
	problems := Gated(u, want.After)
	if want.Mark == "" || u.LoadState != "loaded" || len(diag.Errors(problems)) > 0 {
		return problems
	}
	if wrong := Marked(u, want); len(wrong) > 0 {
		if wrong[0].Code == diag.UnitStale {
			wrong[0].Severity = diag.Warning
		}
		return wrong
	}
	return problems
}

// Generated compares what the generator left at the last reload with what it
// would write now. systemd says nothing where a generator fails.
func Generated(files []facts.Generated) []diag.Problem {
	var there, stale []string
	for _, f := range files {
		if f.There {
			there = append(there, f.Path)
		}
		if f.Denied || f.There == f.Wanted && f.Have == f.Want {
			continue
		}
		stale = append(stale, f.Path)
	}
	switch {
	case len(stale) == 0:
		return nil
	case len(there) == 0:
		return []diag.Problem{{
			Code: diag.GeneratorAbsent, Subject: "justnews-generator",
			Message: "the generator has written nothing: it is missing or masked, or crashed at the last reload",
			Seen:    "no file of ours in /run/systemd/generator", Expected: "/run/systemd/generator/justnews@.service.d/50-justnews-gate.conf",
			Fix: diag.Do(diag.Reload()).Looking(diag.Run("ls", "-l", "/usr/lib/systemd/system-generators/justnews-generator", "/etc/systemd/system-generators"), diag.Run("journalctl", "-b", "-t", "systemd", "-g", "generator")),
		}}
	}
	p := diag.Problem{
		Code: diag.GeneratorStale, Severity: diag.Warning, Subject: "justnews-generator",
		Message:  "the generator's files from the last reload are outdated",
		Seen:     diag.Clean(stale[0]),
		Expected: "files generated from the current configuration",
		Fix:      diag.Do(diag.Run("justnews-gate", "config", "check"), diag.Reload()),
	}
	if more := len(stale) - 1; more > 0 {
		p.Seen += fmt.Sprintf(", and %d more", more)
	}
	return []diag.Problem{p}
}
