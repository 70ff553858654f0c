// SPDX-License-Identifier: Apache-2.0

package records

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
)

// readOne reads a regular file with one name that belongs to uid.
func readOne(root *os.Root, name string, uid int) ([]byte, error) {
	named, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !named.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || !info.Mode().IsRegular() || st.Nlink != 1:
		return nil, fmt.Errorf("%s is not a regular file with one name", name)
	case int(st.Uid) != uid:
		return nil, fmt.Errorf("%s belongs to UID %d, its directory to %d", name, st.Uid, uid)
	case info.Mode().Perm()&0o022 != 0:
		return nil, fmt.Errorf("%s can be written by others (mode %#o)", name, info.Mode().Perm())
	}
	return readAll(f)
}

func readAll(f *os.File) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(f, maxSummary+1))
	if err == nil && len(data) > maxSummary {
		err = fmt.Errorf("%s has more than %d bytes", f.Name(), maxSummary)
	}
	return data, err
}

// step opens a directory below root that is no link.
func step(root *os.Root, name string) (*os.Root, error) {
	named, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !named.IsDir() {
		return nil, fmt.Errorf("%s is not a directory", name)
	}
	below, err := root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	if info, err := below.Stat("."); err != nil || !os.SameFile(info, named) {
		_ = below.Close()
		return nil, errors.Join(fmt.Errorf("%s was replaced while it was opened", name), err)
	}
	return below, nil
}

func ownerOf(root *os.Root) (int, error) {
	info, err := root.Stat(".")
	if err != nil {
		return -1, err
	}
	return owner(info)
}

// ownedBy refuses a directory of anybody else, and one that others may write.
func ownedBy(root *os.Root, uids ...int) error {
	info, err := root.Stat(".")
	if err != nil {
		return err
	}
	uid, err := owner(info)
	if err != nil {
		return err
	}
	if !slices.Contains(uids, uid) {
		return fmt.Errorf("%s belongs to UID %d", root.Name(), uid)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("%s can be written by others (mode %#o)", root.Name(), mode)
	}
	return nil
}
