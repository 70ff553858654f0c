// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"justnews/internal/digest"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/safefile"
	"justnews/internal/seal"
	"justnews/internal/weights"
)

// inspect checks every file of a model's directory: whether it exists, the user
// can read it, and its content matches its name.
func (l *looker) inspect(m *facts.StoreModel, dir string) {
	m.Dir = dir
	i := inspection{looker: l, model: m}
	if strings.HasSuffix(strings.ToLower(dir), ".gguf") { // the map names the file
		dir, i.only = filepath.Dir(dir), filepath.Base(dir)
	}
	i.below(dir)
	switch {
	case i.only != "":
	case i.closed:
		// What cannot be listed may contain anything.
	case !holdsModel(dir):
		if f := unanswered(dir); f != nil {
			m.Faults = append(m.Faults, *f)
			return
		}
		add(m, facts.NoConfig, dir)
	case !i.weighs:
		add(m, facts.NoWeights, dir)
	}
}

// unanswered is the error because of which the anchors of a directory are
// unknown, nil if they do not exist.
func unanswered(dir string) *facts.StoreFault {
	for _, name := range anchors {
		path := filepath.Join(dir, name)
		if _, err := safefile.Lstat(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &facts.StoreFault{Kind: facts.Unreadable, Path: path, Detail: plain(err)}
		}
	}
	return nil
}

type inspection struct {
	*looker
	model  *facts.StoreModel
	only   string // the one file that the map names, "": a directory
	top    string // of the tree
	links  map[string]string
	flaws  map[string][]digest.Flaw // by the directory that has them, "" for the tree's own
	unread map[string]error         // directories that could not be read
	shards map[string]bool          // files below top that an index lists
	weighs bool                     // a file of weights was found, whatever its state
	closed bool                     // what the loader opens could not be listed
}

// below inspects the files that a loader opens in a directory, using the tree of its version,
// which the proof also needs.
func (i *inspection) below(dir string) {
	top, rel := i.treeOf(dir)
	t := i.tree(top, dir)
	if t == nil {
		return
	}
	b, ok := t.Branch(rel)
	if !ok { // a link points to it
		top, rel = dir, ""
		if t = i.tree(dir, dir); t == nil {
			return
		}
		b = t.Root
	}
	i.top, i.links, i.flaws, i.unread, i.shards = top, map[string]string{}, map[string][]digest.Flaw{}, map[string]error{}, map[string]bool{}
	for _, l := range t.Links {
		i.links[l.Rel] = l.Target
	}
	for _, f := range t.Flaws {
		if f.Dir {
			i.unread[f.Rel] = f.Err
			continue
		}
		in, _ := filepath.Split(f.Rel)
		i.flaws[strings.TrimSuffix(in, "/")] = append(i.flaws[strings.TrimSuffix(in, "/")], f)
	}
	i.unfinished(t, rel)
	i.directory(b, rel, true, false)
}

// unfinished records what an interrupted download to this directory left behind,
// where huggingface_hub keeps it (_local_folder.py), and where its release 0.23 did.
func (i *inspection) unfinished(t *digest.Tree, rel string) {
	for _, dir := range []string{"/.cache/huggingface/download", "/.huggingface/download"} {
		b, ok := t.Branch(rel + dir)
		if !ok {
			continue
		}
		if path := incomplete(b); path != "" { // one line a model
			add(i.model, facts.Unfinished, filepath.Join(i.top, path))
			return
		}
	}
}

// incomplete returns the first file of a download that did not end, "" for none.
func incomplete(b *digest.Branch) string {
	for _, leaf := range b.Files {
		if strings.HasSuffix(leaf.Rel, ".incomplete") {
			return leaf.Rel
		}
	}
	for _, child := range b.Branches {
		if path := incomplete(child); path != "" {
			return path
		}
	}
	return ""
}

// treeOf returns the known tree that contains a directory, and its path there;
// otherwise the directory is its own tree.
func (i *inspection) treeOf(dir string) (top, rel string) {
	for _, t := range i.look.Trees {
		if t.Path != "" && safefile.Within(t.Path, dir) {
			rel, _ := filepath.Rel(t.Path, dir)
			return t.Path, strings.TrimPrefix(rel, ".")
		}
	}
	return dir, ""
}

