// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"maps"
	"path"
	"slices"
	"strings"

	"justnews/internal/envfile"
)

// EnvFile is one environment file, read as systemd reads it. Upstream's start
// scripts also source these files with a shell, which reads them otherwise.
type EnvFile struct {
	Path     string
	Instance string // "" for global.env
	Vars     []Var  // by line
}

// Var is one variable.
type Var struct {
	Name  string
	Value string
	Line  int
	// Exported: the line begins with "export", which a shell takes and systemd
	// does not: no service ever had the variable from systemd.
	Exported bool
	// Expands: the value holds what only a shell expands; systemd passes it on
	// as it stands.
	Expands bool
}

// envFiles reads /etc/justnews/*.env.
func (r *reader) envFiles() {
	for _, entry := range r.list(configDirectory) {
		name, ok := strings.CutSuffix(entry.Name(), ".env")
		if !ok || name == "" {
			continue
		}
		file := path.Join(configDirectory, entry.Name())
		text, found := r.text(file)
		if !found {
			continue
		}
		vars, err := envfile.Parse(text)
		if err != nil {
			r.fail(file, err.Error())
			continue
		}
		if name == "global" {
			name = ""
		}
		r.host.Env = append(r.host.Env, EnvFile{file, name, placed(text, vars)})
	}
	slices.SortStableFunc(r.host.Env, func(a, b EnvFile) int { return strings.Compare(a.Instance, b.Instance) })
}

// placed finds the line of each variable, the last one that assigns it.
func placed(text string, vars envfile.Vars) []Var {
	lines := map[string]int{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if name, _, ok := strings.Cut(line, "="); ok {
			lines[strings.TrimSpace(name)] = n
		}
	}
	var all []Var
	for _, key := range slices.Sorted(maps.Keys(vars)) {
		v := Var{Name: key, Value: vars[key], Line: lines[key]}
		if name, ok := strings.CutPrefix(key, "export"); ok && strings.TrimLeft(name, " \t") != name {
			v.Name, v.Exported = strings.TrimSpace(name), true
		}
		v.Expands = strings.Contains(v.Value, "${") || strings.Contains(v.Value, "$(") || strings.Contains(v.Value, "`")
		all = append(all, v)
	}
	slices.SortStableFunc(all, func(a, b Var) int { return a.Line - b.Line })
	return all
}
