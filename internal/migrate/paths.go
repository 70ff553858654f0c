// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/envfile"
	"justnews/internal/safefile"
)

// grant is a path that the old unit let its program use, and what shows that the
// program does.
type grant struct {
	path, from string
	write      bool
}

// access collects the grants of an instance, or with "" those that all share.
type access struct {
	*converter
	instance string
	grants   []grant
}

func (a *converter) access(instance string) []grant {
	g := &access{converter: a, instance: instance}
	g.granted()
	for _, c := range a.host.Checkouts {
		g.add(c.Path, "the checkout: "+c.At.String(), true)
		if c.Logs {
			g.add(path.Join(path.Dir(c.Path), "logs"), "the logs of the checkout "+c.Path, true)
		}
	}
	for _, w := range a.host.Written {
		g.add(w.path, "the start script: "+w.at.String(), true)
	}
	for name, v := range a.variables(instance) {
		g.add(envfile.Directory(name, v.text), name+": "+v.at.String(), true)
	}
	for _, c := range a.userCaches(instance) {
		g.add(c.path, "a cache of the user "+a.user(instance), c.writes)
	}
	return g.grants
}

// granted are the paths that the old unit itself names.
func (g *access) granted() {
	for _, s := range g.settings(g.instance) {
		for _, word := range paths(s.Placed) {
			switch s.Key {
			case "ReadWritePaths":
				g.add(word, "ReadWritePaths=: "+s.at.String(), true)
			case "ReadOnlyPaths":
				g.add(word, "ReadOnlyPaths=: "+s.at.String(), false)
			}
			if base := ownDirectories[s.Key]; base != "" && word != "justnews/%i" {
				g.add(path.Join(base, word), s.Key+"=: "+s.at.String(), true)
			}
		}
	}
}

// ownDirectories are where systemd makes the directories of a unit.
var ownDirectories = map[string]string{"StateDirectory": "/var/lib", "CacheDirectory": "/var/cache", "LogsDirectory": "/var/log"}

// add grants a path, unless another grant covers it, the old unit denied it, or it
// contains far more than the files of one program.
func (g *access) add(p, from string, write bool) {
	clean, err := config.Path(p)
	switch {
	case p == "" || err != nil || strings.Contains(p, "%"):
	case slices.ContainsFunc(g.grants, func(o grant) bool { return safefile.Within(o.path, clean) && (o.write || !write) }):
	case write && g.forbidden(clean):
	case safefile.Within("/tmp", clean) || safefile.Within("/var/tmp", clean): // PrivateTmp= gives it one of its own
	case g.tooWide(clean):
		g.say(diag.ImportLeftOut, place{path: from[strings.LastIndexByte(from, ' ')+1:]}, clean+" is not granted: it holds more than the files of one program",
			from, "a directory of its own", "move its files to a directory of their own, or write what the agents use of it into service.read_write_paths")
	default:
		g.grants = slices.DeleteFunc(g.grants, func(o grant) bool { return safefile.Within(clean, o.path) && (write || !o.write) })
		g.grants = append(g.grants, grant{clean, from, write})
	}
}

// forbidden reports whether the old unit's own sandbox kept a path read-only.
func (g *access) forbidden(p string) bool {
	home, _ := g.last(g.instance, "ProtectHome")
	system, _ := g.last(g.instance, "ProtectSystem")
	if on, known := envfile.Boolean(home.text); belowHome(p) && home.text != "" && (!known || on) {
		return !g.named(p)
	}
	return system.text == "strict" && !belowHome(p) && !g.named(p) // homes are ProtectHome='s alone
}

// named reports whether the old unit grants a path by name.
func (g *access) named(p string) bool {
	for _, s := range g.settings(g.instance) {
		for _, word := range paths(s.Placed) {
			base, own := ownDirectories[s.Key]
			if (s.Key == "ReadWritePaths" || own) && safefile.Within(path.Join(cmp.Or(base, "/"), word), p) {
				return true
			}
		}
	}
	return false
}

// tooWide reports whether a directory is a whole home, shared with other programs, or
// part of the system.
func (a *converter) tooWide(p string) bool {
	shared := []string{"/var/lib", "/var/log", "/var/cache", "/var/spool", "/var/opt", "/run/user", "/run/systemd", "/usr/local"}
	if strings.Count(p, "/") < 2 || slices.Contains(shared, p) {
		return true
	}
	for _, dir := range []string{"/usr", "/etc", "/boot", "/bin", "/sbin", "/lib", "/lib64", "/proc", "/sys", "/dev", "/run/user", "/run/systemd"} {
		if safefile.Within(dir, p) && !safefile.Within("/usr/local", p) {
			return true
		}
	}
	if strings.HasPrefix(p, "/home/") && strings.Count(p, "/") == 2 {
		return true
	}
	for _, home := range a.host.Homes {
		if p != home && safefile.Within(p, home) || p == home && !slices.ContainsFunc(a.host.Checkouts, func(c Checkout) bool { return c.Path == p }) {
			return true
		}
	}
	return false
}

