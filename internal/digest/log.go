// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"justnews/internal/safefile"
)

// A log is a sequence of records of one length:
//
//	0   8   kind, in the first byte
//	8   40  key: of a file its identity, else a SHA-256 and zeros
//	48  32  value
//	80  16  the first bytes of the SHA-256 of the 80 before
//
// A record that was damaged or written in part does not match its own checksum and is
// ignored. The names of logs contain the version of this layout.
const (
	keyBytes    = identityBytes
	recordBytes = 96
	sealedBytes = 80
	// maxLog is the length at which a log is truncated, 32 MiB.
	maxLog = 350_000 * recordBytes
)

type kind byte

// The kinds.
const (
	kindFile    kind = 1 // identity -> SHA-256 of the content
	kindNote    kind = 2 // identity -> what a look into the file found (Note)
	kindStream  kind = 3 // sum over paths and identities -> SHA-256 of them all
	kindVerdict kind = 4 // sum over a claim and what it is about -> whether it holds
	kindGit     kind = 5 // identity -> SHA-1 by which git names the content
)

type key [1 + keyBytes]byte

func fileKey(k kind, id Identity) key {
	out := key{byte(k)}
	id.append(out[1:1])
	return out
}

func sumKey(k kind, s Sum) key {
	out := key{byte(k)}
	copy(out[1:], s[:])
	return out
}

func record(k key, value Sum) []byte {
	b := make([]byte, 0, recordBytes)
	b = append(b, k[0], 0, 0, 0, 0, 0, 0, 0)
	b = append(b, k[1:]...)
	b = append(b, value[:]...)
	sum := sha256.Sum256(b)
	return append(b, sum[:recordBytes-sealedBytes]...)
}

// place is one log: to read, or to read and write.
type place struct {
	file *os.File
	out  *os.File // nil: it is only read
	size int64    // of what this process may write: nobody else does
	lock *os.File
	seen int64 // bytes of the log that were read
}

// openLog opens a log in a directory that only a trusted user can write. It is used
// only if that user owns it: a forged record could hide a corrupt file.
func openLog(s Source) (*place, error) {
	info, err := safefile.Of(s.Dir)
	if err == nil {
		err = info.Trust(s.Trusted...)
	}
	if err != nil {
		return nil, err
	}
	name := cmp.Or(s.Name, RootLog)
	p := &place{}
	if s.Write && p.lockLog(s.Dir) {
		// Readable by gates, whatever the umask is. An existing log is not changed.
		_ = safefile.New{Mode: 0o644}.Write(s.Dir, name)
	}
	found, err := safefile.OpenIn(s.Dir, name, safefile.NoFollow)
	if err == nil {
		p.file = found.File
		err = found.Trust(s.Trusted...)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	if p.lock != nil {
		if p.out, err = s.Dir.OpenFile(name, os.O_WRONLY|os.O_APPEND|unix.O_NOFOLLOW, 0); err != nil {
			p.close()
			return nil, err
		}
	}
	if s.Out != nil { // opened by who started us
		if out, err := safefile.Fstat(s.Out); err == nil && out.Same(found.Info) {
			p.out = s.Out
		}
	}
	if p.out != nil {
		p.align(found.Size)
	}
	return p, nil
}

// lockName is the file whose lock elects the writer. Only its owner can open it, and
// so hold the lock.
const lockName = "lock"

// lockLog reports whether no other process writes this log. It does not wait: what
// cannot be written is merely computed again.
func (p *place) lockLog(dir *os.Root) bool {
	f, err := dir.OpenFile(lockName, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return false
	}
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		_ = f.Close()
		return false
	}
	p.lock = f
	return true
}

func (p *place) close() {
	for _, f := range []*os.File{p.file, p.out, p.lock} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// readNew returns the whole records that were written since the last call. A log that
// was truncated is read from its start.
func (p *place) readNew() ([]byte, error) {
	info, err := p.file.Stat()
	if err != nil {
		return nil, err
	}
	end := info.Size() / recordBytes * recordBytes
	if info.Size() < p.seen {
		p.seen = 0
	}
	if end == p.seen || end > 2*maxLog {
		return nil, nil
	}
	data := make([]byte, end-p.seen)
	n, err := p.file.ReadAt(data, p.seen)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	data = data[:n/recordBytes*recordBytes]
	p.seen += int64(len(data))
	return data, nil
}

// align cuts off a record that was written in part, so that all records are aligned.
func (p *place) align(size int64) {
	p.size = size / recordBytes * recordBytes
	if p.size >= maxLog {
		p.size = 0
	}
	if p.size != size && p.out.Truncate(p.size) != nil {
		p.out = nil
	}
}

// add appends one record. After the first failure no more are written.
func (p *place) add(raw []byte) {
	if p.out == nil {
		return
	}
	if p.size >= maxLog {
		if p.out.Truncate(0) != nil {
			p.out = nil
			return
		}
		p.size = 0
	}
	if _, err := p.out.Write(raw); err != nil {
		_ = p.out.Truncate(p.size)
		p.out = nil
		return
	}
	p.size += recordBytes
}

// open returns the value of a record, false if its checksum is wrong.
func open(raw []byte) (Sum, bool) {
	sum := sha256.Sum256(raw[:sealedBytes])
	if !bytes.Equal(sum[:recordBytes-sealedBytes], raw[sealedBytes:]) {
		return Sum{}, false
	}
	return Sum(raw[8+keyBytes : sealedBytes]), true
}
