// SPDX-License-Identifier: Apache-2.0

// Package store judges the Model Store and the model map that lists its
// content. It mirrors internal/probe/store and internal/modelmap.
package store

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/host"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/modelmap"
)

const maxListed = 50

// Wanted is what the Model Store has to provide.
type Wanted struct {
	// Models has the path of the map and strict: with strict everything has to exist,
	// since nothing is downloaded; without it only what exists has to be valid.
	config.Models

	Listed *modelmap.Map // what the map lists, for names near a wrong one
	// Unit is the own unit of the run that looked, nil for a run by hand.
	Unit *facts.Unit
	// Thorough is set for a run by hand: then what cannot be checked is an error, and
	// possible future problems are reported as well.
	Thorough bool
}

// Judge returns what is wrong with the Model Store: an error is what would keep
// a model from loading.
func Judge(look facts.Store, w Wanted) []diag.Problem {
	j := judge{look: look, want: w, said: map[string]bool{}}
	if look.Fault != nil {
		j.root(*look.Fault)
		return j.settled()
	}
	for i, t := range look.Trees {
		j.tree(i, t)
	}
	for _, m := range look.Models {
		j.model(m)
	}
	if w.Thorough {
		j.space()
	}
	return j.settled()
}

// OfModel returns what is wrong with the one model, errors only.
func OfModel(agent, model string, look facts.Store, proofs []facts.StoreProof, w Wanted) []diag.Problem {
	j := judge{look: look, want: w, said: map[string]bool{}}
	if look.Fault != nil {
		j.root(*look.Fault)
		return diag.Errors(j.settled())
	}
	m, ok := Find(look, agent, model)
	if !ok {
		return nil
	}
	if m.Tree >= 0 {
		j.tree(m.Tree, look.Trees[m.Tree])
	}
	j.model(m)
	for _, p := range proofs {
		if m.Tree >= 0 && p.Path == look.Trees[m.Tree].Path && p.Verdict == facts.Differs {
			j.proof(p)
		}
	}
	return diag.Errors(j.settled())
}

// Find returns the facts of one model.
func Find(look facts.Store, agent, model string) (facts.StoreModel, bool) {
	return lists.Find(look.Models, func(m facts.StoreModel) bool { return m.Want.Agent == agent && m.Want.Model == model })
}

type judge struct {
	look     facts.Store
	want     Wanted
	said     map[string]bool
	problems []diag.Problem
}

// say adds a problem once: a missing base model is found again for each of its
// adapters. A warning does not take the place of an error.
func (j *judge) say(about string, p diag.Problem) {
	if key := string(p.Code) + "\x00" + p.Severity.String() + about; !j.said[key] {
		j.said[key] = true
		j.problems = append(j.problems, p)
	}
}

// settled applies what is common to all problems: nothing is missing in a store
// that does not have to be complete, and the list is limited.
func (j *judge) settled() []diag.Problem {
	for i, p := range j.problems {
		if !j.want.Strict && p.Status() == diag.StatusStoreIncomplete {
			j.problems[i].Severity = diag.Warning
		}
	}
	// Errors first: the exit status is that of the first, and the list is cut.
	slices.SortStableFunc(j.problems, func(a, b diag.Problem) int { return int(a.Severity) - int(b.Severity) })
	if more := len(j.problems) - maxListed; more > 0 {
		j.problems = append(j.problems[:maxListed], diag.New(j.problems[maxListed].Code, j.look.Root, diag.Count(more, "more problem"),
			diag.Do(diag.Run("justnews-gate", "models", "verify"))).As(j.problems[maxListed].Severity))
	}
	return j.problems
}

func (j *judge) root(f facts.StoreFault) {
	p := diag.Found(diag.StoreRoot, j.look.Root, "the Model Store does not exist",
		describe(f), "a directory with one directory for each agent",
		diag.Advise("copy the Model Store there, or correct models.root in /etc/justnews/justnews.toml", diag.Reload()))
	switch f.Kind {
	case facts.NoDirectory:
		p.Message = "the Model Store is not a directory"
	case facts.Denied:
		p = j.denied(f, "every model")
	case facts.Unreadable:
		p = unreadable(j.look.Root, f, "the Model Store cannot be read")
	}
	j.say("", p)
}

// unreadable is the problem of a directory that an I/O error hides, as of a disk or a
// stale handle of NFS: whether it exists is not known.
func unreadable(subject string, f facts.StoreFault, message string) diag.Problem {
	return diag.Found(diag.StoreRead, subject, message,
		describe(f), "a directory that can be read",
		diag.Advise("mount the file system again, or repair the disk", diag.Retry()).
			Looking(diag.Run("findmnt", "-T", f.Path), diag.Run("journalctl", "-k", "-e")))
}

func (j *judge) space() {
	largest := map[int]int64{}
	for _, m := range j.look.Models {
		largest[m.Tree] += m.Bytes
	}
	var most int64
	for tree, bytes := range largest {
		if tree >= 0 {
			most = max(most, bytes)
		}
	}
	if j.look.Free < 0 || j.look.Free >= most {
		return
	}
	j.say("", diag.Found(diag.StoreSpace, j.look.Root, "there is not enough space for another version next to the current one",
		check.Size(j.look.Free)+" free", "at least "+check.Size(most)+", the size of the largest version",
		diag.Advise("remove versions that no current link points to").Looking(diag.Run("du", "-h", "--max-depth=3", "--", j.look.Root))).As(diag.Warning))
}

