// SPDX-License-Identifier: Apache-2.0

// Package digest computes SHA-256 over the files of a Model Store, on all
// cores, and remembers what it computed: a file that has not changed since is
// not read again, by any process of this host. It also implements JustNews' own
// checksum of a whole version (Tree), whose directory order depends on the file
// system, and can search for the order in which a checksum was made (Search).
//
// It reads through the page cache on purpose and never drops a page, since the
// orchestrator loads next what was verified. It judges nothing.
package digest

import (
	"encoding/hex"
	"runtime"
	"sync"
)

// Size is the length of a digest in bytes.
const Size = 32

// Sum is one SHA-256.
type Sum [Size]byte

// String returns 64 hexadecimal digits.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// Parse reads 64 hexadecimal digits.
func Parse(text string) (Sum, bool) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != Size {
		return Sum{}, false
	}
	return Sum(raw), true
}

// processors counts the users of all processors. The gate runs with one
// (cmd/justnews-gate); only hashing benefits from more. GOMAXPROCS is one number
// for the process.
var processors struct {
	mu     sync.Mutex
	users  int
	before int
}

// AllProcessors lets the process use all available processors, within its
// cgroup limits, until the returned function is called.
func AllProcessors() (done func()) {
	p := &processors
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.users == 0 {
		p.before = runtime.GOMAXPROCS(0)
		runtime.SetDefaultGOMAXPROCS()
	}
	p.users++
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.users--; p.users == 0 {
			runtime.GOMAXPROCS(p.before)
		}
	})
}
