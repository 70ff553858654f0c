// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/sha1" //nolint:gosec // git's names of blobs are SHA-1
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/sys/unix"

	"justnews/internal/digest"
	"justnews/internal/facts"
)

// witness compares the blobs of a Hugging Face cache with their own names: of
// what git-lfs keeps that is its SHA-256, of all else git's SHA-1. Upstream's
// checksum only says that something differs; a blob says which file it is, and
// a version all of whose blobs are right is not corrupt for its order alone.
func (c *proving) witness(ctx context.Context) {
	var jobs []digest.Job
	var rels []string
	for _, l := range c.tree.Leaves() {
		switch name := path.Base(l.Rel); {
		case l.Link || path.Base(path.Dir(l.Rel)) != "blobs" || !hexadecimal(name):
		case len(name) == 2*digest.Size:
			jobs = append(jobs, digest.File(filepath.Join(c.proof.Path, l.Rel), l.Identity))
			rels = append(rels, l.Rel)
		case len(name) == 2*sha1.Size:
			c.testify(l.Rel, gitSum(filepath.Join(c.proof.Path, l.Rel), l.Identity.Size))
		}
	}
	e := c.engine
	e.Tell = nil
	e.Fresh = c.deep && c.seal == nil // else they were read a moment ago
	for i, r := range e.Run(ctx, jobs) {
		if r.Err == nil {
			c.testify(rels[i], r.Sum.String())
		}
	}
}

func (c *proving) testify(rel, got string) {
	switch {
	case got == "":
	case got == path.Base(rel):
		c.proof.Witnessed++
	default:
		c.flaw(facts.FlawContent, rel, fmt.Sprintf("its name says %s, its content %s", path.Base(rel), got))
		c.proof.Verdict = facts.Differs
	}
}

func hexadecimal(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil
}

// gitSum is how git names a blob, "" where it cannot be read.
func gitSum(path string, size int64) string {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	h := sha1.New() //nolint:gosec // as above
	fmt.Fprintf(h, "blob %d\x00", size)
	if n, err := io.Copy(h, f); err != nil || n != size {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}
