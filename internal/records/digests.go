// SPDX-License-Identifier: Apache-2.0

package records

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// Digests opens the directory in which this user keeps what it knows of the
// files of a Model Store, beside its summaries, and makes what is missing.
func (d Dirs) Digests() (*os.Root, error) { return d.place("digests") }

// SharedDigests opens the directory below dir in which a user leaves the same
// for the other processes of this boot: its own is made where it is missing and
// can be read by the group of dir; another user's is only read. Whoever is in
// the group can rename directories in dir, so that only the owner counts.
func SharedDigests(dir string, uid int) (*os.Root, error) {
	above, err := openDir(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = above.Close() }()
	name := "digests-" + strconv.Itoa(uid)
	if uid == os.Geteuid() {
		switch err := above.Mkdir(name, 0o700); {
		case err == nil:
			if err := above.Chmod(name, 0o750); err != nil {
				return nil, err
			}
		case !errors.Is(err, fs.ErrExist):
			return nil, err
		}
	}
	named, err := above.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !named.IsDir() {
		return nil, fmt.Errorf("%s/%s is not a directory", dir, name)
	}
	below, err := above.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	if err := openedAs(below, named, uid); err != nil {
		_ = below.Close()
		return nil, err
	}
	return below, nil
}

// openedAs checks the directory that was really opened.
func openedAs(dir *os.Root, named fs.FileInfo, uid int) error {
	info, err := dir.Stat(".")
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || !os.SameFile(info, named):
		return fmt.Errorf("%s was replaced while it was opened", dir.Name())
	case int(st.Uid) != uid:
		return fmt.Errorf("%s belongs to UID %d", dir.Name(), st.Uid)
	case st.Mode&0o022 != 0:
		return fmt.Errorf("%s can be written by others (mode %#o)", dir.Name(), st.Mode&0o7777)
	}
	return nil
}
