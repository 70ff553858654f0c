// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"path"
	"slices"
	"strings"

	"justnews/internal/unitfile"
)

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
	var last value
	found := false
	for _, s := range a.settings(instance) {
		for n, v := range assignments(s.Placed) {
			if n == name {
				last, found = value{v, s.at}, true
			}
		}
	}
	return last, found && last.text != ""
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
// unit, then the drop-ins of the template and of the instance by file name, the
// instance's masking the template's of the same name. "" are the template's.
func (a *converter) settings(instance string) []setting {
	var main, drops []Unit
	for _, u := range a.host.Units {
		switch {
		case u.Instance != "" && u.Instance != instance:
		case u.DropIn:
			drops = slices.DeleteFunc(drops, func(d Unit) bool {
				return d.Instance == "" && u.Instance != "" && path.Base(d.Path) == path.Base(u.Path)
			})
			drops = append(drops, u)
		case u.Instance == instance:
			main = []Unit{u}
		case len(main) == 0:
			main = append(main, u)
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

func (a *converter) last(instance, key string) (value, bool) {
	var v value
	for _, s := range a.settings(instance) {
		if s.Section == "Service" && s.Key == key {
			v = value{s.Value, s.at}
		}
	}
	return v, v.text != ""
}
