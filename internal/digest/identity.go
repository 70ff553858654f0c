// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"encoding/binary"
	"time"

	"justnews/internal/safefile"
)

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
)

// settled reports whether a change after now would show in the identity.
func (id Identity) settled(now time.Time) bool {
	last := max(id.Mtime, id.Ctime)
	margin := tick
	if id.Ctime%int64(time.Second) == 0 {
		margin = coarseTick
	}
	return now.UnixNano()-last > int64(margin)
}

// Clock is the moment at which a reading began, by the clock that makes the
// time stamps of files.
type Clock struct{ at time.Time }

// Now returns the present moment.
func Now() Clock { return Clock{time.Now()} }

// Time returns the moment.
func (c Clock) Time() time.Time { return c.at }
