// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// What is remembered stands in a file of records of one length, one behind the
// other:
//
//	0   8   kind, in the first byte
//	8   40  key: of a file its identity, else a SHA-256 and zeros
//	48  32  value
//	80  16  the first bytes of the SHA-256 of the 80 before
//
// A record that was damaged or torn fails its own sum and is as good as absent.
// The name carries the version of this layout.
const (
	logName     = "digests.1"
	keyBytes    = identityBytes
	recordBytes = 96
	sealedBytes = 80
	// maxLog is the length at which a log is begun anew, 32 MiB.
	maxLog = 350_000 * recordBytes
)

// kind tells what a record is about.
type kind byte

// The kinds.
const (
	kindFile    kind = 1 // identity -> SHA-256 of the content
	kindNote    kind = 2 // identity -> what a look into the file found (Note)
	kindStream  kind = 3 // sum over paths and identities -> SHA-256 of them all
	kindVerdict kind = 4 // sum over a claim and what it is about -> whether it holds
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

// place is one directory with a log: to read, or to read and write.
type place struct {
	file  *os.File
	write bool
	seen  int64 // bytes of the log that were read
}

// openLog opens the log in a directory. Only a regular file with one name that
// a trusted user owns and nobody else may write is believed.
func openLog(dir *os.Root, trusted []int, write bool) (*place, error) {
	flags := os.O_RDONLY
	if write {
		flags = os.O_RDWR | os.O_CREATE | os.O_APPEND
	}
	file, err := dir.OpenFile(logName, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o640)
	if err != nil {
		return nil, err
	}
	if err := trustworthy(file, trusted); err != nil {
		_ = file.Close()
		return nil, err
	}
	return &place{file: file, write: write}, nil
}

func trustworthy(file *os.File, trusted []int) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		return &fs.PathError{Op: "stat", Path: file.Name(), Err: err}
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG || st.Nlink != 1:
		return fmt.Errorf("%s is not a regular file with one name", file.Name())
	case st.Mode&0o022 != 0:
		return fmt.Errorf("%s can be written by others (mode %#o)", file.Name(), st.Mode&0o7777)
	}
	for _, uid := range trusted {
		if int(st.Uid) == uid {
			return nil
		}
	}
	return fmt.Errorf("%s belongs to UID %d", file.Name(), st.Uid)
}

// news reads what was written since the last call and hands each whole record
// to take. A log that was begun anew is read from its start.
func (p *place) news(take func(raw []byte)) error {
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	end := info.Size() / recordBytes * recordBytes
	if info.Size() < p.seen {
		p.seen = 0
	}
	if end == p.seen || end > 2*maxLog {
		return nil
	}
	data := make([]byte, end-p.seen)
	n, err := p.file.ReadAt(data, p.seen)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	data = data[:n/recordBytes*recordBytes]
	p.seen += int64(len(data))
	for ; len(data) > 0; data = data[recordBytes:] {
		take(data[:recordBytes])
	}
	return nil
}

// add appends one record. A rest of one that was torn is cut off first, so that
// records stay in their places.
func (p *place) add(raw []byte) error {
	fd := int(p.file.Fd())
	if err := retry(func() error { return unix.Flock(fd, unix.LOCK_EX) }); err != nil {
		return err
	}
	defer func() { _ = unix.Flock(fd, unix.LOCK_UN) }()
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	keep := info.Size() / recordBytes * recordBytes
	if keep >= maxLog {
		keep = 0
	}
	if keep != info.Size() {
		if err := p.file.Truncate(keep); err != nil {
			return err
		}
	}
	_, err = p.file.Write(raw)
	return err
}

// open returns what a record says, false where its own sum is wrong.
func open(raw []byte) (Sum, bool) {
	sum := sha256.Sum256(raw[:sealedBytes])
	if !bytes.Equal(sum[:recordBytes-sealedBytes], raw[sealedBytes:]) {
		return Sum{}, false
	}
	return Sum(raw[8+keyBytes : sealedBytes]), true
}
