// SPDX-License-Identifier: Apache-2.0

package store

import (
	"os"
	"runtime"
	"sync"

	"justnews/internal/digest"
)

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
