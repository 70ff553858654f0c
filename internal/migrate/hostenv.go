// SPDX-License-Identifier: Apache-2.0

package migrate

import (
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
	// Exported: the line begins with "export", which a shell accepts. systemd does
	// not, so that no service ever got the variable from it.
	Exported bool
	// Expands: the value contains what only a shell expands; systemd passes it on
	// unchanged.
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
		detail, err := envfile.Details(text)
		if err != nil {
			r.fail(file, err.Error())
			continue
		}
		if name == "global" {
			name = ""
		}
		r.host.Env = append(r.host.Env, EnvFile{file, name, placed(detail.Assignments)})
	}
	slices.SortStableFunc(r.host.Env, func(a, b EnvFile) int { return strings.Compare(a.Instance, b.Instance) })
}

// placed returns the last assignment of each variable, by line.
func placed(all []envfile.Assignment) []Var {
	last := map[string]int{}
	for i, a := range all {
		last[a.Name] = i
	}
	var vars []Var
	for i, a := range all {
		if last[a.Name] != i {
			continue
		}
		v := Var{Name: a.Name, Value: a.Value, Line: a.Line}
		if name, ok := strings.CutPrefix(a.Name, "export"); ok && strings.TrimLeft(name, " \t") != name {
			v.Name, v.Exported = strings.TrimSpace(name), true
		}
		v.Expands = strings.Contains(v.Value, "${") || strings.Contains(v.Value, "$(") || strings.Contains(v.Value, "`")
		vars = append(vars, v)
	}
	return vars
}
