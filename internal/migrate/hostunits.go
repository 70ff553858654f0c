// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"path"
	"slices"
	"strings"
)

// Unit is one unit file or drop-in of a JustNews instance, or of all of them.
type Unit struct {
	Path     string
	Instance string // "" : for every instance
	DropIn   bool
	Settings []Setting
}

// Setting is one line of a unit, as it stands.
type Setting struct {
	Section, Key, Value string
	Line                int
}

// units reads justnews@*.service and its drop-ins.
func (r *reader) units() {
	for _, entry := range r.list(unitDirectory) {
		name := path.Join(unitDirectory, entry.Name())
		base, isDir := strings.CutSuffix(entry.Name(), ".d")
		instance, ok := strings.CutPrefix(base, "justnews@")
		if !ok || !strings.HasSuffix(instance, ".service") {
			continue
		}
		instance = strings.TrimSuffix(instance, ".service")
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
		r.host.Units = append(r.host.Units, Unit{name, instance, dropIn, settings(text)})
	}
}

// settings reads a unit leniently: a line that systemd would skip is no reason
// to lose the rest of a file that is to be replaced.
func settings(text string) []Setting {
	var all []Setting
	section, pending, began, n := "", "", 0, 0
	for raw := range strings.Lines(text) {
		n++
		line := strings.TrimSpace(raw)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if pending == "" {
			began = n
		}
		line = pending + line
		if rest, continued := strings.CutSuffix(line, `\`); continued {
			pending = rest + " "
			continue
		}
		pending = ""
		if line[0] == '[' {
			section = strings.Trim(line, "[]")
			continue
		}
		if key, value, ok := strings.Cut(line, "="); ok {
			all = append(all, Setting{section, strings.TrimSpace(key), strings.TrimSpace(value), began})
		}
	}
	return all
}

// Assignments splits the value of Environment= into NAME=VALUE words, quotes
// taken off, a backslash protecting what follows it.
func Assignments(value string) []string {
	var words []string
	var word strings.Builder
	quote, began, escaped := byte(0), false, false
	for i := range len(value) {
		c := value[i]
		switch {
		case escaped:
			escaped = false
			word.WriteByte(c)
		case c == '\\':
			escaped, began = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, began = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if began {
				words, began = append(words, word.String()), false
				word.Reset()
			}
		default:
			word.WriteByte(c)
			began = true
		}
	}
	if began {
		words = append(words, word.String())
	}
	return words
}