// tree walks the tree that contains the model's directory. It returns nil and adds a
// fault of the directory if that is not possible.
func (i *inspection) tree(top, dir string) *digest.Tree {
	t, err := i.walk(top)
	if err != nil {
		i.closed = true
		i.model.Faults = append(i.model.Faults, *i.user.explain(dir, err))
		return nil
	}
	return t
}

// directory inspects what a loader opens of one directory, and of those that its
// files list. It reports whether there are weights.
func (i *inspection) directory(b *digest.Branch, rel string, root, all bool) bool {
	if i.ctx.Err() != nil {
		return false
	}
	if err, is := i.unread[rel]; is { // it may contain anything
		i.flaw(filepath.Join(i.top, rel), err)
		i.closed = true
		return false
	}
	names := i.names(b, rel)
	opened := i.opened(names, rel)
	if all {
		opened = opened.WithEverything()
	}
	i.weighs = i.weighs || opened.HasWeights
	opens := func(rel string) bool { return opened.Opens(filepath.Base(rel)) }
	i.files(b, opens)
	// Only the index says which parts are opened.
	i.files(b, func(rel string) bool { return i.shards[rel] && !opens(rel) })
	for _, f := range i.flaws[rel] {
		if opens(f.Rel) || opened.All() || i.shards[f.Rel] {
			i.flaw(filepath.Join(i.top, f.Rel), f.Err)
		}
	}
	for _, name := range opened.Missing {
		add(i.model, facts.PartMissing, filepath.Join(i.top, rel, name))
	}
	i.vocabulary(names, rel, opened)
	i.children(b, rel, root, opened)
	return opened.HasWeights
}

// files inspects those files of a directory that a loader opens.
func (i *inspection) files(b *digest.Branch, opens func(rel string) bool) {
	for _, leaf := range b.Files {
		if i.ctx.Err() != nil {
			return
		}
		if opens(leaf.Rel) {
			i.file(filepath.Join(i.top, leaf.Rel), leaf, i.links[leaf.Rel])
		}
	}
}

// opened is what a loader opens in a directory. To it, a dangling link
// is not a file, so it takes another file if there is one.
func (i *inspection) opened(names []string, rel string) weights.Opened {
	if i.only != "" {
		return weights.OpenFile(i.only, names)
	}
	var dangling []string
	for _, f := range i.flaws[rel] {
		if errors.Is(f.Err, digest.ErrDangling) {
			dangling = append(dangling, filepath.Base(f.Rel))
		}
	}
	all := weights.Open(names)
	if len(dangling) == 0 {
		return all
	}
	opened := weights.Open(lists.Filter(names, func(name string) bool { return !slices.Contains(dangling, name) }))
	if !opened.HasWeights || len(opened.Missing) > 0 {
		return all
	}
	opened.Also(all, dangling)
	return opened
}

// children inspects the directories that a loader opens.
func (i *inspection) children(b *digest.Branch, rel string, root bool, opened weights.Opened) {
	if i.only != "" {
		return
	}
	listed, closed := i.listed(b)
	for _, child := range b.Branches {
		below := strings.TrimPrefix(rel+"/"+child.Name(), "/")
		part, is := listed[child.Name()]
		delete(listed, child.Name())
		switch {
		case root && (child.Name() == seal.Dir || strings.HasPrefix(child.Name(), modelPrefix)), strings.HasPrefix(child.Name(), "."):
		case is, opened.All():
			if weighs := i.directory(child, below, false, opened.All()); part.weighs && !weighs && !i.closed {
				add(i.model, facts.NoWeights, filepath.Join(i.top, below))
			}
		}
	}
	for name, part := range listed {
		path := filepath.Join(i.top, rel, name)
		if _, err := os.Stat(path); part.needed && !closed && errors.Is(err, fs.ErrNotExist) {
			i.fault(facts.PartMissing, path, "listed in "+part.by)
		}
	}
}

// flaw is an entry that is not a readable file.
func (i *inspection) flaw(path string, err error) {
	switch {
	case errors.Is(err, digest.ErrName):
		return // only JustNews' checksum cannot cover it
	case errors.Is(err, digest.ErrSpecial):
		i.fault(facts.Odd, path, "")
		return
	}
	if errors.Is(err, digest.ErrDangling) {
		err = fs.ErrNotExist
	}
	f := i.user.explain(path, err)
	if f.Kind == facts.Absent { // neither does a loop
		f.Kind = facts.Dangling
	}
	i.model.Faults = append(i.model.Faults, *f)
	i.closed = i.closed || f.Kind == facts.Denied || f.Kind == facts.Unreadable
}

