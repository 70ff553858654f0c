// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"os"
	"slices"
	"strings"

	"justnews/internal/check/host"
	"justnews/internal/check/store"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Named looks for what a configuration names on the host: the users, programs
// and working directories of its instances, and the Model Store at root. It
// queries no unit, so it works before there is one.
func Named(cfg *config.Config, root string, h Host) []diag.Problem {
	problems := host.NoInstance(cfg)
	var users group[user]
	var paths, read group[reached]
	for _, i := range cfg.Instances {
		who := h.Account(i.Service.User, i.Service.Group)
		users.add(user{who.User, who.Group, who.Err, who.Unasked}, i.Name)
		for _, p := range pathsOf(i.Service) {
			paths.add(reached{p, host.Existing(p, h.reachFor(who, p))}, i.Name)
		}
		for _, p := range host.GateFiles(cfg, i) {
			read.add(reached{p, h.reachFor(who, p)}, i.Name)
		}
		for _, p := range host.Credentials(i.Service, cfg.Orchestrator) {
			paths.add(reached{p, h.absence(p, "root")}, i.Name)
		}
	}
	for _, u := range users.each {
		problems = append(problems, host.NamedAccount(users.instances[u], facts.Account{User: u.user, Group: u.group, Err: u.err, Unasked: u.unasked})...)
	}
	for _, r := range paths.each {
		problems = append(problems, host.NamedPath(r.path, paths.instances[r], r.reach)...)
	}
	for _, r := range read.each {
		problems = append(problems, host.NamedUnreadable(r.path, read.instances[r], r.reach)...)
	}
	if len(cfg.Instances) > 0 && cfg.Models.HasMap() {
		problems = append(problems, store.Named(h.absence(host.Path{Path: root, Want: facts.Enter}, ""))...)
	}
	return problems
}

type user struct {
	user, group, err string
	unasked          bool
}

type reached struct {
	path  host.Path
	reach facts.Reach
}

// group is what instances have in common, each thing once.
type group[T comparable] struct {
	each      []T
	instances map[T][]string
}

func (g *group[T]) add(thing T, instance string) {
	if g.instances == nil {
		g.instances = map[T][]string{}
	}
	if len(g.instances[thing]) == 0 {
		g.each = append(g.each, thing)
	}
	if !slices.Contains(g.instances[thing], instance) { // a path may be listed twice
		g.instances[thing] = append(g.instances[thing], instance)
	}
}

// pathsOf lists what a service runs, where, and what it writes to.
func pathsOf(s config.Service) []host.Path {
	var all []host.Path
	add := func(what, path string, want facts.Access) {
		if strings.HasPrefix(path, "/") && path != "/" {
			all = append(all, host.Path{What: what, Path: path, Want: want, Code: diag.ServicePath})
		}
	}
	add("service.exec", s.Exec[0], facts.Run)
	add("service.working_directory", s.WorkingDirectory, facts.Enter)
	return append(all, host.Granted(s.ReadWritePaths)...)
}

// reachFor tries a path as the user that needs it, if this run can; otherwise, and below a
// root, whose users are not this machine's, it only checks whether the path exists.
func (h Host) reachFor(who facts.Account, p host.Path) facts.Reach {
	if h.Root == "" && who.Err == "" {
		if tried := h.Reach(who, p.Path, p.Want); tried.Known {
			return tried
		}
	}
	return h.absence(p, who.User)
}

// absence looks as this process. If it is denied access, that says nothing about the user
// that needs the path.
func (h Host) absence(p host.Path, user string) facts.Reach {
	r := h.Reach(facts.Account{User: user, UID: os.Geteuid()}, p.Path, p.Want)
	r.Known = r.Detail != "permission denied" || os.Geteuid() == 0
	return r
}
