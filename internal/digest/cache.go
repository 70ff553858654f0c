// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"os"
	"sync"
)

// Cache is what is remembered of files, in memory and in logs. A nil *Cache remembers nothing. What cannot be written is lost
// and computed again: a cache never fails a run.
type Cache struct {
	mu     sync.Mutex
	places []*place
	known  map[key][]byte
}

// Source is one log.
type Source struct {
	Dir  *os.Root
	Name string // "": RootLog
	// Trusted lists the UIDs that may own the directory and the log, and whose
	// records are believed.
	Trusted []int
	// Write appends what this process finds out, if no other does so now.
	Write bool
	// Out is this log, opened for appending by who started this process, which
	// may not open it itself; nil: it is not.
	Out *os.File
}

// The logs of a host, in one directory that only root can write: what root's own
// runs found out, which everybody may believe, and what justnews-preload.service
// did, which runs as the user of the agents but writes through a file that PID 1
// opened. Gates believe it as they believe the preload; root does not.
const (
	RootLog    = logName
	PreloadLog = "preload.2"
)

// Open returns a cache over some logs. One that cannot be used is left out.
func Open(sources []Source) *Cache {
	c := &Cache{known: map[key][]byte{}}
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
		p.add(raw)
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
