// SPDX-License-Identifier: Apache-2.0

package hostlock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// fileMode lets every member of the group open the file for reading, which is
// all that flock needs; the directory's set-group-ID bit gives it the group.
const fileMode = 0o640

// place is a directory for lock files, or the executable.
type place struct {
	path       string
	shared     bool
	executable bool
	make       func(path string) error // nil: never made here
	owners     []int                   // UIDs that a trusted directory may belong to
}

// system lists the places of this machine, best first.
func system() []place {
	self := os.Geteuid()
	places := []place{{path: SharedDir, shared: true, make: makeShared, owners: []int{0}}}
	if runtime := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(runtime) {
		places = append(places, place{
			path: filepath.Join(runtime, "justnews"), make: makePrivate, owners: []int{self},
		})
	}
	// A person's runs, or those of a container without any of this, still share
	// /tmp, and with it a record. A unit's /tmp is often its own, where it would
	// exclude nobody.
	if os.Getenv("INVOCATION_ID") == "" {
		places = append(places, place{
			path: filepath.Join(os.TempDir(), "justnews-"+strconv.Itoa(self)), make: makeInTemp, owners: []int{self},
		})
	}
	if path, err := os.Readlink("/proc/self/exe"); err == nil {
		// The packages install a program that others may execute and not read.
		if syscall.Access(path, 4 /* R_OK */) != nil {
			path = filepath.Dir(path)
		}
		places = append(places, place{path: path, executable: true})
	}
	return places
}

// makePrivate makes a directory for its owner alone, and only below one of its
// owner's: sudo can leave another user's XDG_RUNTIME_DIR behind.
func makePrivate(path string) error {
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Geteuid() {
		return fs.ErrPermission
	}
	return os.Mkdir(path, 0o700)
}

// makeInTemp makes a directory for its owner alone where everybody may make
// one; what somebody else made there first is refused by its owner.
func makeInTemp(path string) error { return os.Mkdir(path, 0o700) }

// makeShared makes what tmpfiles.d would have made. Only root can, and only
// with the group: a directory of root's own would shut the services out and
// leave them with a lock that root does not see. The group is looked up in
// /etc/group by pure Go, not by NSS.
func makeShared(path string) error {
	if os.Geteuid() != 0 {
		return fs.ErrPermission
	}
	group, err := user.LookupGroup("justnews")
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(group.Gid)
	if err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	// Owner first: chown clears the set-group-ID bit.
	return errors.Join(os.Chown(path, 0, gid), os.Chmod(path, 0o771|fs.ModeSetgid|fs.ModeSticky))
}

// directory opens the place without following a link at its end, and refuses
// one in which a stranger could plant files.
func (p place) directory() (*os.File, error) {
	dir, err := openDir(p.path)
	if errors.Is(err, fs.ErrNotExist) && p.make != nil {
		if made := p.make(p.path); made != nil && !errors.Is(made, fs.ErrExist) {
			return nil, fmt.Errorf("%w (and cannot make it: %w)", err, made)
		}
		dir, err = openDir(p.path)
	}
	if err != nil {
		return nil, err
	}
	if err := p.trusted(dir); err != nil {
		_ = dir.Close()
		return nil, err
	}
	return dir, nil
}

func openDir(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
}

// trusted checks owner and mode; a directory that is not shared is for its
// owner alone.
func (p place) trusted(dir *os.File) error {
	var st syscall.Stat_t
	if err := syscall.Fstat(int(dir.Fd()), &st); err != nil {
		return &fs.PathError{Op: "stat", Path: p.path, Err: err}
	}
	ours := false
	for _, uid := range p.owners {
		ours = ours || int(st.Uid) == uid
	}
	if !ours {
		return fmt.Errorf("%s belongs to UID %d", p.path, st.Uid)
	}
	foreign := uint32(0o077)
	if p.shared {
		foreign = 0o002
	}
	if st.Mode&foreign != 0 {
		return fmt.Errorf("%s has mode %#o", p.path, st.Mode&0o7777)
	}
	return nil
}

// openIn opens the lock file below the place for reading, and makes it where
// it is missing. It takes nothing but a regular file with one name.
func (p place) openIn(name string) (*os.File, error) {
	dir, err := p.directory()
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	path := filepath.Join(p.path, name)
	for range 3 {
		fd, err := openat(dir, name, syscall.O_RDONLY|syscall.O_NONBLOCK, 0)
		if errors.Is(err, syscall.ENOENT) {
			fd, err = openat(dir, name, syscall.O_RDONLY|syscall.O_CREAT|syscall.O_EXCL, fileMode)
			if errors.Is(err, syscall.EEXIST) {
				continue // another process was faster
			}
			if err == nil {
				// Whatever the umask is, the group has to be able to open it.
				err = syscall.Fchmod(fd, fileMode)
			}
		}
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: path, Err: err}
		}
		return regular(fd, path)
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.EEXIST}
}

// openat opens name below dir itself, never through a link.
func openat(dir *os.File, name string, flags int, mode uint32) (int, error) {
	for {
		fd, err := syscall.Openat(int(dir.Fd()), name, flags|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, mode)
		if !errors.Is(err, syscall.EINTR) {
			return fd, err
		}
	}
}

// regular refuses what somebody may have planted: a device, a FIFO, a second
// name of a file elsewhere (whose lock would block others there).
func regular(fd int, path string) (*os.File, error) {
	var st syscall.Stat_t
	err := syscall.Fstat(fd, &st)
	switch {
	case err != nil:
		err = &fs.PathError{Op: "stat", Path: path, Err: err}
	case st.Mode&syscall.S_IFMT != syscall.S_IFREG:
		err = fmt.Errorf("%s is not a regular file", path)
	case st.Nlink > 1:
		err = fmt.Errorf("%s has %d names", path, st.Nlink)
	}
	if err != nil {
		_ = syscall.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// openExecutable opens the program that runs, or the directory that it lies in
// where it may not be read. After an upgrade the old and the
// new program are different files and exclude nobody: that is an error, and
// StillMine notices it as well. Anybody who may read the program can hold this
// lock, so it is the last choice; it delays, and opens nothing.
func openExecutable(path string) (*os.File, error) {
	f, err := os.Open("/proc/self/exe")
	if errors.Is(err, fs.ErrPermission) {
		f, err = os.Open(path)
	}
	if err != nil {
		return nil, err
	}
	if !same(f, path) {
		_ = f.Close()
		return nil, fmt.Errorf("the executable %s was replaced", path)
	}
	return f, nil
}