// file inspects one file. A file that the same user found intact before is not
// opened again.
func (i *inspection) file(path string, leaf digest.Leaf, target string) {
	i.model.Files++
	if leaf.Link {
		if why := i.leaves(path, target); why != "" {
			i.fault(facts.Escaping, path, why)
			return
		}
	}
	i.model.Bytes += leaf.Identity.Size
	if i.Cache == nil || !i.remembered(leaf.Identity, path) {
		i.open(path, leaf.Identity)
	}
}

// leaves returns where a link leads if that is outside the store. A link within
// its own model, as in the Hugging Face cache, costs one file system access.
func (i *inspection) leaves(path, target string) string {
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(path), target)
	}
	if info, err := os.Lstat(target); err == nil && info.Mode()&fs.ModeSymlink == 0 && i.inside(target) {
		return ""
	}
	end, err := filepath.EvalSymlinks(path)
	if err != nil || i.inside(end) {
		return ""
	}
	return "it points to " + end
}

// open checks what can be checked of a file without reading all of it.
func (i *inspection) open(path string, id digest.Identity) {
	began := time.Now()
	f, err := safefile.Open(path, 0)
	if err != nil {
		fault := i.user.explain(path, err)
		i.model.Faults = append(i.model.Faults, *fault)
		return
	}
	defer func() { _ = f.Close() }()
	found, err := weights.Look(path, f, f.Size)
	if err != nil {
		i.fault(facts.Unreadable, path, plain(err))
		return
	}
	if kind, bad := faults[found.Kind]; bad {
		i.fault(kind, path, found.Detail)
		return
	}
	if weights.IsIndex(path) {
		i.parts(path, io.NewSectionReader(f, 0, f.Size))
		return // the files that it lists may change independently
	}
	if after, err := f.Stat(); err == nil && digest.Of(after) == id {
		i.Cache.Remember(id, i.note(found.Kind), began)
	}
}

var faults = map[weights.Kind]facts.FaultKind{
	weights.Empty: facts.EmptyFile, weights.Pointer: facts.Pointer, weights.Header: facts.BadContent,
	weights.Truncated: facts.Cut, weights.Overlong: facts.BadContent, weights.NotJSON: facts.BadContent,
	weights.Unknown: facts.Unreadable,
}

// parts looks for the files that an index of weights lists.
func (i *inspection) parts(index string, r io.Reader) {
	list, err := weights.Parts(r)
	if err != nil {
		i.fault(facts.BadContent, index, err.Error())
		return
	}
	for _, part := range list {
		i.weighs = true
		path := filepath.Join(filepath.Dir(index), part)
		if !filepath.IsLocal(part) {
			i.fault(facts.PartMissing, path, "listed in "+filepath.Base(index))
			continue
		}
		if rel, err := filepath.Rel(i.top, path); err == nil {
			i.shards[rel] = true
		}
		// A dangling link exists, and has its own fault.
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			i.fault(facts.PartMissing, path, "listed in "+filepath.Base(index))
		}
	}
}

func (i *inspection) fault(kind facts.FaultKind, path, detail string) {
	i.model.Faults = append(i.model.Faults, facts.StoreFault{Kind: kind, Path: path, Detail: detail})
}

// A note of a file: its kind, and who could open it. A change of owner, mode or
// ACL changes its ctime, and so the identity.
func (i *inspection) note(k weights.Kind) digest.Note {
	var n digest.Note
	n[0] = byte(k)
	binary.LittleEndian.PutUint64(n[8:], i.stamp)
	return n
}

func (i *inspection) remembered(id digest.Identity, path string) bool {
	if id.Size == 0 || weights.IsIndex(path) {
		return false
	}
	n, ok := i.Cache.Note(id)
	if !ok || n != i.note(weights.Kind(n[0])) {
		return false
	}
	// An opaque file may have had another name then, about which more is known.
	return weights.Kind(n[0]) == weights.Sound || !weights.IsWeights(path) && filepath.Ext(path) != ".json"
}
