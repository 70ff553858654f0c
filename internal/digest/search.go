// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"math"
	"slices"
	"time"
)

// Verdict is the result of checking JustNews' checksum of a version. The zero
// value proves nothing.
type Verdict int

// The verdicts.
const (
	Unproven Verdict = iota // another order may explain it: neither correct nor wrong
	Matches                 // some order of directories gives the checksum
	Differs                 // no order gives it: the content differs
)

// Proof is a verdict with its details.
type Proof struct {
	Verdict Verdict
	Reorder bool    // it matches, but in another order than this file system's
	Orders  float64 // how many orders there are
	Tried   int     // how many were tried
	Flaws   []Flaw  // entries that have no checksum; then nothing was tried
	Cached  bool
	Err     error // the content could not be read
}

// Effort bounds a search for the order, in bytes to hash.
type Effort int64

// DefaultEffort is the default effort of a search: a few times the version, and always
// what is quick.
func DefaultEffort(bytes int64) Effort { return Effort(max(4*bytes, 256<<20)) }

// DeepEffort is the effort of a search that was requested explicitly.
func DeepEffort(bytes int64) Effort { return Effort(max(64*bytes, 8<<30)) }

// maxOrders is the number of orders that are always all tried, whatever they
// cost.
const maxOrders = 200_000

// Orders returns in how many orders the file system could list the directories.
func (t *Tree) Orders() float64 {
	var count func(*Branch) float64
	count = func(b *Branch) float64 {
		n := 1.0
		for i, child := range nonEmpty(b.Branches) {
			n *= float64(i+1) * count(child)
		}
		return n
	}
	return count(t.Root)
}

// Recall returns the stored proof of a version, or one that does not need
// reading.
func (e Engine) Recall(t *Tree, want Sum, effort Effort) (Proof, bool) {
	p := Proof{Orders: t.Orders(), Flaws: t.Flaws}
	if len(t.Flaws) > 0 {
		return p, true
	}
	v, ok := e.Cache.Verdict(t.Claim(want[:]))
	if !ok || e.Fresh || !p.decode(v, effort) {
		return p, false
	}
	p.Cached = true
	return p, true
}

// Conclude makes the proof from the digest in the file system's own order
// (Tree.Job). SHA-256 offers no short cut: another order is tried by hashing in
// that order. A common prefix of two orders is hashed once.
func (e Engine) Conclude(ctx context.Context, version string, t *Tree, want Sum, effort Effort, natural Result) Proof {
	p := Proof{Orders: t.Orders(), Err: natural.Err, Tried: 1}
	switch {
	case natural.Err != nil:
		return p
	case natural.Sum == want:
		p.Verdict = Matches
	case p.Orders <= 1:
		p.Verdict = Differs
	case e.Remembered: // trying orders means reading
		return p
	default:
		e.search(ctx, version, t, want, effort, &p)
	}
	if p.Err == nil && t.Job(version).settled(time.Now()) {
		e.Cache.Decide(t.Claim(want[:]), p.encode(effort))
	}
	return p
}

// Claim identifies a statement about a tree: every path, every identity and
// every link, without the order of directories.
func (t *Tree) Claim(statement []byte) Sum {
	leaves := t.Leaves()
	j := Job{Segments: make([]Segment, len(leaves))}
	for i, l := range leaves {
		j.Segments[i] = Segment{Prefix: l.Rel, Identity: l.Identity}
	}
	about := j.about()
	h := sha256.New()
	fmt.Fprintf(h, "%d %s\n", len(statement), statement)
	for _, l := range t.Links {
		fmt.Fprintf(h, "%q %q\n", l.Rel, l.Target)
	}
	h.Write(about[:])
	return Sum(h.Sum(nil))
}

// encode and decode convert a proof to a stored verdict and back. A verdict that
// a larger effort may change is only valid for the same or a smaller effort.
func (p Proof) encode(effort Effort) Sum {
	var s Sum
	s[0] = byte(p.Verdict) //nolint:gosec // one of three
	if p.Reorder {
		s[1] = 1
	}
	binary.LittleEndian.PutUint64(s[8:], uint64(max(effort, 0)))
	binary.LittleEndian.PutUint64(s[16:], uint64(max(p.Tried, 0)))
	return s
}

func (p *Proof) decode(s Sum, effort Effort) bool {
	spent := Effort(binary.LittleEndian.Uint64(s[8:])) //nolint:gosec // as it was encoded
	switch v := Verdict(s[0]); {
	case v == Matches, v == Differs, v == Unproven && spent >= effort:
		p.Verdict, p.Reorder = v, s[1] == 1
		p.Tried = int(binary.LittleEndian.Uint64(s[16:])) //nolint:gosec // as it was encoded
		return true
	}
	return false
}

