// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"iter"
	"path"
	"slices"
	"strings"

	"justnews/internal/unitfile"
	"justnews/internal/unitname"
)

// Unit is one unit file or drop-in of a JustNews instance, or of all of them.
type Unit struct {
	Path     string
	Instance string // "" : for every instance
	DropIn   bool
	Settings []unitfile.Placed
}

// units reads justnews@*.service and its drop-ins.
func (r *reader) units() {
	for _, entry := range r.list(unitDirectory) {
		name := path.Join(unitDirectory, entry.Name())
		base, isDir := strings.CutSuffix(entry.Name(), ".d")
		instance := unitname.Instance(base)
		if instance == "" && base != unitname.Template {
			if path.Ext(base) == ".service" && !isDir {
				r.otherUnit(name)
			}
			continue
		}
		if !isDir {
			r.unit(name, instance, false)
			continue
		}
		for _, file := range r.list(name) {
			if strings.HasSuffix(file.Name(), ".conf") {
				r.unit(path.Join(name, file.Name()), instance, true)
			}
		}
	}
	slices.SortFunc(r.host.Units, func(a, b Unit) int { return strings.Compare(a.Path, b.Path) })
}

func (r *reader) unit(name, instance string, dropIn bool) {
	if text, found := r.text(name); found {
		r.host.Units = append(r.host.Units, Unit{name, instance, dropIn, unitfile.Salvage([]byte(text))})
	}
}

func (r *reader) otherUnit(name string) {
	text, err := r.content(name)
	if err != nil { // nothing of ours
		return
	}
	var reads []string
	for _, s := range unitfile.Salvage([]byte(text)) {
		if s.Key == "EnvironmentFile" {
			reads = append(reads, strings.TrimPrefix(s.Value, "-"))
		}
	}
	if len(reads) > 0 {
		r.host.OtherUnits = append(r.host.OtherUnits, OtherUnit{name, reads})
	}
}

// assignments are the variables that a line of a unit sets.
func assignments(s unitfile.Placed) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		if s.Key != "Environment" {
			return
		}
		for _, word := range unitfile.Words(s.Value) {
			if name, value, _ := strings.Cut(word, "="); !yield(name, value) {
				return
			}
		}
	}
}
