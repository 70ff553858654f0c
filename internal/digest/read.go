// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"

	"golang.org/x/sys/unix"

	"justnews/internal/safefile"
)

// Segment is one file of a stream: a prefix and the bytes of the file.
type Segment struct {
	Prefix   string
	Path     string
	Identity Identity // as it was found; a different one is an error
}

// ErrChanged is wrapped if a file was replaced after it was found, or changed while it
// was read.
var ErrChanged = errors.New("it changed while it was read")

// Sizes of reads, in bytes. chunk fits into the cache of a core, from which it is then
// hashed; ahead keeps the disk busy meanwhile.
const (
	chunk       = 256 << 10
	ahead       = 8 << 20
	slots       = 4        // chunks on the way between the reader and the hash
	smallStream = 64 << 10 // a stream below this is read and hashed in one go
)

// reader reads the segments of streams, one stream after the other, with its own buffers.
type reader struct {
	buffers [slots][]byte
	count   func(n int) // called with the number of bytes of each read
	helped  bool        // another processor is idle and can read while this one hashes
}

func newReader(count func(int)) *reader {
	r := &reader{count: count}
	for i := range r.buffers {
		r.buffers[i] = make([]byte, chunk)
	}
	return r
}

// copyInto writes prefixes and contents of all segments to h, in their order.
func (r *reader) copyInto(ctx context.Context, h hash.Hash, segments []Segment) error {
	if !r.helped || length(segments) <= smallStream {
		return r.sequential(ctx, h, segments)
	}
	return r.pipelined(ctx, h, segments)
}

func length(segments []Segment) int64 {
	var n int64
	for _, s := range segments {
		n += s.Identity.Size
	}
	return n
}

func (r *reader) sequential(ctx context.Context, h hash.Hash, segments []Segment) error {
	for _, s := range segments {
		h.Write([]byte(s.Prefix))
		err := r.file(ctx, s, func() []byte { return r.buffers[0] }, func(b []byte) { h.Write(b) })
		if err != nil {
			return err
		}
	}
	return nil
}

// pipelined reads in one goroutine and hashes in another, so that it takes as long as
// the slower of the two. If every processor is hashing it costs 10 % more, because one
// has to fetch what another has copied.
func (r *reader) pipelined(ctx context.Context, h hash.Hash, segments []Segment) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	free, full, failed := make(chan []byte, slots), make(chan []byte, slots), make(chan error, 1)
	for _, b := range r.buffers {
		free <- b
	}
	go func() {
		defer close(full)
		failed <- r.files(ctx, segments, free, full)
	}()
	for b := range full {
		h.Write(b)
		if cap(b) == chunk {
			free <- b[:chunk]
		}
	}
	return <-failed
}

func (r *reader) files(ctx context.Context, segments []Segment, free <-chan []byte, full chan<- []byte) error {
	take := func() []byte {
		select {
		case b := <-free:
			return b
		case <-ctx.Done():
			return nil
		}
	}
	for _, s := range segments {
		if s.Prefix != "" {
			full <- []byte(s.Prefix)
		}
		if err := r.file(ctx, s, take, func(b []byte) { full <- b }); err != nil {
			return err
		}
	}
	return nil
}

// file reads one file completely and verifies its identity before and after.
func (r *reader) file(ctx context.Context, s Segment, buffer func() []byte, give func([]byte)) error {
	f, err := safefile.Open(s.Path, 0)
	if errors.Is(err, safefile.ErrNotRegular) {
		return changed(s)
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if Of(f.Info) != s.Identity {
		return changed(s)
	}
	fd := int(f.Fd())
	_ = unix.Fadvise(fd, 0, 0, unix.FADV_SEQUENTIAL)
	var at, asked int64
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if at >= asked-ahead/2 && asked < s.Identity.Size {
			from := max(asked, at)
			_ = unix.Fadvise(fd, from, ahead, unix.FADV_WILLNEED)
			asked = from + ahead
		}
		b := buffer()
		if b == nil {
			return context.Cause(ctx)
		}
		n, err := f.ReadAt(b, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		at += int64(n)
		r.count(n)
		give(b[:n])
		if n == 0 || at >= s.Identity.Size {
			break
		}
	}
	if at != s.Identity.Size {
		return changed(s)
	}
	if after, err := f.Stat(); err != nil {
		return err
	} else if Of(after) != s.Identity {
		return changed(s)
	}
	return nil
}

func changed(s Segment) error {
	return fmt.Errorf("cannot trust what was read of %s: %w", s.Path, ErrChanged)
}