func describe(f facts.StoreFault) string {
	s := f.Path + " " + meanings[f.Kind].says
	switch {
	case f.Target != "":
		s += ": a link to " + f.Target
	case f.Detail != "":
		s += ": " + f.Detail
	}
	return diag.Clean(s)
}

// MountMissing is the problem of a path that does not exist because a configured
// mount is not active.
func MountMissing(u facts.Unit, path string) diag.Problem {
	return diag.Found(diag.StoreMount, u.Name, path+" lies on a mount that is not active",
		diag.Clean(u.ActiveState)+" ("+diag.Clean(u.SubState)+")", "active (mounted)",
		diag.Fix{Commands: []diag.Command{diag.Run("systemctl", "start", "--", u.Name)}})
}

// Late is the problem of a look that ended at the deadline.
func Late(look facts.Store, after time.Duration) diag.Problem {
	return diag.Found(diag.StoreTimeout, look.Root, "timed out before the whole Model Store was checked",
		fmt.Sprintf("%s after %s", diag.Count(len(look.Models), "model"), after), "a check of every model of the map",
		diag.Advise("raise gate.timeout in /etc/justnews/justnews.toml", diag.Reload()))
}

// Hung is the warning that a file system did not answer within some time.
func Hung(root string, after time.Duration) diag.Problem {
	return diag.Found(diag.StoreTimeout, root, "the paths in the configuration were not checked: a file system does not respond",
		"no answer within "+after.String(), "an answer",
		diag.Advise("mount the file system again").Looking(diag.Run("findmnt", "-T", root))).As(diag.Warning)
}

// NoLoader is the notice that it is unknown what the orchestrator's user can read.
func NoLoader(user, why string) diag.Problem {
	return diag.Found(diag.StorePermission, user, "cannot check whether the orchestrator's user can read the Model Store: this host has no such user",
		diag.Clean(why), "the user of [service] in /etc/justnews/justnews.toml",
		diag.Advise("create the user, or correct service.user", diag.Run("systemd-sysusers", "justnews.conf"))).As(diag.Notice)
}

// NothingToSeal is the problem of an agent without a version.
func NothingToSeal(agent string) diag.Problem {
	return diag.New(diag.StoreVersion, agent, "there is nothing to seal",
		diag.Do(diag.Run("justnews-gate", "models", "verify", "--", agent)))
}

// Named reports whether models.root of a configuration exists.
func Named(r facts.Reach) []diag.Problem {
	if !r.Known || r.OK {
		return nil
	}
	message, seen := host.Unreached(host.Path{What: "models.root", Path: r.Path, Want: facts.Enter}, r)
	return []diag.Problem{diag.Found(diag.StoreRoot, "", message,
		seen, "",
		diag.Advise(fmt.Sprintf("copy the Model Store to %s, or correct models.root in /etc/justnews/justnews.toml", diag.Bare(r.Path)), diag.Reload())).As(diag.Warning)}
}

// Wants lists what the Model Store has to contain for a map, in the order in which
// the orchestrator loads it; if agents are given, only what these need.
func Wants(m *modelmap.Map, only ...string) []facts.StoreWant {
	if m == nil {
		return nil
	}
	var all []facts.StoreWant
	for _, a := range m.Agents {
		if len(only) > 0 && !slices.Contains(only, a.Name) {
			continue
		}
		for _, model := range a.Models {
			all = append(all, want(m, a.Name, model))
		}
	}
	return all
}

// want finds the place of an entry in the store, as the loader of JustNews does: a
// full model is in the current version of its agent, the base of an adapter where
// base_models says.
func want(m *modelmap.Map, agent string, model modelmap.Model) facts.StoreWant {
	w := facts.StoreWant{
		Agent: agent, Model: model.ID, ID: cmp.Or(model.ModelID, model.ID), Owner: agent,
		Base: model.Base, Adapter: model.StorePath, Line: model.Line, Column: model.Column,
	}
	if model.Base == "" {
		return w
	}
	base, ok := m.BaseModel(model.Base)
	if !ok {
		w.BaseUnknown = model.ModelID == "" // with an id of its own it loads without
		return w
	}
	w.ID = cmp.Or(base.HubID, w.ID)
	w.Owner, w.Version, w.Path = cmp.Or(base.StoreAgent, agent), base.StoreVersion, base.StorePath
	return w
}

// outOfSight lists the faults that a hidden path has from inside the unit.
var outOfSight = []facts.FaultKind{facts.Absent, facts.Dangling, facts.Denied, facts.Unreadable, facts.NoModel, facts.NoAdapter, facts.PartMissing}

// covered returns the setting of the unit that hides a path or the target of its
// links: the store may exist on the host but not be visible in the unit.
func (j *judge) covered(f facts.StoreFault, p diag.Problem) diag.Problem {
	if j.want.Unit == nil || !slices.Contains(outOfSight, f.Kind) {
		return p
	}
	at := host.Place{What: diag.Clean(f.Path), Path: f.Path, Leads: f.Leads}
	if setting := host.Hidden(j.want.Unit.Sandbox, at.Path, at.Leads); setting != "" {
		host.Cover(&p, j.want.Unit.Name, at, setting)
	}
	return p
}
