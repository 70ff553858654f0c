// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"justnews/internal/facts"
	"justnews/internal/safefile"
)

// model finds a model as JustNews' loader does: its first snapshot; without
// snapshots the model's directory; without that the version itself.
func (l *looker) model(w facts.StoreWant) facts.StoreModel {
	m := facts.StoreModel{Want: w, Tree: -1}
	if w.BaseUnknown {
		add(&m, facts.NoBase, w.Base)
	} else {
		m.Tree = l.tree(w)
		if t := l.look.Trees[m.Tree]; t.Fault == nil {
			l.base(&m, t)
		}
	}
	if w.Adapter != "" {
		l.adapter(&m)
	}
	return m
}

func add(m *facts.StoreModel, kind facts.FaultKind, path string) {
	m.Faults = append(m.Faults, facts.StoreFault{Kind: kind, Path: path})
}

func (l *looker) base(m *facts.StoreModel, t facts.StoreTree) {
	if m.Want.ID == "" { // without a map, there is nothing to expect of a version
		if holdsModel(t.Path) {
			l.inspect(m, t.Path)
		}
		return
	}
	if strings.HasSuffix(strings.ToLower(m.Want.ID), ".gguf") {
		l.gguf(m, t.Path)
		return
	}
	dir := filepath.Join(t.Path, dirOf(m.Want.ID))
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		if holdsModel(t.Path) {
			l.inspect(m, t.Path)
			return
		}
		add(m, facts.NoModel, dir)
		return
	}
	resolved, fault := l.resolve(dir)
	if fault != nil {
		m.Faults = append(m.Faults, *fault)
		return
	}
	l.unfinished(m, resolved)
	snapshots := filepath.Join(resolved, "snapshots")
	var err error
	m.Snapshots, err = l.list(snapshots, func(e fs.DirEntry) bool { return e.IsDir() || isDir(filepath.Join(snapshots, e.Name())) })
	if err != nil && !missing(err) {
		m.Faults = append(m.Faults, *l.user.explain(snapshots, err))
		return
	}
	if main, err := safefile.Read(filepath.Join(resolved, "refs", "main"), maxRef); err == nil {
		m.Main = strings.TrimSpace(string(main))
	}
	switch {
	case len(m.Snapshots) > 0:
		l.inspect(m, filepath.Join(snapshots, m.Snapshots[0]))
	case holdsModel(resolved):
		l.inspect(m, resolved)
	default:
		add(m, facts.NoSnapshot, snapshots)
	}
}

// gguf finds a model that is one file, ORGANIZATION/REPOSITORY/FILE.gguf or a path:
// in the version itself, or in the layout of the Hugging Face cache.
func (l *looker) gguf(m *facts.StoreModel, version string) {
	repository, file := filepath.Split(filepath.Clean("/" + m.Want.ID))
	snapshots := filepath.Join(version, dirOf(strings.Trim(repository, "/")), "snapshots")
	places := []string{filepath.Join(version, repository), version}
	revisions, err := l.list(snapshots, func(e fs.DirEntry) bool { return e.IsDir() })
	if err != nil && !missing(err) {
		m.Faults = append(m.Faults, *l.user.explain(snapshots, err))
		return
	}
	for _, revision := range revisions {
		places = append(places, filepath.Join(snapshots, revision))
	}
	for _, dir := range places {
		path := filepath.Join(dir, file)
		switch _, err := os.Lstat(path); {
		case err == nil:
			l.inspect(m, path)
			return
		case !missing(err):
			m.Faults = append(m.Faults, *l.user.explain(path, err))
			return
		}
	}
	add(m, facts.NoModel, filepath.Join(version, file))
}

// missing reports whether an error means that the file does not exist. After any other
// error that is unknown.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) }

// maxRef is the longest reference that is read, in bytes: a commit has 40.
const maxRef = 200

// unfinished records what an interrupted download left behind.
func (l *looker) unfinished(m *facts.StoreModel, dir string) {
	blobs := filepath.Join(dir, "blobs")
	for _, name := range l.names(blobs, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), ".incomplete") }) {
		add(m, facts.Unfinished, filepath.Join(blobs, name))
	}
}

// adapter checks the directory of an adapter in the map. Its content can be
// verified like a version if it was sealed.
func (l *looker) adapter(m *facts.StoreModel) {
	path := l.below(m.Want.Adapter)
	resolved, fault := l.resolve(path)
	if fault != nil {
		if fault.Kind == facts.Absent {
			fault.Kind = facts.NoAdapter
		}
		m.Faults = append(m.Faults, *fault)
		return
	}
	if _, ok := l.seen[resolved]; !ok {
		l.seen[resolved] = len(l.look.Trees)
		l.look.Trees = append(l.look.Trees, facts.StoreTree{
			Owner: m.Want.Agent, Path: resolved, Named: path, Current: facts.CurrentUnused, Adapter: true,
		})
	}
	dir := m.Dir
	l.inspect(m, resolved)
	m.Dir = dir
	if m.Dir == "" {
		m.Dir = resolved
	}
}

// anchors are the files that make a directory a model: what transformers, peft,
// sentence-transformers, diffusers and spaCy open first.
var anchors = []string{"config.json", "adapter_config.json", "modules.json", "model_index.json", "config.cfg", "params.json"}

func holdsModel(dir string) bool {
	return slices.ContainsFunc(anchors, func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err == nil
	})
}
