// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"justnews/internal/digest"
	"justnews/internal/facts"
	"justnews/internal/safefile"
	"justnews/internal/seal"
)

// Proving is how trees are verified.
type Proving struct {
	// Deep reads everything again even if it is known, compares files with the
	// digests in their names, and tries more orders of directories.
	Deep bool
	// Unsealed compares with JustNews' manifest even if there is a seal.
	Unsealed bool
	// Remembered reads nothing and only uses earlier results.
	Remembered bool
	// Names compares blobs with the digests in their names, even without a
	// manifest; so does Deep.
	Names bool
	Tell  func(digest.Progress)
}

// maxTries is how often a tree is read again that changes meanwhile.
const maxTries = 3

// Prove compares the content of the trees with the seal if there is one,
// otherwise with JustNews' manifest. All of them are hashed together, on all
// processors. When ctx ends, the rest is OutOfTime.
func (s Store) Prove(ctx context.Context, trees []facts.StoreTree, p Proving) []facts.StoreProof {
	trees = slices.Clone(trees)
	proofs, err := safefile.Do(ctx, func() ([]facts.StoreProof, error) { return s.proveAll(ctx, trees, p), nil })
	if err == nil {
		return proofs
	}
	proofs = nil
	for i, t := range trees {
		proofs = append(proofs, facts.StoreProof{Tree: i, Owner: t.Owner, Name: t.Name, Path: t.Path, Verdict: facts.OutOfTime})
	}
	return proofs
}

func (s Store) proveAll(ctx context.Context, trees []facts.StoreTree, p Proving) []facts.StoreProof {
	proofs := make([]facts.StoreProof, len(trees))
	var todo []int
	for i, t := range trees {
		proofs[i] = facts.StoreProof{Tree: i, Owner: t.Owner, Name: t.Name, Path: t.Path}
		if t.Fault == nil && t.Path != "" {
			todo = append(todo, i)
		}
	}
	for try := 1; len(todo) > 0; try++ {
		again := s.prove(ctx, trees, proofs, todo, p)
		if try == maxTries {
			for _, i := range again {
				proofs[i].Verdict, proofs[i].Reason = facts.Unchecked, "its files keep changing while they are read"
			}
			break
		}
		todo = again
	}
	return proofs
}

// prove verifies some of the trees and returns those that changed meanwhile.
func (s Store) prove(ctx context.Context, trees []facts.StoreTree, proofs []facts.StoreProof, todo []int, p Proving) (again []int) {
	e := digest.Engine{Cache: s.Cache, Fresh: p.Deep, Remembered: p.Remembered, Tell: p.Tell}
	var jobs []digest.Job
	cases := make([]*proving, 0, len(todo))
	for _, i := range todo {
		proofs[i] = facts.StoreProof{Tree: i, Owner: trees[i].Owner, Name: trees[i].Name, Path: trees[i].Path}
		c := &proving{engine: e, proof: &proofs[i], deep: p.Deep, names: p.Deep || p.Names, kept: s.kept}
		c.begin(ctx, p.Unsealed)
		c.from = len(jobs)
		jobs = append(jobs, c.jobs...)
		cases = append(cases, c)
	}
	results := e.Run(ctx, jobs)
	for _, c := range cases {
		c.results = results[c.from : c.from+len(c.jobs)]
		if c.changed() {
			again = append(again, c.proof.Tree)
			continue
		}
		c.conclude(ctx)
	}
	return again
}

type proving struct {
	engine  digest.Engine
	proof   *facts.StoreProof
	deep    bool
	names   bool
	kept    *kept
	tree    *digest.Tree
	want    digest.Sum
	seal    *seal.Manifest
	claim   digest.Sum
	began   time.Time
	done    bool // begin decided it
	jobs    []digest.Job
	from    int
	results []digest.Result
	leaves  map[string]digest.Leaf // of a sealed tree: regular files by path
}

// begin reads the tree and decides what has to be hashed.
func (c *proving) begin(ctx context.Context, unsealed bool) {
	c.began = time.Now()
	tree, ok := c.kept.take(c.proof.Path)
	if !ok {
		var err error
		if tree, err = digest.Walk(ctx, c.proof.Path); err != nil {
			if c.unchecked(err); ctx.Err() != nil {
				c.proof.Verdict = facts.OutOfTime
			}
			return
		}
	}
	c.tree = tree
	for _, l := range tree.Leaves() {
		c.proof.Files++
		c.proof.Bytes += l.Identity.Size
	}
	if c.manifest(); c.done {
		return
	}
	text, err := seal.Read(c.proof.Path)
	switch {
	case unsealed:
	case err == nil:
		c.beginSeal(text)
	case unanswering(err):
		c.unchecked(err)
	case !errors.Is(err, fs.ErrNotExist):
		c.proof.SealFault = plain(err)
	}
	if c.seal == nil && !c.done {
		c.beginManifest(ctx)
	}
}

func (c *proving) beginManifest(ctx context.Context) {
	switch {
	case len(c.tree.Flaws) > 0 && c.proof.Expected != "":
		c.proof.By = "manifest"
		c.flaws()
		c.done = true
	case c.proof.Expected == "":
		c.proof.Verdict, c.done = facts.NoManifest, true
	default:
		c.proof.By = "manifest"
		if p, ok := c.engine.Recall(c.tree, c.want, c.effort()); ok {
			c.take(ctx, p)
			c.done = true
			return
		}
		c.jobs = []digest.Job{c.tree.Job(c.proof.Path)}
	}
}

