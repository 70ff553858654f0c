// SPDX-License-Identifier: Apache-2.0

package unit

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/unitname"
)

// Gated judges whether the gate runs before the main process of an instance or a
// guarded unit or, for the model server, after it: by the commands that systemd would
// run and not by the files on disk, since a later drop-in with an empty
// ExecStartPre= takes the gate away. It also says where systemd does not know the
// latest files.
func Gated(u facts.Unit, after bool) []diag.Problem {
	line, commands, setting := gateLine(u.Name, after), u.ExecStartPre, "ExecStartPre="
	if after {
		commands, setting = u.ExecStartPost, "ExecStartPost="
	}
	switch {
	case u.LoadState == "masked":
		return []diag.Problem{diag.New(diag.Ungated, u.Name, "the unit is masked: nothing can start it",
			diag.Advise("if it is to run", check.Unmask(u))).As(diag.Warning)}
	case u.LoadState == "bad-setting" || u.LoadState == "error":
		return []diag.Problem{diag.Found(diag.UnitFailed, u.Name, "systemd cannot load the unit: a setting of a drop-in is invalid, or missing",
			diag.Quote(u.LoadState), "loaded", diag.Advise("correct the drop-in", diag.Reload(), diag.Retry()).Looking(diag.LogOf(u.Name), diag.CatUnit(u.Name)))}
	case u.LoadState != "loaded":
		fix := diag.Advise("install the package justnews", diag.Reload())
		if unitname.Instance(u.Name) == "" {
			fix = diag.Advise("install the unit, or correct the guard's unit in /etc/justnews/justnews.toml", diag.Reload())
		}
		return []diag.Problem{diag.Found(diag.Ungated, u.Name, "systemd has no such unit",
			u.LoadState, "loaded", fix).As(diag.Warning)}
	case !slices.ContainsFunc(commands, func(e facts.Exec) bool { return !e.IgnoreFailure && slices.Equal(e.Argv, line) }):
		p := diag.Found(diag.Ungated, u.Name, "this instance has no gate",
			setting+commandLines(commands), setting+strings.Join(line, " "),
			diag.Do(diag.Run("systemctl", "revert", "--", u.Name), diag.Reload()).Looking(diag.CatUnit(u.Name)))
		if unitname.Instance(u.Name) == "" {
			p.Message = "this guarded unit has no gate"
			p.Fix = diag.Advise("remove the setting that empties "+setting, diag.Run("justnews-gate", "guard", "install", "--", u.Name)).Looking(diag.CatUnit(u.Name))
		}
		return []diag.Problem{p}
	}
	return reloaded(u)
}

// Guarded is what else is judged of a guarded unit: whether its gate holds without the
// generator, and whether the unit is tried again after a refusal.
func Guarded(u facts.Unit) []diag.Problem {
	if u.LoadState != "loaded" {
		return nil // GatedBy says so
	}
	problems := append(Opened(u, nil, u.Variables()["GOTRACEBACK"] == "crash"), loops(u)...)
	if slices.Contains(u.DropInPaths, "/run/systemd/generator/"+u.Name+".d/50-justnews-guard.conf") {
		problems = append(problems, Volatile(u.Name))
	}
	if setting := endsWithRefusal(u); setting != "" {
		problems = append(problems, diag.Found(diag.GuardRestart, u.Name, "systemd does not try this unit again after a refusal",
			setting, "Restart=on-failure",
			diag.Advise("set Restart=on-failure in a drop-in, or start the unit once the cause is gone", diag.Reload()).Looking(diag.Run("systemctl", "edit", "--", u.Name))).As(diag.Notice))
	}
	return problems
}

// endsWithRefusal returns the setting for which systemd does not start a unit again that its
// gate refused, "" if it does. A gate refuses with an exit status.
func endsWithRefusal(u facts.Unit) string {
	never := []int{int(diag.StatusReady), int(diag.StatusWarnings), int(diag.StatusInterrupted)} // a gate in a unit does not refuse with these
	prevented := lists.Filter(u.Service.RestartPrevent, func(n int) bool { return isStatusOfGate(n) && !slices.Contains(never, n) })
	switch r := u.Service.Restart; {
	case r != "on-failure" && r != "always":
		return "Restart=" + diag.Clean(r)
	case len(prevented) > 0:
		return fmt.Sprintf("RestartPreventExitStatus=%v", prevented)
	}
	return ""
}

func isStatusOfGate(n int) bool {
	return slices.ContainsFunc(diag.Statuses(), func(s diag.StatusMeaning) bool { return int(s.Status) == n })
}

// Volatile is the warning of a guard that is not installed.
func Volatile(unit string) diag.Problem {
	return diag.Found(diag.GuardVolatile, unit, "its gate is gone when the generator fails or the configuration is broken",
		"its line in the generator's directory alone", "/etc/systemd/system/"+diag.Clean(unit)+".d/50-justnews-guard.conf",
		diag.Do(diag.Run("justnews-gate", "guard", "install", "--", unit), diag.Reload())).As(diag.Warning)
}

// reloaded reports units whose latest files systemd has not loaded.
func reloaded(u facts.Unit) []diag.Problem {
	if !u.NeedDaemonReload {
		return nil
	}
	return []diag.Problem{diag.New(diag.NeedReload, u.Name, "its files or justnews.toml changed since systemd read them",
		diag.Do(diag.Run("justnews-gate", "config", "check"), diag.Reload())).As(diag.Warning)}
}

