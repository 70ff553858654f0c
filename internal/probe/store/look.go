// SPDX-License-Identifier: Apache-2.0

// Package store collects facts about a Model Store: whether every model of the
// map exists, complete and readable by the user that loads it (Look), and
// whether its content matches the manifest (Prove). It follows the paths that
// JustNews' loader follows. It judges nothing and changes nothing; only Seal
// writes a file, next to JustNews' manifest.
package store

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"justnews/internal/digest"
	"justnews/internal/facts"
	"justnews/internal/safefile"
)

// Store is a Model Store.
type Store struct {
	Root string // MODEL_STORE_ROOT
	// Loader is the user that has to be able to read it; nil: the caller.
	Loader *User
	// Cache stores what was inspected and hashed; nil: nothing.
	Cache *digest.Cache
	kept  *kept
}

// New returns a Store whose proof uses the trees of the look before it.
func New(root string, loader *User, cache *digest.Cache) Store {
	return Store{Root: root, Loader: loader, Cache: cache, kept: &kept{}}
}

// Look finds every wanted model. It tries as the loader if this process can.
// When ctx ends it returns what it has, or nothing if the file system does not
// respond.
func (s Store) Look(ctx context.Context, wants []facts.StoreWant) facts.Store {
	out, err := safefile.Do(ctx, func() (facts.Store, error) { return s.lookNow(ctx, wants), nil })
	if err != nil {
		return facts.Store{Root: s.Root, Free: -1}
	}
	return out
}

func (s Store) lookNow(ctx context.Context, wants []facts.StoreWant) facts.Store {
	self := Self()
	as, loader := self, ""
	if s.Loader != nil {
		loader = s.Loader.Name
		if s.Loader.UID == self.UID || self.UID == 0 {
			as = *s.Loader
		}
	}
	out := facts.Store{Root: s.Root, Loader: loader, Free: -1}
	look := func() {
		l := &looker{Store: s, user: as, stamp: as.stamp(), ctx: ctx, look: &out, walked: map[string]*digest.Tree{}}
		out.User = as.Name
		l.all(wants)
	}
	if err := as.do(look); err != nil {
		as = self
		look()
	}
	return out
}

type looker struct {
	Store
	user   User
	stamp  uint64          // of the user
	ctx    context.Context // of one look
	look   *facts.Store
	real   string // the root with resolved links
	seen   map[string]int
	walked map[string]*digest.Tree
}

func (l *looker) all(wants []facts.StoreWant) {
	l.seen = map[string]int{}
	entries, err := safefile.List(l.ctx, l.Root, maxNames)
	if err != nil {
		l.look.Fault = l.user.explain(l.Root, err)
		if l.look.Fault.Kind == facts.Absent && exists(l.Root) {
			l.look.Fault.Kind, l.look.Fault.Detail = facts.NoDirectory, ""
		}
		return
	}
	if l.real, err = filepath.EvalSymlinks(l.Root); err != nil {
		l.look.Fault = l.user.explain(l.Root, err)
		return
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && (e.IsDir() || isDir(filepath.Join(l.Root, e.Name()))) {
			l.look.Agents = append(l.look.Agents, e.Name())
		}
	}
	l.look.Free = free(l.Root)
	for _, w := range wants {
		if !w.BaseUnknown {
			l.tree(w)
		}
	}
	l.walkAll()
	for i, t := range l.look.Trees {
		l.look.Trees[i].IDs = l.modelIDs(t.Path)
	}
	for _, w := range wants {
		if l.ctx.Err() != nil {
			return
		}
		l.look.Models = append(l.look.Models, l.model(w))
	}
}

// free returns the bytes available to unprivileged users, -1 if unknown.
func free(path string) int64 {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return -1
	}
	return int64(st.Bavail) * st.Bsize //nolint:gosec // below 8 EiB
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// below returns a path of the map below the root, unless it is absolute.
func (l *looker) below(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(l.Root, path)
}

// inside reports whether a path without links is in the store.
func (l *looker) inside(path string) bool {
	return safefile.Within(l.real, path)
}

// maxNames is how many entries of a directory of agents, versions, snapshots or
// blobs are read.
const maxNames = 100_000

// names is list for directories that need not exist: one that cannot be listed is
// empty.
func (l *looker) names(dir string, keep func(fs.DirEntry) bool) []string {
	found, _ := l.list(dir, keep)
	return found
}

// list returns the names in a directory that are kept, sorted.
func (l *looker) list(dir string, keep func(fs.DirEntry) bool) ([]string, error) {
	entries, err := safefile.List(l.ctx, dir, maxNames)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		if keep(e) {
			found = append(found, e.Name())
		}
	}
	return found, nil
}

// kept holds the trees that a look has walked for the proof that follows, which
// takes each once: for an unchanged store a stat of every file is the main
// cost. What changes in between is noticed when it is read, as during a proof.
type kept struct {
	mu    sync.Mutex
	trees map[string]*digest.Tree
}

// put keeps a tree if it has no flaws, which may depend on the user.
func (k *kept) put(path string, t *digest.Tree) {
	if k == nil || len(t.Flaws) > 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.trees == nil {
		k.trees = map[string]*digest.Tree{}
	}
	k.trees[path] = t
}

// take returns a tree and forgets it.
func (k *kept) take(path string) (*digest.Tree, bool) {
	if k == nil {
		return nil, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	t, ok := k.trees[path]
	delete(k.trees, path)
	return t, ok
}

// walk walks through a tree once, as the user of this look.
func (l *looker) walk(path string) (*digest.Tree, error) {
	if t, ok := l.walked[path]; ok {
		return t, nil
	}
	walk := digest.Walk
	if !l.asSelf() {
		walk = digest.WalkAlone
	}
	t, err := walk(l.ctx, path)
	if err == nil {
		l.keep(path, t)
	}
	return t, err
}

func (l *looker) keep(path string, t *digest.Tree) {
	l.walked[path] = t
	l.kept.put(path, t)
}

func (l *looker) asSelf() bool { return l.user.UID == os.Geteuid() }

// walkAll walks all trees concurrently, on all processors. Only this thread can
// do so as another user: then the trees are walked one after the other.
func (l *looker) walkAll() {
	if !l.asSelf() || len(l.look.Trees) < 2 {
		return
	}
	defer digest.AllProcessors()()
	trees := make([]*digest.Tree, len(l.look.Trees))
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	var w sync.WaitGroup
	for i, t := range l.look.Trees {
		if t.Path == "" {
			continue
		}
		w.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			if walked, err := digest.WalkAlone(l.ctx, t.Path); err == nil {
				trees[i] = walked
			}
		})
	}
	w.Wait()
	for i, t := range trees {
		if t != nil {
			l.keep(l.look.Trees[i].Path, t)
		}
	}
}
