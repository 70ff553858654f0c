// SPDX-License-Identifier: Apache-2.0

// Package records writes what has to outlive a run: the state that the gates
// of one host leave for each other (State), and the summary of each run
// (Summaries). It writes whole files or none, never through a link that
// somebody planted, never into another user's directory, and it returns an
// error where it can't. It does not know what is in a record.
//
// renameio works on paths; everything here works below a directory that was
// opened and checked before, so os.Root does the same in a few lines.
package records

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

// replace writes a file whole: into a new file beside it, then renamed over
// the old one. A link under that name is replaced, not followed. sync makes it
// survive a loss of power; on a tmpfs there is nothing to survive. A file that
// the group may write is written in place where it cannot be replaced: another
// user's in a sticky directory, or in one that somebody has filled.
func replace(root *os.Root, name string, data []byte, mode fs.FileMode, sync bool) error {
	sweep(root, name)
	temporary := temporaryOf(name) + rand.Text()
	err := writeNew(root, temporary, data, mode, sync)
	if err == nil {
		if err = root.Rename(temporary, name); err != nil {
			_ = root.Remove(temporary)
		}
	}
	if err != nil {
		if mode&0o020 == 0 {
			return err
		}
		if e := overwrite(root, name, data); e != nil {
			return errors.Join(err, e)
		}
		return nil
	}
	if sync {
		return syncDir(root)
	}
	return nil
}

// stale is how old a temporary file is whose writer must have been killed.
const stale = 10 * time.Minute

func temporaryOf(name string) string { return "." + name + "." }

// sweep removes what killed writers of this file left behind. Whatever it
// cannot remove does no harm.
func sweep(root *os.Root, name string) { sweepIf(root, isTemporary(temporaryOf(name))) }

// isTemporary tells whether a name is that of replace: a prefix and 26
// characters of rand.Text.
func isTemporary(prefix string) func(string) bool {
	return func(name string) bool {
		text, ok := strings.CutPrefix(name, prefix)
		return ok && len(text) == 26 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
	}
}

func sweepIf(root *os.Root, left func(string) bool) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !left(e.Name()) {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > stale {
			_ = root.Remove(e.Name())
		}
	}
}

// writeNew makes a file that did not exist, and leaves nothing behind where
// that fails.
func writeNew(root *os.Root, name string, data []byte, mode fs.FileMode, sync bool) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode) // whatever the umask is
	}
	if err == nil && sync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = root.Remove(name)
	}
	return err
}

// overwrite writes a file in place. It takes nothing but a regular file with one
// name.
func overwrite(root *os.Root, name string, data []byte) error {
	named, err := root.Lstat(name)
	if err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok || !info.Mode().IsRegular() || st.Nlink > 1 || !os.SameFile(info, named) {
			err = fmt.Errorf("%s is not a regular file with one name", name)
		}
	}
	if err == nil {
		_, err = f.WriteAt(data, 0)
	}
	if err == nil {
		err = f.Truncate(int64(len(data)))
	}
	return errors.Join(err, f.Close())
}

func syncDir(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// openDir opens a directory that is no link itself: os.Root guards only what
// lies below it.
func openDir(path string) (*os.Root, error) {
	named, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !named.IsDir() {
		return nil, fmt.Errorf("%s is not a directory", path)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	info, err := root.Stat(".")
	if err == nil && !os.SameFile(info, named) {
		err = fmt.Errorf("%s was replaced while it was opened", path)
	}
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return root, nil
}

// owner returns who owns what info describes.
func owner(info fs.FileInfo) (int, error) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return -1, fmt.Errorf("%s has no owner", info.Name())
	}
	return int(st.Uid), nil
}

// enter opens the directory name below root and makes it (0700) where it is
// missing. It takes no link, no directory of another user and none that others
// may write: in those somebody else decides what the names mean.
func enter(root *os.Root, name string) (*os.Root, error) {
	if err := root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	named, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !named.IsDir() {
		return nil, fmt.Errorf("%s/%s is not a directory", root.Name(), name)
	}
	below, err := root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	if err := ours(below, named); err != nil {
		_ = below.Close()
		return nil, err
	}
	return below, nil
}

// ours checks the directory that was really opened.
func ours(dir *os.Root, named fs.FileInfo) error {
	info, err := dir.Stat(".")
	if err != nil {
		return err
	}
	if !os.SameFile(info, named) {
		return fmt.Errorf("%s was replaced while it was opened", dir.Name())
	}
	uid, err := owner(info)
	if err != nil {
		return err
	}
	if uid != os.Geteuid() {
		return fmt.Errorf("%s belongs to UID %d", dir.Name(), uid)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("%s can be written by others (mode %#o)", dir.Name(), mode)
	}
	return nil
}
