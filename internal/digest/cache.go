// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Cache is what is remembered of files, in memory and in the logs of several
// directories. A nil *Cache remembers nothing. What cannot be written is lost
// and computed again: a cache never fails a run.
type Cache struct {
	mu     sync.Mutex
	places []*place
	known  map[key][]byte
	claims *os.File
}

// Source is one directory that holds a log.
type Source struct {
	Dir   *os.Root
	Write bool
	// Trusted lists the UIDs whose log is believed: whoever can write a record
	// can have a corrupt file pass.
	Trusted []int
}

// Open returns a cache over the logs of some directories. One that cannot be
// used is left out. The first that can be written also holds the claims, by
// which processes share work out.
func Open(sources []Source) *Cache {
	c := &Cache{known: map[key][]byte{}}
	for _, s := range sources {
		p, err := openLog(s.Dir, s.Trusted, s.Write)
		if err != nil {
			continue
		}
		c.places = append(c.places, p)
		if s.Write && c.claims == nil {
			c.claims = openClaims(s.Dir, s.Trusted)
		}
	}
	c.refresh()
	return c
}

// Close closes the files.
func (c *Cache) Close() {
	if c == nil {
		return
	}
	for _, p := range c.places {
		_ = p.file.Close()
	}
	if c.claims != nil {
		_ = c.claims.Close()
	}
}

// refresh reads what other processes have found out meanwhile.
func (c *Cache) refresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.places {
		_ = p.news(func(raw []byte) {
			k := key{raw[0]}
			copy(k[1:], raw[8:8+keyBytes])
			c.known[k] = raw
		})
	}
}

// get returns what is remembered of a key. The record's own sum is checked
// only here: most records of a log are never asked for.
func (c *Cache) get(k key) (Sum, bool) {
	if c == nil {
		return Sum{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	raw, ok := c.known[k]
	if !ok {
		return Sum{}, false
	}
	value, ok := open(raw)
	if !ok {
		delete(c.known, k)
	}
	return value, ok
}

// put remembers a value.
func (c *Cache) put(k key, value Sum) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	raw := record(k, value)
	c.known[k] = raw
	for _, p := range c.places {
		if p.write {
			_ = p.add(raw)
		}
	}
}

// Note is what a look into a file found, in a few bytes of the looker's own
// meaning.
type Note [Size]byte

// Note returns what is remembered of a file's inside.
func (c *Cache) Note(id Identity) (Note, bool) {
	value, ok := c.get(fileKey(kindNote, id))
	return Note(value), ok
}

// Remember keeps a note of a file that was read between two equal identities.
func (c *Cache) Remember(id Identity, n Note, began Clock) {
	if id.settled(began.at) {
		c.put(fileKey(kindNote, id), Sum(n))
	}
}

// Verdict returns what is remembered of a claim: a sum over all that it is
// about.
func (c *Cache) Verdict(about Sum) (Sum, bool) { return c.get(sumKey(kindVerdict, about)) }

// Decide keeps a verdict.
func (c *Cache) Decide(about, verdict Sum) { c.put(sumKey(kindVerdict, about), verdict) }

// claimsName is the file whose bytes stand for work that somebody does now. It
// stays empty.
const claimsName = "claims"

func openClaims(dir *os.Root, trusted []int) *os.File {
	file, err := dir.OpenFile(claimsName, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil
	}
	if trustworthy(file, trusted) != nil {
		_ = file.Close()
		return nil
	}
	return file
}

// claim takes a piece of work, or returns false where another process has it.
// The kernel gives it back when that process ends, however it ends. Two pieces
// that share a byte only wait for each other without need.
func (c *Cache) claim(k key) (bool, func()) {
	if c == nil || c.claims == nil {
		return true, func() {}
	}
	spread := sha256.Sum256(k[:]) // the bytes of a key are mostly inode numbers
	at := int64(binary.LittleEndian.Uint64(spread[:]) >> 2)
	lock := func(kind int16) error {
		l := unix.Flock_t{Type: kind, Start: at, Len: 1}
		return retry(func() error { return unix.FcntlFlock(c.claims.Fd(), unix.F_OFD_SETLK, &l) })
	}
	switch err := lock(unix.F_WRLCK); {
	case err == nil:
		return true, func() { _ = lock(unix.F_UNLCK) }
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
		return false, nil
	default: // no locks on this file system: work done twice is only slow
		return true, func() {}
	}
}
