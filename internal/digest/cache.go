// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"os"
	"sync"
	"time"
)

// Cache has the known digests of files, in memory and in logs. A nil *Cache is empty. What
// cannot be written is computed again: a cache never makes a run fail.
type Cache struct {
	mu     sync.Mutex
	places []*place
	known  map[key]*[recordBytes]byte
}

// Source is one log.
type Source struct {
	Dir  *os.Root
	Name string // "": RootLog
	// Trusted lists the UIDs that may own the directory and the log, and whose
	// records are trusted.
	Trusted []int
	// Write appends what this process finds out, unless another process is
	// writing.
	Write bool
	// Out is this log, opened for appending by the parent of this process,
	// which is not allowed to open it itself; nil: not opened.
	Out *os.File
}

// The logs of a host, in a directory that only root can write: that of root's
// own runs, which everyone can trust, and that of justnews-preload.service,
// which runs as the agents' user but writes to a file that PID 1 opened. Gates
// trust it as they trust the preload; root does not.
const (
	RootLog    = "root.2"
	PreloadLog = "preload.2"
)

// Open returns a cache over some logs. One that cannot be used is left out.
func Open(sources []Source) *Cache {
	c := &Cache{}
	for _, s := range sources {
		if p, err := openLog(s); err == nil {
			c.places = append(c.places, p)
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
		p.close()
	}
}

// refresh reads what other processes have added meanwhile.
func (c *Cache) refresh() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.places {
		data, _ := p.readNew() // what cannot be read is not known
		if c.known == nil {    // at once: 20,000 records would have it grow 15 times
			c.known = make(map[key]*[recordBytes]byte, len(data)/recordBytes)
		}
		for ; len(data) > 0; data = data[recordBytes:] {
			k := key{data[0]}
			copy(k[1:], data[8:8+keyBytes])
			c.known[k] = (*[recordBytes]byte)(data)
		}
	}
}

// get returns the value of a key. The record's own checksum is only checked
// here, since most records of a log are never used.
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
	value, ok := open(raw[:])
	if !ok {
		delete(c.known, k)
	}
	return value, ok
}

func (c *Cache) put(k key, value Sum) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	raw := record(k, value)
	if c.known == nil {
		c.known = map[key]*[recordBytes]byte{}
	}
	c.known[k] = (*[recordBytes]byte)(raw)
	for _, p := range c.places {
		p.add(raw)
	}
}

// Note is the result of inspecting a file, in a few bytes whose meaning is the
// caller's.
type Note [Size]byte

// Note returns the stored note of a file.
func (c *Cache) Note(id Identity) (Note, bool) {
	value, ok := c.get(fileKey(kindNote, id))
	return Note(value), ok
}

// Remember stores a note of a file that was read between two equal identities, from a time on.
func (c *Cache) Remember(id Identity, n Note, began time.Time) {
	if id.settled(began) {
		c.put(fileKey(kindNote, id), Sum(n))
	}
}

// Verdict returns the stored verdict of a claim, which is a checksum over
// everything that it covers.
func (c *Cache) Verdict(about Sum) (Sum, bool) { return c.get(sumKey(kindVerdict, about)) }

// Decide stores a verdict.
func (c *Cache) Decide(about, verdict Sum) { c.put(sumKey(kindVerdict, about), verdict) }
