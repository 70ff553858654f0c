// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"justnews/internal/digest"
	"justnews/internal/facts"
	"justnews/internal/modelmap"
	"justnews/internal/seal"
	"justnews/internal/strictjson"
)

func (r *reader) project() {
	roots := r.roots(r.scripts())
	candidates := []string{path.Join(configDirectory, "AGENT_MODEL_MAP.json")}
	for _, root := range roots {
		for _, name := range []string{"AGENT_MODEL_MAP.json", "markdown_docs/agent_documentation/AGENT_MODEL_MAP.json", "agents/AGENT_MODEL_MAP.json"} {
			candidates = append(candidates, path.Join(root.path, name))
		}
	}
	for _, name := range candidates {
		if text, found := r.text(name); found {
			r.modelMap(name, text)
			break
		}
	}
	for _, root := range roots {
		name := path.Join(root.path, "config/gpu/mps_allocation_config.json")
		if text, found := r.text(name); found {
			r.allocations(name, text)
			break
		}
	}
}

// unsealed finds the versions that were copied by hand: upstream's own Model Store
// writes a manifest, against which the preload's gate compares the files.
func (r *reader) unsealed() {
	root := "/opt/justnews/models"
	for _, f := range r.host.Env {
		for _, v := range f.Vars {
			if v.Name == "MODEL_STORE_ROOT" && f.Instance == "" && path.IsAbs(v.Value) {
				root = v.Value
			}
		}
	}
	if r.host.Map == nil {
		return
	}
	for _, agent := range r.host.Map.Map.Agents {
		version := path.Join(root, agent.Name, facts.StoreCurrent)
		if !r.isDirectory(version) {
			continue
		}
		_, own := r.stat(path.Join(version, digest.ManifestName))
		_, seal := r.stat(path.Join(version, seal.Rel))
		if errors.Is(own, fs.ErrNotExist) && errors.Is(seal, fs.ErrNotExist) {
			r.host.Unsealed = append(r.host.Unsealed, agent.Name)
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

// source is a directory and what names it.
type source struct {
	path string
	at   place
}

// roots are the places where the checkout may be, as the host's own files name
// them: variables, working directories, the scripts in its deploy directory, the
// directory that a start script falls back to.
func (r *reader) roots(scripts []script) []source {
	var roots []source
	add := func(dir string, at place) {
		dir = path.Clean(dir)
		if path.IsAbs(dir) && dir != "/" && !strings.Contains(dir, "$") && !slices.ContainsFunc(roots, func(s source) bool { return s.path == dir }) {
			roots = append(roots, source{dir, at})
		}
	}
	for _, f := range r.host.Env {
		for _, v := range f.Vars {
			if rootVariable(v.Name) {
				add(v.Value, place{f.Path, v.Line})
			}
		}
	}
	for _, u := range r.host.Units {
		for _, s := range u.Settings {
			for name, value := range assignments(s) {
				if rootVariable(name) {
					add(value, place{u.Path, s.Line})
				}
			}
			switch {
			case s.Key == "WorkingDirectory":
				add(strings.TrimPrefix(s.Value, "-"), place{u.Path, s.Line})
			case strings.HasPrefix(s.Key, "Exec"):
				for word := range strings.FieldsSeq(s.Value) {
					for _, marker := range []string{"/deploy/systemd/", "/infrastructure/systemd/"} {
						if dir, _, ok := strings.Cut(strings.Trim(word, `"'`), marker); ok {
							add(dir, place{u.Path, s.Line})
						}
					}
				}
			}
		}
	}
	for _, s := range scripts {
		for at, line := range s.lines() {
			for _, dir := range absolute(line) {
				if _, err := r.stat(path.Join(dir, "agents")); err == nil {
					add(dir, at)
				}
			}
		}
	}
	return roots
}

// absolute are the absolute paths in a line of a script.
func absolute(line string) []string {
	var all []string
	for _, word := range strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" \t\n\"'`=;|&<>(){}:,", c) }) {
		// "${SERVICE_DIR:-/home/adra/JustNews}"
		if word = strings.TrimPrefix(word, "-"); path.IsAbs(word) && strings.Count(word, "/") > 1 {
			all = append(all, word)
		}
	}
	return all
}

func rootVariable(name string) bool {
	return name == "SERVICE_DIR" || name == "JUSTNEWS_ROOT" || name == "PROJECT_ROOT"
}

// MPSFile is mps_allocation_config.json.
type MPSFile struct {
	Path          string
	Comments      []int      // lines that hold a "#" comment and no JSON
	TotalGB       float64    // total_gpu_memory_gb; 0: not stated
	AvailableGB   float64    // available_memory_gb; 0: not stated
	PipeDirectory string     // mps_configuration.pipe_directory
	Limits        []MPSLimit // in the order of the file
}

// MPSLimit is the limit of one agent.
type MPSLimit struct {
	Agent string
	GB    float64
	Line  int
}

// allocations reads the limits. The newer file of JustNews contains a "#" comment,
// which no JSON parser accepts (its own orchestrator included, so that the limits
// never applied): such lines are skipped and reported.
func (r *reader) allocations(name, text string) {
	f := &MPSFile{Path: name}
	var kept strings.Builder
	n := 0
	for line := range strings.Lines(text) {
		n++
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			f.Comments = append(f.Comments, n)
			line = "\n" // the lines below keep their numbers
		}
		kept.WriteString(line)
	}
	top, err := strictjson.Parse([]byte(kept.String()), strictjson.Limits{Bytes: maxFile, Depth: 16})
	if err != nil {
		r.fail(name, err.Error())
		return
	}
	if err := f.read(top, []byte(kept.String())); err != nil {
		r.fail(name, err.Error())
		return
	}
	r.host.MPS = f
}

func (f *MPSFile) read(top strictjson.Object, text []byte) error {
	all, err := strictjson.Required(top, "mps_resource_allocation", strictjson.Value.Object)
	if err != nil {
		return err
	}
	for key, into := range map[string]*float64{"total_gpu_memory_gb": &f.TotalGB, "available_memory_gb": &f.AvailableGB} {
		if err := optional(all, key, strictjson.Value.Float, into); err != nil {
			return err
		}
	}
	if v, found, err := all.Optional("mps_configuration"); err != nil {
		return err
	} else if found {
		o, err := v.Object()
		if err != nil {
			return err
		}
		if err := optional(o, "pipe_directory", strictjson.Value.Text, &f.PipeDirectory); err != nil {
			return err
		}
	}
	agents, err := strictjson.Required(all, "agent_allocations", strictjson.Value.Object)
	if err != nil {
		return err
	}
	for _, m := range agents.Members() {
		o, err := m.Value.Object()
		if err != nil {
			return err
		}
		l := MPSLimit{Agent: m.Key}
		l.Line, _ = strictjson.LineColumn(text, m.Offset)
		if err := optional(o, "mps_memory_limit_gb", strictjson.Value.Float, &l.GB); err != nil {
			return err
		}
		f.Limits = append(f.Limits, l)
	}
	return nil
}

func optional[T any](o strictjson.Object, key string, as func(strictjson.Value) (T, error), into *T) error {
	v, found, err := o.Optional(key)
	if err != nil || !found {
		return err
	}
	*into, err = as(v)
	return err
}