// search tries other orders: all of them if that is affordable, otherwise those
// that file systems are known to produce.
func (e Engine) search(ctx context.Context, version string, t *Tree, want Sum, effort Effort, p *Proof) {
	if p.Orders <= maxOrders && affordable(t, effort) {
		defer AllProcessors()()
		s := &searcher{ctx: ctx, version: version, want: want, small: map[string][]byte{}}
		s.reader = newReader(func(int) {})
		s.reader.helped = true
		s.step(sha256.New(), []*Branch{t.Root}, nil)
		p.Tried, p.Err = s.tried, s.err
		switch {
		case s.err != nil:
		case s.found:
			p.Verdict, p.Reorder = Matches, true
		default:
			p.Verdict = Differs
		}
		return
	}
	jobs := t.likely(version, effort)
	for i, r := range e.Run(ctx, jobs) {
		p.Tried++
		switch {
		case r.Err != nil:
			p.Err = r.Err
		case r.Sum == want:
			p.Verdict, p.Reorder, p.Tried, p.Err = Matches, true, i+2, nil
			return
		}
	}
}

// likely returns the orders that a copy or another file system would produce
// for the same directories, as many as the effort allows.
func (t *Tree) likely(version string, effort Effort) []Job {
	by := func(less func(a, b *Branch) int) func([]*Branch) []*Branch {
		return func(b []*Branch) []*Branch { slices.SortStableFunc(b, less); return b }
	}
	ino := func(a, b *Branch) int { return cmp.Compare(a.ino, b.ino) }
	mtime := func(a, b *Branch) int { return cmp.Compare(a.mtime, b.mtime) }
	reversed := func(f func(a, b *Branch) int) func(a, b *Branch) int {
		return func(a, b *Branch) int { return f(b, a) }
	}
	backwards := func(b []*Branch) []*Branch { slices.Reverse(b); return b }
	orders := []func([]*Branch) []*Branch{
		backwards, by(byName), by(reversed(byName)), by(ino), by(reversed(ino)), by(mtime), by(reversed(mtime)),
	}
	seen := map[Sum]bool{t.Job(version).about(): true}
	var jobs []Job
	for _, order := range orders {
		j := t.job(version, order)
		if about := j.about(); !seen[about] && int64(effort) >= j.Bytes() {
			seen[about] = true
			effort -= Effort(j.Bytes())
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// affordable reports whether trying all orders costs no more than the effort,
// by enumerating them without hashing.
func affordable(t *Tree, effort Effort) bool {
	left := float64(effort)
	var step func(agenda []*Branch, rest *later) bool
	step = func(agenda []*Branch, rest *later) bool {
		for len(agenda) == 0 {
			if rest == nil {
				return true
			}
			agenda, rest = rest.agenda, rest.rest
		}
		for i, b := range agenda {
			for _, l := range b.Files {
				left -= float64(l.Identity.Size) + perFile
			}
			if left < 0 || math.IsNaN(left) {
				return false
			}
			if !step(nonEmpty(b.Branches), &later{without(agenda, i), rest}) {
				return false
			}
		}
		return true
	}
	return step([]*Branch{t.Root}, nil)
}

// perFile is what opening a file costs, in bytes that could be hashed instead.
const perFile = 16 << 10

// later is what is left to visit after a directory's own directories.
type later struct {
	agenda []*Branch
	rest   *later
}

func without(b []*Branch, i int) []*Branch { return slices.Delete(slices.Clone(b), i, i+1) }

// searcher tries all orders, depth first, with the state of the hash cloned at
// each fork.
type searcher struct {
	ctx     context.Context // of one search
	version string
	want    Sum
	reader  *reader
	small   map[string][]byte // contents that are hashed again and again
	held    int64
	tried   int
	found   bool
	err     error
}

func (s *searcher) step(h hash.Hash, agenda []*Branch, rest *later) {
	for len(agenda) == 0 {
		if rest == nil {
			s.tried++
			s.found = s.found || Sum(h.Sum(nil)) == s.want
			return
		}
		agenda, rest = rest.agenda, rest.rest
	}
	for i, b := range agenda {
		fork, err := h.(hash.Cloner).Clone()
		if s.err = err; err != nil {
			return
		}
		for _, l := range b.Files {
			if s.err = s.feed(fork, l); s.err != nil {
				return
			}
		}
		s.step(fork, nonEmpty(b.Branches), &later{without(agenda, i), rest})
		if s.found || s.err != nil {
			return
		}
	}
}

// What a search keeps in memory, in bytes.
const (
	smallFile = 64 << 10
	allSmall  = 8 << 20
)

func (s *searcher) feed(h hash.Hash, l Leaf) error {
	data, kept := s.small[l.Rel]
	if !kept && (l.Identity.Size > smallFile || s.held+l.Identity.Size > allSmall) {
		return s.reader.copyInto(s.ctx, h, []Segment{l.segment(s.version)})
	}
	if !kept {
		data = make([]byte, 0, l.Identity.Size)
		err := s.reader.file(s.ctx, l.segment(s.version), func() []byte { return s.reader.buffers[0] },
			func(b []byte) { data = append(data, b...) })
		if err != nil {
			return err
		}
		s.small[l.Rel] = data
		s.held += l.Identity.Size
	}
	_, _ = io.WriteString(h, l.Rel)
	h.Write(data)
	return nil
}

// Refute stores that no order of directories can give the checksum, because the
// content was found to be damaged.
func (e Engine) Refute(t *Tree, want Sum) {
	if t.Settled(time.Now()) {
		e.Cache.Decide(t.Claim(want[:]), Proof{Verdict: Differs}.encode(0))
	}
}
