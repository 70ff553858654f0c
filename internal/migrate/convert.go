// SPDX-License-Identifier: Apache-2.0

// Package migrate writes a justnews.toml for a host that was set up by hand
// according to JustNews' runbook, which gates the same instances. Read reads
// the host without changing it: environment files, units and drop-ins in /etc,
// the model map, the MPS allocations, the helpers, of both generations of
// JustNews. Convert is pure: each value has its source as a comment, what could
// not be imported is a problem with the reason, and what is no longer needed is
// a list of commands. Nothing is ever deleted here.
package migrate

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/unitfile"
	"justnews/internal/unitname"
)

// Result is what was imported from a host.
type Result struct {
	TOML      string
	Instances []string // in start order
	Problems  []diag.Problem
	// Remove lists the commands that remove the old gating, in their order.
	Remove []Removal
}

// Convert makes the configuration. The only error among the problems is a host
// without an instance; then there is no TOML.
func Convert(h Host) Result {
	a := &converter{host: h, stays: map[string]bool{}}
	for _, f := range h.Failures {
		a.say(diag.ImportUnreadable, place{f.Path, 0}, "cannot be read and is ignored", f.Why, "a file that can be read", "inspect it manually")
	}
	names := a.instances()
	if len(names) == 0 {
		a.problems = append(a.problems, diag.Found(diag.ImportNothing, "", "no instance of JustNews was found",
			"no justnews@NAME.service, no drop-in of one, no NAME.env", "a host on which JustNews was set up manually",
			diag.Advise("write /etc/justnews/justnews.toml yourself: man 5 justnews.toml")))
		return Result{Problems: a.problems}
	}
	a.shared = a.access("")
	doc := a.document(names)
	remove := append(a.missing(names), a.removal()...)
	doc.tail = []string{"To remove afterwards, once justnews-gate config check succeeds:"}
	for _, r := range remove {
		if r.Note != "" {
			doc.tail = append(doc.tail, r.Note)
		} else {
			doc.tail = append(doc.tail, "  "+r.Command.String())
		}
	}
	return Result{TOML: doc.text(), Instances: names, Problems: a.problems, Remove: remove}
}

// place is a file and a line; 0: the whole file.
type place struct {
	path string
	line int
}

func (p place) String() string {
	if p.line == 0 {
		return p.path
	}
	return fmt.Sprintf("%s:%d", p.path, p.line)
}

type value struct {
	text string
	at   place
}

type converter struct {
	host     Host
	problems []diag.Problem
	// stays holds the files with content that was not imported.
	stays map[string]bool
	// shared are the paths that all instances use.
	shared []grant
}

func (a *converter) say(code diag.Code, at place, message, seen, expected, fix string, commands ...diag.Command) {
	p := diag.Found(code, "", message, seen, expected, diag.Advise(fix, commands...)).At(at.path, at.line, 0).As(diag.Warning)
	if !slices.ContainsFunc(a.problems, func(q diag.Problem) bool {
		return q.Code == p.Code && q.Message == p.Message && *q.Position == *p.Position
	}) {
		a.problems = append(a.problems, p)
	}
}

func (a *converter) leftOut(v value, what, why, fix string, commands ...diag.Command) {
	a.stays[v.at.path] = true
	a.say(diag.ImportLeftOut, v.at, what+" is not imported: "+why, v.text, "", fix, commands...)
}

// isInstance reports whether an environment file alone indicates an instance: its
// name is one of JustNews' agents or a directory in a checkout, or it sets a variable
// that only instances use. Other files belong to other programs, such as exporters.
func (a *converter) isInstance(f EnvFile) bool {
	if !config.InstanceName(f.Instance) || slices.Contains(a.host.OtherFiles, f.Path) || a.isListed(f) {
		return false
	}
	return rank(f.Instance) < len(upstream) || slices.Contains(a.host.Agents, f.Instance) ||
		slices.ContainsFunc(f.Vars, func(v Var) bool {
			return v.Name == "GATE_TIMEOUT" || v.Name == "REQUIRE_BUS" || v.Name == strings.ToUpper(f.Instance)+"_PORT"
		})
}

// isListed reports whether a unit of an instance reads a file by its full name, such as
// one with the settings of a database for all.
func (a *converter) isListed(f EnvFile) bool {
	return slices.ContainsFunc(a.host.Units, func(u Unit) bool {
		return u.Instance != f.Instance && slices.ContainsFunc(u.Settings, func(s unitfile.Placed) bool {
			return s.Key == "EnvironmentFile" && readBy(s, u.Instance) == f.Path
		})
	})
}

