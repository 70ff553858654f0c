// SPDX-License-Identifier: Apache-2.0

// Package safefile reads, lists and replaces files that other users may have
// created or replaced. It opens regular files only, without blocking and
// without touching a device; it reads no more than a limit; it returns the
// owner of what was opened; and it returns to its caller when a context ends,
// even if the kernel does not (Do). Every other package reads through it, which
// a test in internal/archtest checks.
package safefile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Errors about what was found. Those of the system are wrapped unchanged.
var (
	ErrNotRegular = errors.New("not a regular file")
	ErrTooLarge   = errors.New("too large")
	ErrTooMany    = errors.New("too many entries")
	errReplaced   = errors.New("it was replaced while it was opened")
)

// Info is the metadata of a file or directory.
type Info struct {
	Dev, Ino     uint64
	Size         int64 // bytes
	Mtime, Ctime int64 // nanoseconds since 1970
	Mode         fs.FileMode
	UID, GID     int
	Links        uint64
}

// Bits returns the twelve bits of a mode that chmod sets.
func Bits(mode fs.FileMode) uint32 {
	b := uint32(mode.Perm())
	for i, flag := range [...]fs.FileMode{fs.ModeSticky, fs.ModeSetgid, fs.ModeSetuid} {
		if mode&flag != 0 {
			b |= 0o1000 << i
		}
	}
	return b
}

// Same reports whether both are the same file, even if it was changed.
func (i Info) Same(o Info) bool { return i.Dev == o.Dev && i.Ino == o.Ino }

// Trust rejects what a user other than the owners may have written: a file of
// another owner, or one that is writable by group or others.
func (i Info) Trust(owners ...int) error {
	if !slices.Contains(owners, i.UID) {
		return fmt.Errorf("it belongs to UID %d", i.UID)
	}
	if i.Mode&0o022 != 0 {
		return fmt.Errorf("it is writable by others (mode %#o)", uint32(i.Mode.Perm()))
	}
	return nil
}

// Stat follows links.
func Stat(path string) (Info, error) { return from(os.Stat(path)) }

// Lstat does not follow a link at the end of the path.
func Lstat(path string) (Info, error) { return from(os.Lstat(path)) }

// StatIn returns the metadata of a name in an open directory, following links. It
// resolves no path, which costs less for many names, and the directory may be renamed
// meanwhile. What is neither a file nor a directory is fs.ModeIrregular.
func StatIn(dir *os.File, name string) (Info, error) {
	var st unix.Stat_t
	if err := retry(func() error { return unix.Fstatat(int(dir.Fd()), name, &st, 0) }); err != nil {
		return Info{}, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	mode := fs.FileMode(st.Mode & 0o777)
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		mode |= fs.ModeDir
	default:
		mode |= fs.ModeIrregular
	}
	return Info{
		Dev: uint64(st.Dev), Ino: st.Ino, Size: st.Size, //nolint:unconvert // narrower on other machines
		Mtime: st.Mtim.Nano(), Ctime: st.Ctim.Nano(), Mode: mode,
		UID: int(st.Uid), GID: int(st.Gid), Links: uint64(st.Nlink), //nolint:unconvert // as above
	}, nil
}

// Fstat returns the metadata of an open file.
func Fstat(f *os.File) (Info, error) { return from(f.Stat()) }

// Of returns the metadata of an open directory.
func Of(root *os.Root) (Info, error) { return from(root.Stat(".")) }

// from converts what package os returns.
func from(info fs.FileInfo, err error) (Info, error) {
	if err != nil {
		return Info{}, err
	}
	st := info.Sys().(*syscall.Stat_t) // on Linux it always is
	return Info{
		Dev: uint64(st.Dev), Ino: st.Ino, Size: st.Size, //nolint:unconvert // narrower on other machines
		Mtime: st.Mtim.Nano(), Ctime: st.Ctim.Nano(), Mode: info.Mode(),
		UID: int(st.Uid), GID: int(st.Gid), Links: uint64(st.Nlink), //nolint:unconvert // as above
	}, nil
}

// Flags restrict which files are accepted.
type Flags int

// The flags.
const (
	// NoFollow refuses a link at the end of the path.
	NoFollow Flags = 1 << iota
	// OneName rejects a file with more than one name, which may belong to
	// another user.
	OneName
)

// File is a regular file that is open for reading, with its metadata at that
// time.
type File struct {
	*os.File
	Info
}

// Name is the path with which it was opened.
func (f *File) Name() string { return f.File.Name() }

