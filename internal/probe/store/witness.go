// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/sha1" //nolint:gosec // git's names of blobs are SHA-1
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"justnews/internal/digest"
	"justnews/internal/facts"
)

// witness compares the blobs of a Hugging Face cache with their names: the
// SHA-256 for git-lfs files, git's SHA-1 for all others. JustNews' checksum
// only shows that something differs; a blob shows which file it is, and a
// version whose blobs are all intact is not corrupt merely because of its
// order.
func (c *proving) witness(ctx context.Context) {
	jobs, rels := nameJobs(c.proof.Path, c.tree)
	e := c.engine
	e.Tell = nil
	e.Fresh = c.deep && c.seal == nil // otherwise they were just read
	for i, r := range e.Run(ctx, jobs) {
		switch name := path.Base(rels[i]); {
		case errors.Is(r.Err, digest.ErrUnknown):
		case r.Err != nil && ctx.Err() != nil:
			if c.proof.Verdict != facts.Differs {
				c.proof.Verdict = facts.OutOfTime
			}
			return
		case r.Err != nil:
			c.unread(r.Err)
		case r.Sum.String()[:len(name)] == name:
			c.proof.Witnessed++
		default:
			c.flaw(facts.FlawContent, rels[i], fmt.Sprintf("its name says %s, its content %s", name, r.Sum.String()[:len(name)]))
		}
	}
	if c.countBad() {
		c.proof.Verdict = facts.Differs
	}
}

// nameJobs returns what has to be hashed to compare blobs with their names.
func nameJobs(version string, t *digest.Tree) (jobs []digest.Job, rels []string) {
	for _, l := range t.Leaves() {
		name := path.Base(l.Rel)
		if l.Link || path.Base(path.Dir(l.Rel)) != "blobs" || !hexadecimal(name) {
			continue
		}
		at := filepath.Join(version, l.Rel)
		switch len(name) {
		case 2 * digest.Size:
			jobs = append(jobs, digest.File(at, l.Identity))
		case 2 * sha1.Size:
			jobs = append(jobs, digest.GitBlob(at, l.Identity))
		default:
			continue
		}
		rels = append(rels, l.Rel)
	}
	return jobs, rels
}

func hexadecimal(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && s == strings.ToLower(s)
}
