// SPDX-License-Identifier: Apache-2.0

package hostlock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"justnews/internal/safefile"
)

// fileMode lets every member of the group open the file for reading, which is
// all that flock needs; the directory's set-group-ID bit gives it the group.
const fileMode = 0o640

// place is a directory for lock files, or the executable.
type place struct {
	path       string
	shared     bool
	executable bool
	make       func(path string) error // nil: never created here
	owners     []int                   // allowed owners of a trusted directory
}

// system lists the places of this machine, preferred ones first.
func system() []place {
	self := os.Geteuid()
	places := []place{{path: SharedDir, shared: true, make: makeShared, owners: []int{0}}}
	if runtime := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(runtime) {
		places = append(places, place{
			path: filepath.Join(runtime, "justnews"), make: makePrivate, owners: []int{self},
		})
	}
	// Runs by hand, or in a container without any of these, still share /tmp,
	// and with it a record. A unit often has a private /tmp, where a lock would
	// have no effect.
	if os.Getenv("INVOCATION_ID") == "" {
		places = append(places, place{
			// One that another user created first is rejected because of its owner.
			path: filepath.Join(os.TempDir(), "justnews-"+strconv.Itoa(self)), owners: []int{self},
			make: func(path string) error { return os.Mkdir(path, 0o700) },
		})
	}
	if path, err := os.Readlink("/proc/self/exe"); err == nil {
		// The packaged program can be executed but not read by others.
		if unix.Access(path, unix.R_OK) != nil {
			path = filepath.Dir(path)
		}
		places = append(places, place{path: path, executable: true})
	}
	return places
}

// makePrivate creates a private directory, and only below a directory of the
// same owner: sudo can leave another user's XDG_RUNTIME_DIR set.
func makePrivate(path string) error {
	above, err := safefile.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	if above.UID != os.Geteuid() {
		return fs.ErrPermission
	}
	return os.Mkdir(path, 0o700)
}

// makeShared creates what tmpfiles.d would have created. Only root can, and
// only with the group: a directory accessible by root only would exclude the
// services and leave them with a lock that root does not use. The group is
// looked up in /etc/group by pure Go, not by NSS.
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

// directory opens the place without following a final link, and rejects one in
// which another user could plant files.
func (p place) directory() (*os.Root, error) {
	dir, err := safefile.OpenRoot(p.path)
	if errors.Is(err, fs.ErrNotExist) && p.make != nil {
		if made := p.make(p.path); made != nil && !errors.Is(made, fs.ErrExist) {
			return nil, fmt.Errorf("%w (and cannot create it: %w)", err, made)
		}
		dir, err = safefile.OpenRoot(p.path)
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

// trusted checks owner and mode; a directory that is not shared must be
// private.
func (p place) trusted(dir *os.Root) error {
	info, err := safefile.Of(dir)
	if err != nil {
		return err
	}
	if !slices.Contains(p.owners, info.UID) {
		return fmt.Errorf("%s belongs to UID %d", p.path, info.UID)
	}
	foreign := fs.FileMode(0o077)
	if p.shared {
		foreign = 0o002
	}
	if info.Mode&foreign != 0 {
		return fmt.Errorf("%s has mode %#o", p.path, safefile.Bits(info.Mode))
	}
	return nil
}

// openIn opens the lock file below the place for reading, and creates it if it
// is missing. It must be a regular file with one name.
func (p place) openIn(name string) (*os.File, error) {
	dir, err := p.directory()
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	path := filepath.Join(p.path, name)
	for range 3 {
		// With a second name it may be a file elsewhere, whose lock would block
		// others there.
		f, err := safefile.OpenIn(dir, name, safefile.NoFollow|safefile.OneName)
		if err == nil {
			return f.File, nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			// The group must be able to open it, regardless of the umask.
			err = safefile.New{Mode: fileMode}.Write(dir, name)
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrExist}
}

// openExecutable opens the running program, or its directory if it cannot be
// read. After an upgrade the old and the new program are different files and do
// not exclude each other: that is an error, which StillMine also notices.
// Anyone who can read the program can hold this lock, so it is the last resort;
// it can only delay a gate, not open it.
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
