// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"path/filepath"

	"justnews/internal/digest"
	"justnews/internal/facts"
	"justnews/internal/safefile"
	"justnews/internal/seal"
)

// Seal writes the manifest that lists every file of a tree. First the tree is
// compared with JustNews' manifest, if it has one: a damaged tree is not
// sealed, and the proof says why. An undecided one is sealed, which is the
// purpose of a seal. Everything is read, even if it is known.
func (s Store) Seal(ctx context.Context, tree facts.StoreTree, p Proving) (facts.StoreProof, error) {
	type sealed struct {
		proof facts.StoreProof
		err   error
	}
	out, err := safefile.Do(ctx, func() (sealed, error) {
		proof, err := s.seal(ctx, tree, p)
		return sealed{proof, err}, nil
	})
	if err != nil { // reported by the verdict
		return facts.StoreProof{Owner: tree.Owner, Name: tree.Name, Path: tree.Path, Verdict: facts.OutOfTime}, nil //nolint:nilerr // as above
	}
	return out.proof, out.err
}

func (s Store) seal(ctx context.Context, tree facts.StoreTree, p Proving) (facts.StoreProof, error) {
	p.Unsealed = true
	proof := s.Prove(ctx, []facts.StoreTree{tree}, p)[0]
	switch proof.Verdict {
	case facts.Whole, facts.Undecided, facts.NoManifest:
	default:
		return proof, nil
	}
	m, flawed, err := s.manifest(ctx, tree, p)
	if err != nil || len(flawed) > 0 {
		c := proving{proof: &proof}
		if proof.Verdict, proof.Flaws = facts.Unchecked, flawed; c.countBad() {
			proof.Verdict = facts.Differs
		}
		if err != nil {
			proof.Reason = plain(err)
		}
		return proof, nil
	}
	m.Upstream = proof.Expected
	text, err := m.Text()
	if err == nil {
		err = seal.Write(tree.Path, text)
	}
	if err == nil {
		proof.By, proof.Verdict = "seal", facts.Whole
	}
	return proof, err
}

func (s Store) manifest(ctx context.Context, tree facts.StoreTree, p Proving) (seal.Manifest, []facts.ProofFlaw, error) {
	m := seal.Manifest{Version: filepath.Base(tree.Path)}
	t, err := digest.Walk(ctx, tree.Path)
	if err != nil {
		return m, nil, err
	}
	if len(t.Flaws) > 0 {
		c := proving{proof: &facts.StoreProof{}, tree: t}
		c.flaws()
		return m, c.proof.Flaws, nil
	}
	for _, l := range t.Links {
		m.Links = append(m.Links, seal.Link{Path: l.Rel, Target: l.Target})
	}
	var jobs []digest.Job
	for _, l := range t.Leaves() {
		if !l.Link {
			jobs = append(jobs, digest.File(filepath.Join(tree.Path, l.Rel), l.Identity))
			m.Files = append(m.Files, seal.File{Path: l.Rel, Size: l.Identity.Size})
		}
	}
	e := digest.Engine{Cache: s.Cache, Fresh: true, Tell: p.Tell}
	for i, r := range e.Run(ctx, jobs) {
		if r.Err != nil {
			return m, nil, fmt.Errorf("cannot hash %s: %w", m.Files[i].Path, r.Err)
		}
		m.Files[i].SHA256 = r.Sum.String()
	}
	return m, s.misnamed(ctx, tree.Path, t), nil
}

// misnamed returns the blobs whose content does not match the digests in their
// names, which a seal must not certify. Recent hashes are reused.
func (s Store) misnamed(ctx context.Context, version string, t *digest.Tree) []facts.ProofFlaw {
	c := proving{engine: digest.Engine{Cache: s.Cache}, proof: &facts.StoreProof{Path: version}, tree: t}
	if c.witness(ctx); c.proof.Verdict == facts.OutOfTime {
		c.flaw(facts.FlawRead, version, "not all names were compared")
	}
	return c.proof.Flaws
}
