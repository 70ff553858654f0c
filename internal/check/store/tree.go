// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/spell"
)

// tree reports a version that is not where the loader looks for it.
func (j *judge) tree(i int, t facts.StoreTree) {
	switch {
	case t.Fault == nil && strings.HasSuffix(t.Path, ".tmp"):
		j.say(t.Named, diag.Found(diag.StoreStaged, j.who(t), "the version in use is still being copied: "+j.lost(i),
			diag.Clean(t.Named+" points to "+t.Path), "a version without the suffix .tmp",
			diag.Advise(fmt.Sprintf("finish the copy and rename it, then point current at it, or point current at a complete version%s", versions(t)), diag.Retry())))
	case t.Fault == nil:
		j.leftovers(t)
	case t.Fault.Kind == facts.Denied:
		j.say("", j.denied(*t.Fault, j.lost(i)))
	case t.Fault.Kind == facts.Unreadable:
		j.say(t.Named, j.covered(*t.Fault, unreadable(j.who(t), *t.Fault, "the version cannot be read: "+j.lost(i))))
	case t.Fault.Path == filepath.Join(j.look.Root, t.Owner):
		j.agent(i, t)
	case half(t) != "":
		j.say(t.Named, diag.Found(diag.StoreStaged, j.who(t), "the version was only partly copied: "+j.lost(i),
			half(t)+"; "+describe(*t.Fault), "a version without the suffix .tmp",
			diag.Advise(fmt.Sprintf("finish the copy into %s and rename it, or copy the version again", diag.Quote(half(t))), diag.Retry())))
	default:
		j.say(t.Named, j.covered(*t.Fault, diag.Found(diag.StoreVersion, j.who(t), "there is no version to load from: "+j.lost(i),
			describe(*t.Fault)+versions(t), expectedVersion(t), j.pointAt(t))))
	}
}

func (j *judge) who(t facts.StoreTree) string {
	if t.Owner == "" {
		return diag.Clean(t.Named)
	}
	return diag.Clean(t.Owner)
}

func (j *judge) lost(tree int) string {
	return j.names(func(m facts.StoreModel) bool { return m.Tree == tree }) + " cannot load"
}

func (j *judge) names(of func(facts.StoreModel) bool) string {
	var all []string
	for _, m := range j.look.Models {
		if of(m) {
			all = append(all, name(m.Want))
		}
	}
	if len(all) > 3 {
		all = append(all[:3], fmt.Sprintf("%d more", len(all)-3))
	}
	return cmp.Or(strings.Join(all, ", "), "no entry of the map")
}

// agent reports a missing directory of an agent. If the store has a directory of a
// similar name that the map does not list, the map is wrong.
func (j *judge) agent(i int, t facts.StoreTree) {
	unlisted := lists.Filter(j.look.Agents, func(name string) bool { return !j.listed(name) })
	if near, ok := spell.Nearest(t.Owner, unlisted); ok {
		j.say(t.Owner, diag.Problem{
			Code: diag.MapName, Subject: j.who(t), Position: j.position(i),
			Message:  "the map names an agent that is not in the store: " + j.lost(i),
			Seen:     fmt.Sprintf("%s, but the store contains %s, which the map does not list", describe(*t.Fault), diag.Quote(near)),
			Expected: "one of " + diag.Clean(strings.Join(j.look.Agents, ", ")),
			Fix:      j.correctMap("", t.Owner, near),
		})
		return
	}
	j.say(t.Owner, j.covered(*t.Fault, diag.Found(diag.StoreAgent, j.who(t), "the store contains nothing for the agent: "+j.lost(i),
		describe(*t.Fault), "a directory "+diag.Clean(t.Owner)+" with versions and a link current",
		diag.Advise(fmt.Sprintf("copy the agent's directory to %s", diag.Quote(filepath.Join(j.look.Root, t.Owner))), diag.Retry()))))
}

