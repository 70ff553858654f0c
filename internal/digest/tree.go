// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"justnews/internal/lists"
	"justnews/internal/safefile"
)

// ManifestName is the file that JustNews leaves out of a checksum, in any
// directory.
const ManifestName = "manifest.json"

// Tree is a version as JustNews' compute_checksum walks it (ModelStore, by
// Python's os.walk): the files of a directory sorted by name, then its
// directories in the order in which the file system lists them. Links to files
// count as files, links to directories are ignored.
type Tree struct {
	Root *Branch
	// Links are all symbolic links, sorted by path.
	Links []Link
	// Flaws are entries that JustNews could not have hashed: a version with any
	// has no checksum.
	Flaws []Flaw
}

// Branch is one directory.
type Branch struct {
	Files    []Leaf    // sorted by name
	Branches []*Branch // in the file system's order
	ino      uint64    // of the directory, and when it changed last
	mtime    int64
	name     string
}

// Leaf is one file.
type Leaf struct {
	Rel      string // below the version
	Identity Identity
	Link     bool // a link points to it
}

// Link is a symbolic link.
type Link struct{ Rel, Target string }

// Flaw is an entry that cannot be hashed.
type Flaw struct {
	Rel string
	Err error
	Dir bool // a directory that could not be read, whose branch is empty
}

// The kinds of entries that are neither files nor directories.
var (
	ErrDangling = errors.New("it is a dangling link")
	ErrSpecial  = errors.New("it is neither a file nor a directory")
	ErrName     = errors.New("its name is not UTF-8")
)

// Walk reads the tree of a version, on all processors. It returns an error for
// the version's own directory only; anything below it is a flaw.
func Walk(ctx context.Context, version string) (*Tree, error) {
	defer AllProcessors()()
	return walk(ctx, version, runtime.GOMAXPROCS(0)-1)
}

// WalkAlone is Walk in the calling goroutine only, for callers that have
// changed the user of their thread.
func WalkAlone(ctx context.Context, version string) (*Tree, error) { return walk(ctx, version, 0) }

// maxEntries is how many files and directories a version may have: more would
// not be a model, and would need too much memory for a gate.
const maxEntries = 1_000_000

func walk(ctx context.Context, version string, helpers int) (*Tree, error) {
	w := &walker{ctx: ctx, version: version, spare: make(chan struct{}, helpers)}
	root, err := w.branch("")
	w.helpers.Wait()
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case w.entries.Load() > maxEntries:
		return nil, fmt.Errorf("cannot look at %s: %w: more than %d", version, safefile.ErrTooMany, maxEntries)
	}
	slices.SortFunc(w.flaws, func(a, b Flaw) int { return strings.Compare(a.Rel, b.Rel) })
	slices.SortFunc(w.links, func(a, b Link) int { return strings.Compare(a.Rel, b.Rel) })
	return &Tree{Root: root, Flaws: w.flaws, Links: w.links}, nil
}

// walker reads directories; idle processors read subdirectories.
type walker struct {
	ctx     context.Context // of one walk
	version string
	entries atomic.Int64
	spare   chan struct{}
	helpers sync.WaitGroup
	mu      sync.Mutex
	flaws   []Flaw
	links   []Link
}

func (w *walker) branch(rel string) (*Branch, error) {
	dir, err := safefile.OpenDir(filepath.Join(w.version, rel))
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	entries, err := safefile.Entries(w.ctx, dir, maxEntries)
	if err != nil {
		return nil, err
	}
	if w.entries.Add(int64(len(entries))) > maxEntries {
		return nil, safefile.ErrTooMany
	}
	b := &Branch{name: filepath.Base(rel), Files: make([]Leaf, 0, len(entries))}
	if info, err := safefile.Fstat(dir); err == nil {
		b.ino, b.mtime = info.Ino, info.Mtime
	}
	for _, e := range entries {
		if w.ctx.Err() != nil {
			return b, nil
		}
		path := e.Name()
		if rel != "" {
			path = rel + "/" + path
		}
		if e.IsDir() {
			child := &Branch{name: e.Name()}
			b.Branches = append(b.Branches, child)
			w.descend(path, child)
			continue
		}
		w.entry(b, path, dir, e)
	}
	slices.SortFunc(b.Files, func(a, c Leaf) int { return strings.Compare(a.Rel, c.Rel) })
	return b, nil
}