// variables are all that an instance's program has: those of its unit, then those
// of the environment files, which a start script may also source.
func (a *converter) variables(instance string) func(yield func(string, value) bool) {
	all := map[string]value{}
	for _, e := range a.unitVariables(instance) {
		all[e.name] = e.value
	}
	for _, f := range a.host.Env {
		if f.Instance == "" || f.Instance == instance {
			for _, v := range f.Vars {
				all[v.Name] = value{v.Value, place{f.Path, v.Line}}
			}
		}
	}
	return func(yield func(string, value) bool) {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if !yield(name, all[name]) {
				return
			}
		}
	}
}

// user and group are those that the unit of an instance will run as.
func (a *converter) user(instance string) string { return a.account(instance, "User", "user") }

func (a *converter) group(instance string) string {
	if _, ok := a.last(instance, "Group"); ok {
		return a.account(instance, "Group", "group")
	}
	return cmp.Or(a.host.Groups[a.user(instance)], "justnews")
}

func (a *converter) account(instance, setting, key string) string {
	if v, ok := a.last(instance, setting); ok {
		if _, ok := config.ServiceKey(key, v.text); ok {
			return v.text
		}
	}
	return "justnews"
}

// userCache is a directory of the user, and the variable that keeps it in use.
type userCache struct {
	path, variable string
	writes         bool
}

// userCaches are those that exist, that the old unit showed, and that no variable
// of the host replaces.
func (a *converter) userCaches(instance string) []userCache {
	home := a.host.Homes[a.user(instance)]
	protect, _ := a.last(instance, "ProtectHome")
	if on, _ := envfile.Boolean(protect.text); home == "" || belowHome(home) && (on || protect.text == "tmpfs") {
		return nil
	}
	has := map[string]bool{}
	for name := range a.variables(instance) {
		has[name] = true
	}
	var all []userCache
	for _, c := range envfile.Caches {
		dir := path.Join(home, c.Below)
		replaced := c.Variable != "" && (has["XDG_CACHE_HOME"] || has[c.Variable] || slices.ContainsFunc(c.Beside, func(name string) bool { return has[name] }))
		if slices.Contains(a.host.Directories, dir) && !replaced {
			all = append(all, userCache{dir, c.Variable, c.Written})
		}
	}
	return all
}

// cacheVariables keep a user's caches in use: the package's XDG_CACHE_HOME leads
// libraries to a directory of the instance, which is empty at first.
func (a *converter) cacheVariables(instance string) []entry {
	var all []entry
	for _, c := range a.userCaches(instance) {
		if c.variable != "" {
			all = append(all, entry{c.variable, quoted(c.path), "the cache of the user " + a.user(instance) + ", which XDG_CACHE_HOME would hide"})
		}
	}
	return all
}

// pathEntries writes grants as the two keys of [service].
func pathEntries(all []grant) []entry {
	var entries []entry
	for _, key := range []string{"read_only_paths", "read_write_paths"} {
		var lines strings.Builder
		for _, g := range all {
			if g.write == (key == "read_write_paths") {
				lines.WriteString("  " + quoted(g.path) + ", # " + diag.Clean(g.from) + "\n")
			}
		}
		if lines.Len() > 0 {
			entries = append(entries, entry{key: key, value: "[\n" + lines.String() + "]"})
		}
	}
	return entries
}

// ownPaths returns the keys of an instance that needs more paths than all share. Its
// list replaces the common one, and so repeats it.
func (a *converter) ownPaths(instance string, shared []grant) []entry {
	all := slices.Clone(shared)
	for _, g := range a.access(instance) {
		if !slices.ContainsFunc(shared, func(o grant) bool { return safefile.Within(o.path, g.path) && (o.write || !g.write) }) {
			// systemd lets read-only win, also where only all others have that.
			all = slices.DeleteFunc(all, func(o grant) bool { return g.write && !o.write && safefile.Within(g.path, o.path) })
			all = append(all, g)
		}
	}
	var own []entry
	entries := pathEntries(all)
	for _, o := range pathEntries(shared) {
		if !slices.ContainsFunc(entries, func(e entry) bool { return e.key == o.key }) {
			entries = append(entries, entry{o.key, "[]", "none of those of all instances"})
		}
	}
	for _, e := range entries {
		if !slices.ContainsFunc(pathEntries(shared), func(o entry) bool { return o == e }) {
			own = append(own, e)
		}
	}
	return own
}

// missing returns the commands that create the granted directories that do not exist:
// a program in the sandbox could not.
func (a *converter) missing(names []string) []Removal {
	var all []Removal
	seen := map[string]bool{}
	for _, name := range append([]string{""}, names...) {
		for _, g := range a.access(name) {
			isCheckout := slices.ContainsFunc(a.host.Checkouts, func(c Checkout) bool { return c.Path == g.path })
			if g.write && !seen[g.path] && !isCheckout && !slices.Contains(a.host.Directories, g.path) {
				all = append(all, Removal{Command: diag.Run("install", "-d", "--owner="+a.user(name), "--group="+a.group(name), "--", g.path)})
			}
			seen[g.path] = true
		}
	}
	return all
}
