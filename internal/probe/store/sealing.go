// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"path/filepath"

	"justnews/internal/digest"
	"justnews/internal/facts"
	"justnews/internal/seal"
)

// Seal writes the manifest that names every file of a tree. First the tree is
// compared with upstream's manifest, if it has one: what is known to be wrong
// is not sealed, and the proof says why. What cannot be decided is sealed: that
// is what a seal is for. Everything is read, whatever is remembered.
func (s Store) Seal(ctx context.Context, tree facts.StoreTree, p Proving) (facts.StoreProof, error) {
	p.Unsealed = true
	proof := s.Prove(ctx, []facts.StoreTree{tree}, p)[0]
	switch proof.Verdict {
	case facts.Whole, facts.Undecided, facts.NoManifest:
	default:
		return proof, nil
	}
	m, flawed, err := s.manifest(ctx, tree, p)
	if err != nil || len(flawed) > 0 {
		proof.Verdict, proof.Flaws = facts.Differs, flawed
		if err != nil {
			proof.Verdict, proof.Reason = facts.Unchecked, plain(err)
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

// manifest hashes every file of a tree, in parallel.
func (s Store) manifest(ctx context.Context, tree facts.StoreTree, p Proving) (seal.Manifest, []facts.ProofFlaw, error) {
	m := seal.Manifest{Version: filepath.Base(tree.Path)}
	t, err := digest.Walk(tree.Path)
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
	return m, nil, nil
}
