// SPDX-License-Identifier: Apache-2.0

package store

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"justnews/internal/facts"
)

// JustNews' names.
const (
	stagedTail  = ".tmp"
	modelPrefix = "models--"
)

// tree returns the index of the tree of a want, reading each only once.
func (l *looker) tree(w facts.StoreWant) int {
	key, find := w.Owner+"\x00"+w.Version, func() facts.StoreTree { return l.version(w.Owner, w.Version) }
	if w.Path != "" {
		if path := l.below(w.Path); exists(path) || w.Owner == "" {
			key, find = path, func() facts.StoreTree { return l.directory(w.Owner, path) }
		}
	}
	if at, ok := l.seen[key]; ok {
		return at
	}
	l.seen[key] = len(l.look.Trees)
	l.look.Trees = append(l.look.Trees, find())
	return l.seen[key]
}

// directory is a tree given by its path in the map.
func (l *looker) directory(owner, path string) facts.StoreTree {
	t := facts.StoreTree{Owner: owner, Named: path, Current: facts.CurrentUnused}
	t.Path, t.Fault = l.resolve(path)
	return t
}

// version finds one version of an agent: the given one, or the one that current
// points to.
func (l *looker) version(owner, version string) facts.StoreTree {
	home := filepath.Join(l.Root, owner)
	t := facts.StoreTree{Owner: owner, Name: version, Named: filepath.Join(home, facts.StoreVersions, version), Current: facts.CurrentUnused}
	l.siblings(&t, filepath.Join(home, facts.StoreVersions))
	if t.Fault = l.user.reach(home); t.Fault != nil {
		t.Named = home
		return t
	}
	if version == "" {
		t.Named = filepath.Join(home, facts.StoreCurrent)
		l.current(&t)
	}
	if t.Path, t.Fault = l.resolve(t.Named); t.Fault == nil && version == "" {
		t.Name = l.nameOf(home, t.Path)
		if t.Current == facts.CurrentLink && t.Name == "" {
			t.Current = facts.CurrentElsewhere
		}
	}
	return t
}

// siblings lists the complete and the incomplete versions.
func (l *looker) siblings(t *facts.StoreTree, dir string) {
	for _, name := range l.names(dir, func(e fs.DirEntry) bool { return e.IsDir() }) {
		if strings.HasSuffix(name, stagedTail) {
			t.Staged = append(t.Staged, filepath.Join(dir, name))
		} else {
			t.Others = append(t.Others, name)
		}
	}
}

func (l *looker) current(t *facts.StoreTree) {
	t.Current = ""
	info, err := os.Lstat(t.Named)
	switch {
	case err != nil:
	case info.Mode()&fs.ModeSymlink != 0:
		t.Current = facts.CurrentLink
	case info.IsDir():
		t.Current = facts.CurrentDirectory
	}
}

// nameOf returns the version of a resolved path, "" if it is not a version of
// the agent.
func (l *looker) nameOf(home, path string) string {
	versions, err := filepath.EvalSymlinks(filepath.Join(home, facts.StoreVersions))
	if err != nil || filepath.Dir(path) != versions {
		return ""
	}
	return filepath.Base(path)
}

// resolve follows a path to a directory that can be listed, and reports if it
// points outside the store.
func (l *looker) resolve(path string) (string, *facts.StoreFault) {
	info, err := os.Stat(path)
	if err != nil {
		return "", l.user.explain(path, err)
	}
	if !info.IsDir() {
		return "", &facts.StoreFault{Kind: facts.NoDirectory, Path: path}
	}
	end, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", l.user.explain(path, err)
	}
	if !l.inside(end) {
		return "", &facts.StoreFault{Kind: facts.Escaping, Path: path, Detail: "it points to " + end}
	}
	if fault := l.user.reach(end); fault != nil {
		return "", fault
	}
	return end, nil
}

// modelIDs lists the models of a version in the layout of the Hugging Face
// cache, by the hub's ids.
func (l *looker) modelIDs(version string) []string {
	if version == "" {
		return nil
	}
	t, err := l.walk(version)
	if err != nil {
		return nil
	}
	var ids []string
	for _, b := range t.Root.Branches {
		if strings.HasPrefix(b.Name(), modelPrefix) {
			ids = append(ids, idOf(b.Name()))
		}
	}
	slices.Sort(ids)
	return ids
}

// idOf turns models--org--name into org/name. A name that contains -- comes out
// with too many slashes, as they cannot be distinguished.
func idOf(dir string) string {
	return strings.ReplaceAll(strings.TrimPrefix(dir, modelPrefix), "--", "/")
}

func dirOf(id string) string { return modelPrefix + strings.ReplaceAll(id, "/", "--") }
