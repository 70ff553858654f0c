// SPDX-License-Identifier: Apache-2.0

package host

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/envfile"
	"justnews/internal/facts"
	"justnews/internal/lists"
)

const readWritePaths = "service.read_write_paths"

// Granted are the paths that the configuration lets an instance write to.
func Granted(paths []string) []Path {
	return lists.Map(paths, func(p string) Path { return Path{readWritePaths, p, facts.Write, diag.DirectoryReadOnly} })
}

// Written are the directories that an environment has programs write to. Those of
// compilers are judged as Caches.
func Written(env map[string]string) []Path {
	var all []Path
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if dir := envfile.Directory(name, env[name]); dir != "" && !slices.Contains(Caches, name) {
			all = append(all, Path{name, dir, facts.Write, diag.DirectoryReadOnly})
		}
	}
	return all
}

// Existing takes a missing path for one that cannot be written: systemd leaves it
// out of the sandbox, in which nothing can make it then. A file may be granted, too.
func Existing(p Path, r facts.Reach) facts.Reach {
	switch {
	case p.What != readWritePaths || !r.Known:
	case r.OK && r.At != p.Path:
		r.OK, r.At, r.Detail = false, p.Path, Absent
	case r.At == p.Path && r.Detail == "is not a directory":
		r.OK, r.Detail = true, ""
	}
	return r
}

// Directory judges a directory that a unit's program writes to, as the unit will see
// it. A variable counts only where the permissions of the files let the user write:
// then it is the sandbox that takes it away. What the configuration grants has to be
// there as well.
func Directory(u facts.Unit, p Path, r facts.Reach) []diag.Problem {
	r = Existing(p, r)
	granted := p.What == readWritePaths
	why := takenAway(u, p.Path, r.Leads)
	problem := diag.Problem{Code: p.Code, Severity: diag.Warning, Subject: u.Name}
	switch {
	case r.Known && !r.OK && granted:
		problem.Message, problem.Seen = Unreached(p, r)
		problem.Fix = diag.Advise("make it a directory that "+diag.Quote(r.User)+" can write to, and restart the instance",
			diag.Run("install", "-d", "--owner="+r.User, "--", p.Path), diag.Run("systemctl", "try-restart", "--", u.Name)).Looking(diag.Namei(p.Path))
	case r.Known && !r.OK || why == "":
		return nil
	default:
		problem.Message, problem.Seen = p.What+" is read-only in the sandbox of the unit, and the instance writes there", p.What+": "+diag.Clean(p.Path)+": "+why
		problem.Expected = "a path of service.read_write_paths"
		problem.Fix = diag.Advise("add "+diag.Quote(p.Path)+" to service.read_write_paths in /etc/justnews/justnews.toml", diag.Reload()).Looking(diag.CatUnit(u.Name))
	}
	return []diag.Problem{problem}
}

// takenAway returns the setting that makes a directory read-only or hides it, ""
// where none does. What is hidden below a home directory is reported for its variable, /tmp is
// replaced by one that can be written, and a root directory is not known.
func takenAway(u facts.Unit, dir, leads string) string {
	switch hidden := Hidden(u.Sandbox, dir, leads); {
	case hidden == "PrivateTmp=yes", ownRoot(hidden), hidden != "" && (inside(homes, dir) || inside(homes, leads)):
		return ""
	case hidden != "":
		return hidden
	}
	return ReadOnly(u.Sandbox, dir, leads)
}

// Checkouts are the directories of upstream's programs according to an environment, as
// its start script finds them.
func Checkouts(env map[string]string) []string {
	var all []string
	for _, name := range []string{"JUSTNEWS_ROOT", "SERVICE_DIR"} {
		if dir := env[name]; strings.HasPrefix(dir, "/") && !strings.Contains(dir, "$") {
			all = append(all, filepath.Clean(dir), filepath.Join(dir, "JustNews"))
		}
	}
	return all
}

// InCheckout are the directories that upstream's programs write to in a checkout, and
// with logs next to it.
func InCheckout(dir string, logs bool) []Path {
	all := []Path{{"the checkout", dir, facts.Write, diag.DirectoryReadOnly}}
	if logs {
		all = append(all, Path{"the log directory of the checkout", filepath.Join(filepath.Dir(dir), "logs"), facts.Write, diag.DirectoryReadOnly})
	}
	return all
}
