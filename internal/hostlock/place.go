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
		if unix.Access(path, unix.R_OK) != nil {
			path = filepath.Dir(path)
		}
		places = append(places, place{path: path, executable: true})
	}
	return places
}

// makePrivate makes a directory for its owner alone, and only below one of its
// owner's: sudo can leave another user's XDG_RUNTIME_DIR behind.
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
func (p place) directory() (*os.Root, error) {
	dir, err := safefile.OpenRoot(p.path)
	if errors.Is(err, fs.ErrNotExist) && p.make != nil {
		if made := p.make(p.path); made != nil && !errors.Is(made, fs.ErrExist) {
			return nil, fmt.Errorf("%w (and cannot make it: %w)", err, made)
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

// trusted checks owner and mode; a directory that is not shared is for its
// owner alone.
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
		// A second name would be that of a file elsewhere, whose lock blocks
		// others there.
		f, err := safefile.OpenIn(dir, name, safefile.NoFollow|safefile.OneName)
		if err == nil {
			return f.File, nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			// Whatever the umask is, the group has to be able to open it.
			err = safefile.New{Mode: fileMode}.Write(dir, name)
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrExist}
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