// descend reads a directory into child, on another processor if one is idle.
func (w *walker) descend(rel string, child *Branch) {
	read := func() {
		b, err := w.branch(rel)
		if err != nil {
			w.flaw(Flaw{rel, err, true})
			return
		}
		*child = *b
	}
	select {
	case w.spare <- struct{}{}:
		w.helpers.Go(func() { read(); <-w.spare })
	default:
		read()
	}
}

func (w *walker) entry(b *Branch, rel string, dir *os.File, e fs.DirEntry) {
	if e.Name() == ManifestName {
		return
	}
	linked := e.Type() == fs.ModeSymlink
	if linked {
		w.link(rel)
	}
	info, err := safefile.StatIn(dir, e.Name())
	switch {
	case err == nil && info.Mode.IsDir():
		// A link to a directory: os.walk neither hashes nor follows it.
	case !utf8.ValidString(e.Name()):
		w.flaw(Flaw{Rel: rel, Err: ErrName})
	case errors.Is(err, unix.ENOENT) && linked, errors.Is(err, unix.ELOOP):
		w.flaw(Flaw{Rel: rel, Err: ErrDangling})
	case err != nil:
		w.flaw(Flaw{Rel: rel, Err: err})
	case !info.Mode.IsRegular():
		w.flaw(Flaw{Rel: rel, Err: ErrSpecial})
	default:
		b.Files = append(b.Files, Leaf{Rel: rel, Identity: Of(info), Link: linked})
	}
}

func (w *walker) link(rel string) {
	target, err := os.Readlink(filepath.Join(w.version, rel))
	if err != nil {
		return // a stat will return the reason
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.links = append(w.links, Link{rel, target})
}

func (w *walker) flaw(f Flaw) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flaws = append(w.flaws, f)
}

// Branch returns the directory at a path below the version, "" for the version
// itself; false if there is none, or if it is reached through a link.
func (t *Tree) Branch(rel string) (*Branch, bool) {
	b := t.Root
	for name := range strings.SplitSeq(rel, "/") {
		if name == "" || name == "." {
			continue
		}
		i := slices.IndexFunc(b.Branches, func(child *Branch) bool { return child.name == name })
		if i < 0 {
			return nil, false
		}
		b = b.Branches[i]
	}
	return b, true
}

// Name is the directory's own name.
func (b *Branch) Name() string { return b.name }

// Leaves returns every file in a fixed order, independent of the order in which
// the file system lists them.
func (t *Tree) Leaves() []Leaf {
	var all []Leaf
	var visit func(*Branch)
	visit = func(b *Branch) {
		all = append(all, b.Files...)
		for _, child := range slices.SortedFunc(slices.Values(b.Branches), byName) {
			visit(child)
		}
	}
	visit(t.Root)
	return all
}

func byName(a, b *Branch) int { return strings.Compare(a.name, b.name) }

// Job returns JustNews' checksum in the order of the file system.
func (t *Tree) Job(version string) Job {
	return t.job(version, func(b []*Branch) []*Branch { return b })
}

// job returns JustNews' checksum with another order of the directories of each
// directory.
func (t *Tree) job(version string, order func([]*Branch) []*Branch) Job {
	var j Job
	var visit func(*Branch)
	visit = func(b *Branch) {
		for _, l := range b.Files {
			j.Segments = append(j.Segments, l.segment(version))
		}
		for _, child := range order(nonEmpty(b.Branches)) {
			visit(child)
		}
	}
	visit(t.Root)
	return j
}

func (l Leaf) segment(version string) Segment {
	return Segment{Prefix: l.Rel, Path: filepath.Join(version, l.Rel), Identity: l.Identity}
}

// nonEmpty leaves out directories without any file, whose position does not
// matter.
func nonEmpty(branches []*Branch) []*Branch {
	return lists.Filter(branches, (*Branch).hasFiles)
}

func (b *Branch) hasFiles() bool {
	return len(b.Files) > 0 || slices.ContainsFunc(b.Branches, (*Branch).hasFiles)
}

// Settled reports whether a change of any file after began would show.
func (t *Tree) Settled(began time.Time) bool {
	return !slices.ContainsFunc(t.Leaves(), func(l Leaf) bool { return !l.Identity.settled(began) })
}