// listed reports whether the map has models in the directory of an agent.
func (j *judge) listed(agent string) bool {
	return slices.ContainsFunc(Wants(j.want.Listed), func(w facts.StoreWant) bool { return w.Owner == agent || w.Agent == agent })
}

// position is that of the first entry that needs a tree.
func (j *judge) position(tree int) *diag.Position {
	for _, m := range j.look.Models {
		if m.Tree == tree {
			return j.place(m.Want)
		}
	}
	return nil
}

func (j *judge) place(w facts.StoreWant) *diag.Position {
	if j.want.Map == "" || w.Line == 0 {
		return nil
	}
	return &diag.Position{File: j.want.Map, Line: w.Line, Column: w.Column}
}

// half returns the staging directory of a missing version, if there is one.
func half(t facts.StoreTree) string {
	wanted := filepath.Base(t.Named)
	if t.Fault.Kind == facts.Dangling {
		wanted = filepath.Base(t.Fault.Target)
	}
	for _, path := range t.Staged {
		if filepath.Base(path) == wanted+".tmp" || t.Fault.Kind == facts.Absent && t.Name == "" && len(t.Others) == 0 {
			return path
		}
	}
	return ""
}

func versions(t facts.StoreTree) string {
	if len(t.Others) == 0 {
		return ""
	}
	return "; existing versions: " + diag.Clean(strings.Join(t.Others, ", "))
}

func expectedVersion(t facts.StoreTree) string {
	if t.Current == facts.CurrentUnused {
		return "the directory " + diag.Clean(t.Named)
	}
	return "a link current to versions/VERSION, within the store"
}

// pointAt returns how to repair the link current: a command if there is only one
// version.
func (j *judge) pointAt(t facts.StoreTree) diag.Fix {
	home := filepath.Join(j.look.Root, t.Owner)
	switch {
	case t.Current == facts.CurrentUnused:
		return diag.Advise(fmt.Sprintf("copy the version to %s", diag.Quote(t.Named)), diag.Retry())
	case len(t.Others) == 1 && t.Fault.Kind != facts.NoDirectory:
		return diag.Do(diag.Run("ln", "-sfn", "--", facts.StoreVersions+"/"+t.Others[0], filepath.Join(home, facts.StoreCurrent)), diag.Retry())
	case len(t.Others) > 0:
		return diag.Advise(fmt.Sprintf("make %s a link to the right one of versions", diag.Quote(filepath.Join(home, facts.StoreCurrent))), diag.Retry())
	default:
		return diag.Advise(fmt.Sprintf("copy a version below %s and point current at it", diag.Quote(filepath.Join(home, facts.StoreVersions))), diag.Retry())
	}
}

// leftovers warns of what works now but is not certain to later.
func (j *judge) leftovers(t facts.StoreTree) {
	switch t.Current {
	case facts.CurrentDirectory:
		j.say(t.Named, diag.Found(diag.StoreVersion, j.who(t), "current is a directory, not a link: it cannot be replaced atomically",
			diag.Clean(t.Named), "a link to versions/VERSION",
			diag.Advise(fmt.Sprintf("move %s below versions and replace it with a link", diag.Quote(t.Named)))).As(diag.Warning))
	case facts.CurrentElsewhere:
		j.say(t.Named, diag.Found(diag.StoreVersion, j.who(t), "current points to something that is not a version of this agent",
			diag.Clean(t.Named+" points to "+t.Path), "a link to versions/VERSION of the same agent",
			diag.Advise(fmt.Sprintf("make %s a link to one of versions", diag.Quote(t.Named)))).As(diag.Warning))
	}
	for _, path := range t.Staged {
		j.say(path, diag.Found(diag.StoreStaged, j.who(t), "an incomplete copy of a version is left over",
			diag.Clean(path), "nothing, unless a copy is in progress",
			diag.Advise("if no copy is in progress, remove it", diag.Run("rm", "-r", "--", path))).As(diag.Warning))
	}
}
