// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strings"

	"justnews/internal/envfile"
	"justnews/internal/unitfile"
)

// Checkout is a directory with upstream's programs.
type Checkout struct {
	Path string
	At   place // what names it
	// Logs: its programs write to the directory logs next to it.
	Logs bool
}

// paths finds the checkouts, what start scripts write to, the homes of users and
// the caches in them, and which of the directories that variables name exist.
func (r *reader) paths() {
	r.users()
	scripts := r.scripts()
	for _, root := range r.roots(scripts) {
		r.checkout(root)
	}
	for _, s := range scripts {
		for at, line := range s.lines() {
			for _, dir := range writtenBy(line) {
				r.host.Written = append(r.host.Written, source{dir, at})
			}
		}
	}
	for _, home := range r.host.Homes {
		for _, c := range envfile.Caches {
			r.directory(path.Join(home, c.Below))
		}
	}
	for _, w := range r.host.Written {
		r.directory(w.path)
	}
	for _, f := range r.host.Env {
		for _, v := range f.Vars {
			r.directory(envfile.Directory(v.Name, v.Value))
		}
	}
	for _, u := range r.host.Units {
		for _, s := range u.Settings {
			for name, value := range assignments(s) {
				r.directory(envfile.Directory(name, value))
			}
			for _, word := range paths(s) {
				switch {
				case s.Key == "ReadWritePaths":
					r.directory(word)
				case ownDirectories[s.Key] != "":
					r.directory(path.Join(ownDirectories[s.Key], word))
				}
			}
		}
	}
}

func (r *reader) directory(name string) {
	if name != "" && r.isDirectory(name) && !slices.Contains(r.host.Directories, name) {
		r.host.Directories = append(r.host.Directories, name)
	}
}

func (r *reader) isDirectory(name string) bool {
	info, err := r.stat(name)
	return err == nil && info.IsDir()
}

func (r *reader) stat(name string) (fs.FileInfo, error) {
	if r.real { // os.Root takes an absolute link for one that leads out
		return os.Stat(name)
	}
	return r.root.Stat(rel(name))
}

// checkout recognizes a checkout by its content, or the one below
// it, as upstream's start script does.
func (r *reader) checkout(root source) {
	for _, dir := range []string{root.path, path.Join(root.path, "JustNews")} {
		if slices.ContainsFunc(r.host.Checkouts, func(c Checkout) bool { return c.Path == dir }) {
			return
		}
		for _, mark := range []string{"agents", "infrastructure/systemd", "deploy/systemd", "AGENT_MODEL_MAP.json", "markdown_docs/agent_documentation"} {
			if _, err := r.stat(path.Join(dir, mark)); err != nil {
				continue
			}
			logs := path.Join(path.Dir(dir), "logs")
			_, err := r.stat(path.Join(dir, "common/observability.py"))
			r.directory(logs)
			r.host.Checkouts = append(r.host.Checkouts, Checkout{dir, root.at, err == nil || r.isDirectory(logs)})
			r.agents(path.Join(dir, "agents"))
			return
		}
	}
}

func (r *reader) agents(dir string) {
	if !r.isDirectory(dir) {
		return
	}
	for _, e := range r.list(dir) {
		if _, err := r.stat(path.Join(dir, e.Name(), "main.py")); err == nil {
			r.host.Agents = append(r.host.Agents, e.Name())
		}
	}
}

// users reads the homes and primary groups of the users in /etc/passwd, and looks for the
// homes of those that only a directory service knows.
func (r *reader) users() {
	homes, primary := map[string]string{"root": "/root"}, map[string]string{}
	users, _ := r.content("/etc/passwd")
	groups, _ := r.content("/etc/group")
	names := map[string]string{} // of groups, by number
	for line := range strings.Lines(groups) {
		if f := strings.Split(line, ":"); len(f) == 4 {
			names[f[2]] = f[0]
		}
	}
	for line := range strings.Lines(users) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) != 7 {
			continue
		}
		primary[f[0]] = names[f[3]]
		if path.IsAbs(f[5]) && path.Clean(f[5]) != "/" {
			homes[f[0]] = path.Clean(f[5])
		}
	}
	for _, u := range r.host.Units {
		for _, s := range u.Settings {
			home := "/home/" + s.Value
			if s.Section == "Service" && s.Key == "User" && homes[s.Value] == "" && !strings.Contains(s.Value, "/") && r.isDirectory(home) {
				homes[s.Value] = home
			}
		}
	}
	r.host.Homes, r.host.Groups = homes, primary
}

// script is a program that a unit starts, as text.
type script struct{ path, text string }

// lines are the lines that are not comments, with their places.
func (s script) lines() iter.Seq2[place, string] {
	return func(yield func(place, string) bool) {
		at := place{path: s.path}
		for line := range strings.Lines(s.text) {
			at.line++
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") && !yield(at, line) {
				return
			}
		}
	}
}

func (r *reader) scripts() []script {
	names := []string{"/usr/local/bin/justnews-start-agent.sh"}
	for _, u := range r.host.Units {
		for _, s := range u.Settings {
			if s.Key == "ExecStart" {
				words, _ := unitfile.Words(s.Value, false)
				for _, word := range words {
					if word = strings.TrimLeft(word, "-@:+!"); path.IsAbs(word) && !slices.Contains(names, word) {
						names = append(names, word)
					}
				}
			}
		}
	}
	var all []script
	for _, name := range names {
		if text, err := r.content(name); err == nil && strings.HasPrefix(text, "#!") {
			all = append(all, script{name, text})
		}
	}
	return all
}

// writtenBy returns the directories that a line of a shell script writes to: by a
// redirection, by mkdir, or through a variable. What only a shell expands is unknown.
func writtenBy(line string) []string {
	var all []string
	add := func(dir string) {
		if path.IsAbs(dir) && !strings.HasPrefix(dir, "/dev/") && dir != "/dev" && !strings.ContainsAny(dir, "$`*(){}") {
			all = append(all, path.Clean(dir))
		}
	}
	words := strings.Fields(strings.NewReplacer(`"`, "", `'`, "", ";", " ; ", ">>", " > ", ">", " > ", "&&", " ; ", "||", " ; ", "|", " ; ").Replace(line))
	making := false
	for i, w := range words {
		switch name, value, ok := strings.Cut(w, "="); {
		case w == ";":
			making = false
		case w == "mkdir":
			making = true
		case making && !strings.HasPrefix(w, "-"):
			add(w)
		case i > 0 && words[i-1] == ">":
			add(path.Dir(w))
		case ok:
			if _, fallback, is := strings.Cut(value, ":-"); is {
				value = strings.TrimSuffix(fallback, "}")
			}
			add(envfile.Directory(name, value))
		}
	}
	return all
}
