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
	"encoding/binary"
	"encoding/hex"
	"runtime"
	"sync"
	"time"

	"justnews/internal/safefile"
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

// Identity identifies the state of a file: the kernel changes ctime with every
// change of content, size, link count, mode or owner, and only root can set it.
type Identity struct {
	Dev, Ino     uint64
	Size         int64 // bytes
	Mtime, Ctime int64 // nanoseconds since 1970
}

// identityBytes is the length of an Identity as a key.
const identityBytes = 40

// Of returns the identity in the result of a stat.
func Of(i safefile.Info) Identity {
	return Identity{Dev: i.Dev, Ino: i.Ino, Size: i.Size, Mtime: i.Mtime, Ctime: i.Ctime}
}

func (id Identity) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, id.Dev)
	b = binary.LittleEndian.AppendUint64(b, id.Ino)
	for _, n := range [...]int64{id.Size, id.Mtime, id.Ctime} {
		b = binary.LittleEndian.AppendUint64(b, uint64(n)) //nolint:gosec // only its bits count
	}
	return b
}

// A file that changed again within one tick of the file system's clock would
// keep its time stamps. A file that is younger than this when reading begins is
// read, but its hash is not stored.
const (
	tick       = 20 * time.Millisecond // a kernel tick is at most 10 ms
	coarseTick = 2 * time.Second       // file systems with a resolution of one or two seconds
	// A file server's clock can be somewhat ahead of the host's. What is further in
	// the future was written before the host's clock was set back: a change gets
	// another time stamp.
	maxSkew = time.Hour
)

// settled reports whether a change after now would show in the identity.
func (id Identity) settled(now time.Time) bool {
	margin := tick
	if id.Ctime%int64(time.Second) == 0 {
		margin = coarseTick
	}
	for _, stamp := range [...]int64{id.Mtime, id.Ctime} { // some file systems keep no ctime
		if age := now.Sub(time.Unix(0, stamp)); age <= margin && age >= -maxSkew {
			return false
		}
	}
	return true
}