// flaws are entries that no checksum covers, since JustNews could not have
// hashed them.
func (c *proving) flaws() {
	for _, f := range c.tree.Flaws {
		kind := facts.FlawOdd
		switch {
		case errors.Is(f.Err, fs.ErrPermission):
			kind = facts.FlawDenied
		case errors.Is(f.Err, digest.ErrDangling):
			kind = facts.FlawLost
		case !errors.Is(f.Err, digest.ErrSpecial) && !errors.Is(f.Err, digest.ErrName):
			kind = facts.FlawRead // its content is unknown
		}
		c.flaw(kind, f.Rel, plain(f.Err))
	}
	c.proof.Verdict = facts.Differs
	if !c.countBad() {
		c.proof.Verdict = facts.Unchecked
	}
}

func (c *proving) flaw(kind facts.FlawKind, path, detail string) {
	c.proof.Flaws = append(c.proof.Flaws, facts.ProofFlaw{Kind: kind, Path: path, Detail: detail})
}

func (c *proving) effort() digest.Effort {
	if c.deep {
		return digest.DeepEffort(c.proof.Bytes)
	}
	return digest.DefaultEffort(c.proof.Bytes)
}

func (c *proving) changed() bool {
	return slices.ContainsFunc(c.results, func(r digest.Result) bool {
		return errors.Is(r.Err, digest.ErrChanged) || errors.Is(r.Err, fs.ErrNotExist)
	})
}

func (c *proving) conclude(ctx context.Context) {
	for i, r := range c.results {
		if !r.Cached && r.Done && r.Err == nil {
			c.proof.Read += c.jobs[i].Bytes()
		}
	}
	switch {
	case c.done:
	case c.unknown():
		c.proof.Verdict = facts.Unproven
	case ctx.Err() != nil:
		c.proof.Verdict = facts.OutOfTime
	case c.seal != nil:
		c.concludeSeal()
	default:
		c.concludeManifest(ctx)
	}
	if c.names && slices.Contains([]facts.ProofVerdict{facts.Whole, facts.Undecided, facts.NoManifest}, c.proof.Verdict) {
		c.witness(ctx)
	}
}

// unknown reports whether something was not hashed before and must not be
// hashed now.
func (c *proving) unknown() bool {
	return slices.ContainsFunc(c.results, func(r digest.Result) bool { return errors.Is(r.Err, digest.ErrUnknown) })
}

func (c *proving) concludeManifest(ctx context.Context) {
	natural := c.results[0]
	if natural.Err != nil {
		c.unread(natural.Err)
		return
	}
	if natural.Sum != c.want {
		c.proof.Found = natural.Sum.String()
		switch c.witness(ctx); {
		case ctx.Err() != nil:
			c.proof.Verdict = facts.OutOfTime
			return
		case c.countBad():
			c.proof.Verdict = facts.Differs // in any order
			c.engine.Refute(c.tree, c.want)
			return
		case len(c.proof.Flaws) > 0:
			c.proof.Verdict = facts.Unchecked
			return
		}
	}
	p := c.engine.Conclude(ctx, c.proof.Path, c.tree, c.want, c.effort(), natural)
	c.take(ctx, p)
	if ctx.Err() != nil && p.Verdict == digest.Unproven {
		c.proof.Verdict = facts.OutOfTime
	}
}

// take turns a proof of JustNews' checksum into facts.
func (c *proving) take(ctx context.Context, p digest.Proof) {
	c.proof.Orders, c.proof.Tried, c.proof.Reordered = p.Orders, p.Tried, p.Reorder
	switch {
	case p.Err != nil:
		c.unread(p.Err)
	case p.Verdict == digest.Matches:
		c.proof.Verdict = facts.Whole
	case p.Verdict == digest.Differs:
		c.proof.Verdict = facts.Differs
		c.suspects()
		if p.Cached {
			c.witness(ctx) // to find the file again
			c.proof.Verdict = facts.Differs
		}
	default:
		c.proof.Verdict = facts.Undecided
	}
}

// suspects are files that are younger than the manifest.
func (c *proving) suspects() {
	info, err := os.Stat(filepath.Join(c.proof.Path, digest.ManifestName))
	if err != nil {
		return
	}
	for _, l := range c.tree.Leaves() {
		if !l.Link && l.Identity.Mtime > info.ModTime().UnixNano() {
			c.proof.Suspects = append(c.proof.Suspects, l.Rel)
		}
	}
}

func (c *proving) unchecked(err error) {
	c.proof.Verdict, c.proof.Reason, c.done = facts.Unchecked, plain(err), true
}

// unread is a file that could not be read to its end.
func (c *proving) unread(err error) {
	kind, path := facts.FlawRead, c.proof.Path
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		path = e.Path
	}
	if errors.Is(err, fs.ErrPermission) {
		kind = facts.FlawDenied
	}
	c.flaw(kind, path, plain(err))
	c.proof.Verdict, c.proof.Reason = facts.Unchecked, fmt.Sprintf("cannot read %s: %s", path, plain(err))
}
