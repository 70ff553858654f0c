// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"justnews/internal/digest"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/safefile"
	"justnews/internal/seal"
)

// beginSeal reads the seal. If it was made for another checksum than the
// manifest's, it is out of date and proves nothing.
func (c *proving) beginSeal(text []byte) {
	sum := sha256.Sum256(text)
	c.claim = c.tree.Claim(append([]byte("seal "+c.proof.Expected+" "), sum[:]...))
	if _, ok := c.engine.Cache.Verdict(c.claim); ok && !c.engine.Fresh && len(c.tree.Flaws) == 0 {
		c.proof.By, c.proof.Verdict, c.done = "seal", facts.Whole, true
		return
	}
	m, err := seal.Parse(text)
	switch {
	case err != nil:
		c.proof.SealFault = err.Error()
		return
	case m.Upstream != c.proof.Expected:
		c.proof.SealFault = "it was made for a checksum other than the current one in manifest.json"
		return
	}
	c.seal, c.proof.By = &m, "seal"
	c.compare()
}

// compare finds the differences that need no hashing, and the files to hash.
func (c *proving) compare() {
	c.leaves = map[string]digest.Leaf{}
	for _, l := range c.tree.Leaves() {
		if !l.Link {
			c.leaves[l.Rel] = l
		}
	}
	for _, f := range c.seal.Files {
		l, ok := c.leaves[f.Path]
		switch {
		case !ok && c.isFlaw(f.Path):
		case !ok:
			c.flaw(facts.FlawMissing, f.Path, "")
		case l.Identity.Size != f.Size:
			c.flaw(facts.FlawSize, f.Path, fmt.Sprintf("%d bytes, sealed with %d", l.Identity.Size, f.Size))
		default:
			c.jobs = append(c.jobs, digest.File(filepath.Join(c.proof.Path, f.Path), l.Identity))
		}
		delete(c.leaves, f.Path)
	}
	for _, l := range c.tree.Leaves() {
		if _, extra := c.leaves[l.Rel]; extra {
			c.flaw(facts.FlawExtra, l.Rel, "")
		}
	}
	c.compareLinks()
}

func (c *proving) isFlaw(rel string) bool {
	return slices.ContainsFunc(c.tree.Flaws, func(f digest.Flaw) bool {
		return f.Rel == rel || strings.HasPrefix(rel, f.Rel+"/")
	})
}

func (c *proving) compareLinks() {
	found := map[string]string{}
	for _, l := range c.tree.Links {
		found[l.Rel] = l.Target
	}
	for _, l := range c.seal.Links {
		switch target, ok := found[l.Path]; {
		case !ok:
			c.flaw(facts.FlawMissing, l.Path, "a link to "+l.Target)
		case target != l.Target:
			c.flaw(facts.FlawLink, l.Path, fmt.Sprintf("it points to %s, sealed with %s", target, l.Target))
		}
		delete(found, l.Path)
	}
	for _, l := range c.tree.Links {
		if _, extra := found[l.Rel]; extra {
			c.flaw(facts.FlawExtra, l.Rel, "a link to "+l.Target)
		}
	}
}

// concludeSeal compares the digests. Entries that could not be read are
// undecided; everything else decides.
func (c *proving) concludeSeal() {
	want := map[string]string{}
	for _, f := range c.seal.Files {
		want[filepath.Join(c.proof.Path, f.Path)] = f.SHA256
	}
	unread := false
	for i, r := range c.results {
		path := c.jobs[i].Segments[0].Path
		rel, _ := filepath.Rel(c.proof.Path, path)
		switch {
		case r.Err != nil:
			c.unread(r.Err)
			unread = true
		case r.Sum.String() != want[path]:
			c.flaw(facts.FlawContent, rel, fmt.Sprintf("SHA-256 %s, sealed with %s", r.Sum, want[path]))
		}
	}
	if len(c.tree.Flaws) > 0 {
		c.flaws()
	}
	switch differs := c.countBad(); {
	case differs:
		c.proof.Verdict = facts.Differs
	case unread || len(c.proof.Flaws) > 0:
		c.proof.Verdict = facts.Unchecked
	default:
		c.proof.Verdict = facts.Whole
		c.remember()
	}
}

// countBad reports whether a flaw concerns the content.
func (c *proving) countBad() bool {
	return slices.ContainsFunc(c.proof.Flaws, func(f facts.ProofFlaw) bool {
		return f.Kind != facts.FlawDenied && f.Kind != facts.FlawRead
	})
}

// remember stores that the whole tree matches its seal. This is valid until a
// path, identity or link changes, and only if each change would be noticed.
func (c *proving) remember() {
	if c.tree.Settled(c.began) {
		c.engine.Cache.Decide(c.claim, digest.Sum{1})
	}
}

// maxManifest is the longest manifest.json that is read, in bytes. JustNews'
// has three fields.
const maxManifest = 1 << 20

// unanswering reports whether an error of the system, such as a disk error or too many
// open files, leaves the state of the file unknown.
func unanswering(err error) bool {
	for _, of := range []error{fs.ErrNotExist, safefile.ErrNotRegular, safefile.ErrTooLarge} {
		if errors.Is(err, of) {
			return false
		}
	}
	return err != nil
}

func (c *proving) manifest() {
	text, err := safefile.Read(filepath.Join(c.proof.Path, digest.ManifestName), maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if unanswering(err) {
		c.unchecked(err)
		return
	}
	if err != nil {
		c.proof.ManifestFault = plain(err)
		return
	}
	var m struct {
		Version  string  `json:"version"`
		Checksum *string `json:"checksum"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		c.proof.ManifestFault = "it is not JSON in upstream's format: " + err.Error()
		return
	}
	c.proof.ManifestVersion = m.Version
	if m.Checksum == nil || *m.Checksum == "" {
		c.proof.ManifestFault = "it has no checksum"
		return
	}
	sum, ok := digest.Parse(*m.Checksum)
	if !ok {
		c.proof.ManifestFault = fmt.Sprintf("its checksum %.80q is not a SHA-256", *m.Checksum)
		return
	}
	c.want, c.proof.Expected = sum, sum.String()
}

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
	m.Links = lists.Map(t.Links, func(l digest.Link) seal.Link { return seal.Link{Path: l.Rel, Target: l.Target} })
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