func (a *converter) instances() []string {
	var names []string
	add := func(name string, at place) {
		switch {
		case name == "" || slices.Contains(names, name):
		case !config.InstanceName(name):
			a.leftOut(value{name, at}, "an instance", "not a valid instance name", "rename it: a lowercase letter, then at most 62 of a-z, 0-9 and _")
		default:
			names = append(names, name)
		}
	}
	for _, link := range a.host.Wanted {
		add(instanceOf(link), place{link, 0})
	}
	for _, u := range a.host.Units {
		add(u.Instance, place{u.Path, 0})
	}
	for _, f := range a.host.Env {
		switch {
		case f.Instance == "" || slices.Contains(names, f.Instance) || a.isInstance(f):
			add(f.Instance, place{f.Path, 0})
			continue
		case a.isListed(f): // reportUnread reports the line
			continue
		}
		a.leftOut(value{"no unit, link or drop-in of justnews@" + f.Instance + ".service", place{f.Path, 0}}, f.Instance, "only its environment file exists, which can be another program's",
			"if it is an instance, add a table [instances.NAME] for it to the result")
	}
	slices.SortFunc(names, func(x, y string) int {
		return cmp.Or(cmp.Compare(rank(x), rank(y)), strings.Compare(x, y))
	})
	return names
}

// variable returns what an instance's processes have in a variable, by
// systemd's precedence: its own file, global.env, then Environment= of its
// unit. "" is what all instances share.
func (a *converter) variable(instance, name string) (value, bool) {
	for _, file := range []string{instance, ""} {
		if v, ok := a.inFile(file, name); ok {
			return v, true
		}
		if instance == "" {
			break
		}
	}
	for _, v := range a.unitVariables(instance) {
		if v.name == name {
			return v.value, v.text != ""
		}
	}
	return value{}, false
}

type unitVariable struct {
	name string
	value
	// unresolved: it contains a specifier whose value is unknown here.
	unresolved bool
}

// unitVariables are those that Environment= of an instance's unit sets: the last
// assignment to each, and none before the last empty Environment=.
func (a *converter) unitVariables(instance string) []unitVariable {
	var all []unitVariable
	for _, s := range a.settings(instance) {
		if s.Section == "Service" && s.Key == "Environment" && s.Value == "" {
			all = nil
		}
		for name, text := range assignments(s.Placed) {
			text, ok := specifiers(text, instance)
			all = slices.DeleteFunc(all, func(v unitVariable) bool { return v.name == name })
			all = append(all, unitVariable{name, value{text, s.at}, !ok})
		}
	}
	return all
}

// specifiers expands the specifiers of a unit's name; ok is false if there are others.
func specifiers(text, instance string) (expanded string, ok bool) {
	names := strings.NewReplacer("%%", "\x00", "%i", instance, "%I", instance, "%n", unitname.Of(instance), "%p", "justnews", "%P", "justnews")
	text = names.Replace(text)
	return strings.ReplaceAll(text, "\x00", "%"), !strings.Contains(text, "%")
}

// inFile looks into one environment file. A value that only a shell expands is
// reported and ignored.
func (a *converter) inFile(instance, name string) (value, bool) {
	for _, f := range a.host.Env {
		if f.Instance != instance {
			continue
		}
		for _, v := range slices.Backward(f.Vars) {
			at := place{f.Path, v.Line}
			switch {
			case v.Name != name || v.Value == "":
			case v.Exported:
				a.leftOut(value{"export " + name, at}, name, "systemd reads \"export\" as part of the name, so no service ever had it", "write it without export if it is intended, and run the same command again")
			case v.Expands:
				a.leftOut(value{v.Value, at}, name, "only a shell expands it; systemd passes it on unchanged", "write the value itself, and run the same command again")
			default:
				return value{v.Value, at}, true
			}
		}
	}
	return value{}, false
}

type setting struct {
	unitfile.Placed
	at place
}

// settings are all lines that systemd reads for an instance, in its order: the
// unit, then the drop-ins of the template and of the instance by file name. Of those with
// the same name the first counts, by directory (Units is sorted by path), and in the same
// directory the instance's. "" are the template's.
func (a *converter) settings(instance string) []setting {
	var main, drops []Unit
	for _, u := range a.host.Units {
		switch {
		case u.Instance != "" && u.Instance != instance:
		case u.DropIn:
			same := slices.IndexFunc(drops, func(d Unit) bool { return path.Base(d.Path) == path.Base(u.Path) })
			switch {
			case same < 0:
				drops = append(drops, u)
			case drops[same].Instance == "" && u.Instance != "" && path.Dir(path.Dir(drops[same].Path)) == path.Dir(path.Dir(u.Path)):
				drops[same] = u
			}
		case len(main) == 0 || main[0].Instance == "" && u.Instance != "":
			main = []Unit{u}
		}
	}
	slices.SortStableFunc(drops, func(x, y Unit) int { return strings.Compare(path.Base(x.Path), path.Base(y.Path)) })
	var all []setting
	for _, u := range slices.Concat(main, drops) {
		for _, s := range u.Settings {
			all = append(all, setting{s, place{u.Path, s.Line}})
		}
	}
	return all
}

// last is the value of a setting that counts; text is empty, and ok false, after a reset.
func (a *converter) last(instance, key string) (v value, ok bool) {
	for _, s := range a.settings(instance) {
		// systemd ignores an empty value of these.
		ignored := s.Value == "" && slices.Contains([]string{"RestartSec", "ProtectHome", "LimitNOFILE"}, key)
		if s.Section == "Service" && s.Key == key && !ignored {
			v = value{s.Value, s.at}
		}
	}
	return v, v.text != ""
}