// isGate reports whether a command is the unit's own gate, before or after, and one
// whose refusal counts.
func isGate(e facts.Exec, unit string) bool {
	return !e.IgnoreFailure && (slices.Equal(e.Argv, gateLine(unit, false)) || slices.Equal(e.Argv, gateLine(unit, true)))
}

func gatedAfter(u facts.Unit) bool {
	return slices.ContainsFunc(u.ExecStartPost, func(e facts.Exec) bool { return isGate(e, u.Name) })
}

func gateLine(unit string, after bool) []string {
	if after {
		return []string{"/usr/bin/justnews-gate", "ready", unit}
	}
	return []string{"/usr/bin/justnews-gate", "--gate-only", cmp.Or(unitname.Instance(unit), unit)}
}

// RefusedBy returns the exit status with which a unit's gate ended last, 0: it did not
// refuse.
func RefusedBy(u facts.Unit) int {
	for _, e := range slices.Concat(u.ExecStartPre, u.ExecStartPost) {
		if isGate(e, u.Name) && e.Code == facts.CodeExited && e.Status != 0 {
			return e.Status
		}
	}
	return 0
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

// Marked judges whether a unit is the one that the configuration asks for: it
// has the mark of the configuration and no other, and systemd has read every
// drop-in that the mark stands for. What an administrator adds is allowed.
func Marked(u facts.Unit, want facts.Mark) []diag.Problem {
	hidden := lists.Filter(want.DropIns, func(p string) bool { return !slices.Contains(u.DropInPaths, p) })
	notRead := ""
	if len(hidden) > 0 {
		notRead = "not read: " + diag.Clean(strings.Join(lists.Map(hidden, path.Base), ", "))
	}
	instead, hides := lists.Find(u.DropInPaths, func(p string) bool { // the packages' are read if the generator wrote none
		return !strings.HasPrefix(p, "/usr/") && slices.ContainsFunc(hidden, func(h string) bool { return path.Base(h) == path.Base(p) })
	})
	switch {
	case want.Mark == "":
		return []diag.Problem{unmarked(u.Name, "the configuration defines no mark for this unit", "")}
	case hides:
		p := unmarked(u.Name, "another file hides a drop-in of the generator", notRead+"; read instead: "+diag.Clean(instead))
		p.Fix = unhide(instead)
		return []diag.Problem{p}
	case len(u.Marks) == 0:
		seen := "no mark"
		if notRead != "" {
			seen += "; " + notRead
		}
		return []diag.Problem{unmarked(u.Name, "the generator did not finish this unit, or one of its drop-ins is hidden", seen)}
	case slices.ContainsFunc(u.Marks, func(mark string) bool { return mark != want.Mark }):
		return []diag.Problem{Stale(u.Name)}
	case len(hidden) > 0:
		p := unmarked(u.Name, "a drop-in of the generator is masked", notRead)
		p.Fix = diag.Advise("remove the link of the same name in /etc/systemd/system or /run/systemd/system", diag.Reload())
		return []diag.Problem{p}
	}
	return nil
}

// Stale is the problem of a unit with the mark of another configuration.
func Stale(unit string) diag.Problem {
	return diag.Found(diag.UnitStale, unit, "the configuration or the program changed since systemd read this unit",
		"the mark of another configuration", "that of the one in /etc/justnews", diag.Do(diag.Reload()))
}

// Changed is the problem of a gate that runs with an outdated configuration.
func Changed(unit string) diag.Problem {
	p := Stale(unit)
	p.Message, p.Fix = "the configuration changed while this gate ran", diag.Advise("no action is needed: systemd tries again")
	return p
}

// MarkUnknown is the problem of a unit that systemd does not show.
func MarkUnknown(unit string, err error) diag.Problem {
	return diag.Found(diag.UnitUnmarked, unit, "cannot verify over D-Bus that this unit was generated from the current configuration",
		err.Error(), "an answer over D-Bus", diag.Do(startDBus()))
}

func unmarked(unit, message, seen string) diag.Problem {
	return diag.Found(diag.UnitUnmarked, unit, message,
		seen, "the mark of the configuration",
		diag.Advise("fix the problem that the generator reports", diag.Run("journalctl", "-b", "-t", "justnews-generator"),
			diag.Run("/usr/lib/systemd/system-generators/justnews-generator", "--dry-run"), diag.Reload()))
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

// Generated judges the generator's output at the last reload. systemd does not report that
// a generator failed.
func Generated(g facts.Generated) []diag.Problem {
	switch {
	case len(g.Outdated) == 0:
		return nil
	case !g.There:
		return []diag.Problem{diag.Found(diag.GeneratorAbsent, "justnews-generator", "the generator has written nothing: it is missing or masked, or crashed at the last reload",
			"no file of ours in /run/systemd/generator", "/run/systemd/generator/justnews@.service.d/50-justnews-gate.conf",
			diag.Advise("reinstall the package justnews if the generator is missing or not executable, and remove what masks it", diag.Reload()).Looking(diag.Run("ls", "-l", "/usr/lib/systemd/system-generators/justnews-generator", "/etc/systemd/system-generators"), diag.Run("journalctl", "-b", "-t", "systemd", "-g", "generator")))}
	}
	p := diag.Found(diag.GeneratorStale, "justnews-generator", "the generator's files from the last reload are outdated",
		diag.Clean(g.Outdated[0]), "files generated from the current configuration",
		diag.Do(diag.Run("justnews-gate", "config", "check"), diag.Reload())).As(diag.Warning)
	if more := len(g.Outdated) - 1; more > 0 {
		p.Seen += fmt.Sprintf(", and %d more", more)
	}
	return []diag.Problem{p}
}