// Stat returns the current metadata.
func (f *File) Stat() (Info, error) { return Fstat(f.File) }

// Open opens a regular file for reading. Anything else is not opened: opening a
// device can have side effects, and opening a FIFO can block. It does not wait
// for a file on which another process holds a lease (EAGAIN).
func Open(path string, flags Flags) (*File, error) {
	how := unix.O_PATH
	if flags&NoFollow != 0 {
		how |= unix.O_NOFOLLOW
	}
	pin, err := os.OpenFile(path, how, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = pin.Close() }()
	return reopen(pin, path, flags)
}

// OpenIn opens a regular file below root for reading. Links cannot lead out of
// root.
func OpenIn(root *os.Root, name string, flags Flags) (*File, error) {
	if flags&NoFollow == 0 {
		return openThrough(root, name, flags)
	}
	pin, err := root.OpenFile(name, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = pin.Close() }()
	return reopen(pin, name, flags)
}

// openThrough follows links as os.Root does. It cannot pin what it finds: O_PATH
// opens a link itself.
func openThrough(root *os.Root, name string, flags Flags) (*File, error) {
	found, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !found.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: notRegular{found.Mode()}}
	}
	f, err := root.OpenFile(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return reopen(f, name, flags)
}

// reopen opens what pin refers to for reading, if it is allowed.
func reopen(pin *os.File, name string, flags Flags) (*File, error) {
	info, err := Fstat(pin)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode.IsRegular():
		return nil, &fs.PathError{Op: "open", Path: name, Err: notRegular{info.Mode}}
	case flags&OneName != 0 && info.Links != 1:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fmt.Errorf("%w with one name", ErrNotRegular)}
	}
	fd, err := openRetry("/proc/self/fd/"+strconv.Itoa(int(pin.Fd())), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	// Without O_NONBLOCK package os does not register the file with the poller.
	if err := unix.SetNonblock(fd, false); err != nil {
		_ = unix.Close(fd)
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &File{os.NewFile(uintptr(fd), name), info}, nil
}

// notRegular is ErrNotRegular with the actual kind of file.
type notRegular struct{ mode fs.FileMode }

func (n notRegular) Error() string        { return "is " + Describe(n.mode) + ", " + ErrNotRegular.Error() }
func (n notRegular) Is(target error) bool { return target == ErrNotRegular }

// Describe names the kind of a file.
func Describe(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "a file"
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeSymlink != 0:
		return "a link"
	case mode&fs.ModeNamedPipe != 0:
		return "a fifo"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}

// All reads the file from its start to its end, at most limit bytes:
// ErrTooLarge if it is larger. Memory grows with the actual content, not with
// the size that the file claims.
func (f *File) All(limit int64) ([]byte, error) {
	if f.Size > limit {
		return nil, tooLarge(f.Name(), limit)
	}
	var content bytes.Buffer
	content.Grow(int(min(f.Size, firstRead)) + bytes.MinRead)
	switch n, err := content.ReadFrom(io.NewSectionReader(f.File, 0, limit+1)); {
	case err != nil:
		return nil, err
	case n > limit:
		return nil, tooLarge(f.Name(), limit)
	}
	return content.Bytes(), nil
}

// firstRead is the most that is allocated before anything was read, in bytes: a
// sparse file can claim any size.
const firstRead = 1 << 20

func tooLarge(name string, limit int64) error {
	return &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)}
}

// Read reads a whole regular file of at most limit bytes, links followed.
func Read(path string, limit int64) ([]byte, error) {
	f, err := Open(path, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return f.All(limit)
}

// ReadIn reads a whole regular file below root.
func ReadIn(root *os.Root, name string, limit int64, flags Flags) ([]byte, error) {
	f, err := OpenIn(root, name, flags)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return f.All(limit)
}

func openRetry(path string, flags int) (fd int, err error) {
	err = retry(func() error {
		fd, err = unix.Open(path, flags, 0)
		return err
	})
	return fd, err
}

func retry(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// grace is how long a call that observes ctx itself has to return its result.
const grace = 100 * time.Millisecond

// Do calls f and returns its result. If ctx ends first, f gets a moment to
// notice, and then Do returns ctx's cause without waiting any longer. A system
// call on a file system that never responds cannot be interrupted: its
// goroutine and thread are left behind, and what f still writes to must not be
// used. So f must share nothing with its caller except its result.
func Do[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-late.C:
		var none T
		return none, context.Cause(ctx)
	}
}
