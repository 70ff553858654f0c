// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"path"
	"slices"
	"strings"

	"justnews/internal/modelmap"
)

// project looks for what upstream keeps in its checkout.
func (r *reader) project() {
	roots := r.roots()
	candidates := []string{path.Join(configDirectory, "AGENT_MODEL_MAP.json")}
	for _, root := range roots {
		for _, name := range []string{"AGENT_MODEL_MAP.json", "markdown_docs/agent_documentation/AGENT_MODEL_MAP.json", "agents/AGENT_MODEL_MAP.json"} {
			candidates = append(candidates, path.Join(root, name))
		}
	}
	for _, name := range candidates {
		if text, found := r.text(name); found {
			r.modelMap(name, text)
			break
		}
	}
	for _, root := range roots {
		name := path.Join(root, "config/gpu/mps_allocation_config.json")
		if text, found := r.text(name); found {
			r.allocations(name, text)
			break
		}
	}
}

func (r *reader) modelMap(name, text string) {
	m, problems := modelmap.Parse([]byte(text))
	if m != nil {
		r.host.Map = &MapFile{name, m}
		return
	}
	why := "not a model map"
	if len(problems) > 0 {
		why = problems[0].Error()
	}
	r.fail(name, why)
}

// roots are the places where the checkout may be, as the host's own files name
// them: variables, working directories, the scripts in its deploy directory.
func (r *reader) roots() []string {
	var roots []string
	add := func(dir string) {
		dir = path.Clean(dir)
		if path.IsAbs(dir) && dir != "/" && !strings.Contains(dir, "$") && !slices.Contains(roots, dir) {
			roots = append(roots, dir)
		}
	}
	for _, f := range r.host.Env {
		for _, v := range f.Vars {
			if rootVariable(v.Name) {
				add(v.Value)
			}
		}
	}
	for _, u := range r.host.Units {
		for _, s := range u.Settings {
			for name, value := range assignments(s) {
				if rootVariable(name) {
					add(value)
				}
			}
			switch {
			case s.Key == "WorkingDirectory":
				add(strings.TrimPrefix(s.Value, "-"))
			case strings.HasPrefix(s.Key, "Exec"):
				for word := range strings.FieldsSeq(s.Value) {
					for _, marker := range []string{"/deploy/systemd/", "/infrastructure/systemd/"} {
						if dir, _, ok := strings.Cut(strings.Trim(word, `"'`), marker); ok {
							add(dir)
						}
					}
				}
			}
		}
	}
	return roots
}

func rootVariable(name string) bool {
	return name == "SERVICE_DIR" || name == "JUSTNEWS_ROOT" || name == "PROJECT_ROOT"
}
