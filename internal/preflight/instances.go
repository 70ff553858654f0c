// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"justnews/internal/check/host"
	"justnews/internal/envfile"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/probe/systemd"
	"justnews/internal/requirement"
	"justnews/internal/safefile"
)

// The UIDs of DynamicUser= (systemd.exec(5)).
const firstDynamic, lastDynamic = 61184, 65519

// reach tries the paths of the n-th instance as its user.
func (l *look) reach(n int, i instance) func() {
	i.wanted = l.Host.Account(i.Service.User, i.Service.Group)
	i.account = i.wanted
	if user, group := cmp.Or(i.unit.User, "root"), i.unit.Service.Group; user != i.Service.User || group != i.Service.Group {
		i.account = l.Host.Account(user, group)
	}
	if i.unit.Service.DynamicUser && i.account.UID >= firstDynamic && i.account.UID <= lastDynamic {
		i.account.Err = "it is gone when the unit stops" // and its paths are not what they are to others
	}
	i.paths = map[attempt]facts.Reach{}
	try := func(path string, want facts.Access) facts.Reach {
		r := l.Host.Reach(i.account, path, want)
		i.paths[attempt{path, want}] = r
		return r
	}
	i.leads = l.links(i)
	if i.account.Err == "" {
		for _, p := range slices.Concat(host.Paths(i.unit), host.Interpreters(i.sourced), host.GateFiles(l.Config, i.Instance)) {
			try(p.Path, p.Want)
		}
		for _, name := range host.Caches {
			if dir := i.env[name]; filepath.IsAbs(dir) {
				try(dir, facts.Write)
			}
		}
		i.written = l.written(i)
		for _, p := range i.written {
			try(p.Path, p.Want)
		}
		i.named = lists.Filter(l.notFound(i), func(n host.Named) bool { // unless it may be where this run cannot look
			return !slices.ContainsFunc(n.Candidates, func(path string) bool { return !try(path, facts.Run).Known })
		})
		i.caches = l.cachesOf(i.account.Home)
	}
	return func() {
		i.port = l.instances[n].port // which another look finds
		l.instances[n] = i
		for tried, r := range i.paths {
			if !r.Known {
				l.untried = append(l.untried, untried{tried.path, i.account.User, r.Detail})
			}
		}
	}
}

// links returns where the paths that an instance's gate looks at lead.
func (l *look) links(i instance) map[string]string {
	w, _ := requirement.ForInstance(l.Config, i.Name, lookup(i.env), requirement.Flags{})
	paths := []string{w.Models.Root, w.Models.BaseDir, w.Models.Map, w.MPS.PipeDirectory}
	for _, n := range w.Needs {
		paths = append(paths, n.Path)
	}
	leads := map[string]string{}
	for _, path := range paths {
		if filepath.IsAbs(path) {
			leads[path] = safefile.Leads(path, func(p string) (string, error) { return os.Readlink(filepath.Join(l.Host.Root, p)) })
		}
	}
	return leads
}

// written returns the directories that an instance writes to: those that its
// environment names, that the configuration grants, and those of a checkout.
func (l *look) written(i instance) []host.Path {
	all := append(host.Granted(i.Service.ReadWritePaths), host.Written(i.sourced)...)
	for _, dir := range host.Checkouts(i.sourced) {
		if l.exists(filepath.Join(dir, "agents")) {
			return append(all, host.InCheckout(dir, l.exists(filepath.Join(dir, "common/observability.py")))...)
		}
	}
	return all
}

func (l *look) exists(path string) bool {
	_, err := os.Stat(filepath.Join(l.Host.Root, path))
	return err == nil
}

// cachesOf returns the caches below a home that hold anything.
func (l *look) cachesOf(home string) []envfile.Cache {
	return lists.Filter(envfile.Caches, func(c envfile.Cache) bool {
		entries, _ := os.ReadDir(filepath.Join(l.Host.Root, home, c.Below))
		return home != "" && len(entries) > 0
	})
}

// maxScript is the longest start script that is read, in bytes.
const maxScript = 256 << 10

// dropUnread drops the interpreters that an environment names and that the start
// script never reads. A script that runs another one may leave that to it.
func (l *look) dropUnread(i *instance) {
	exec := i.unit.Service.ExecStart
	if len(exec) == 0 || len(exec[0].Argv) == 0 {
		return
	}
	text, _ := safefile.Read(filepath.Join(l.Host.Root, exec[0].Argv[0]), maxScript)
	if !bytes.HasPrefix(text, []byte("#!")) || bytes.Contains(text, []byte(".sh")) {
		return
	}
	for _, name := range host.InterpreterVariables {
		if !bytes.Contains(text, []byte(name)) {
			delete(i.sourced, name)
		}
	}
}

// notFound returns the interpreters that are named without a path and of which no
// candidate exists.
func (l *look) notFound(i instance) []host.Named {
	homes := []string{"/root"}
	dirs, _ := os.ReadDir(filepath.Join(l.Host.Root, "/home"))
	for _, d := range dirs {
		homes = append(homes, "/home/"+d.Name())
	}
	return lists.Filter(host.NamedInterpreters(i.sourced, homes), func(n host.Named) bool { return !slices.ContainsFunc(n.Candidates, l.exists) })
}

// ports finds the processes that listen on the instances' ports, and their units.
func (l *look) ports(instances []instance) func() {
	found, silent := l.Host.Ports(lists.Map(instances, func(i instance) int { return i.Port }))
	ports := make([]facts.Port, len(instances))
	for n, i := range instances {
		p := found[i.Port]
		p.Port, p.Known = i.Port, silent == nil && i.Port != 0
		for k := range p.Processes {
			u, err := l.Units.UnitOfPID(l.ctx, p.Processes[k].PID)
			if errors.Is(err, systemd.ErrUnreachable) {
				silent = err
			}
			started := u.Name == i.unit.Name && u.MainPID > 0 && i.unit.MainPID == 0 // since it was looked at
			if p.Processes[k].Unit = u.Name; started || silent != nil {
				p.Known = false
			}
		}
		ports[n] = p
	}
	return func() {
		if silent != nil {
			l.notChecked("ports: " + silent.Error())
		}
		for n := range ports {
			l.instances[n].port = ports[n]
		}
	}
}

func lookup(env map[string]string) requirement.Lookup {
	return func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}
}
