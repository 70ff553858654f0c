// SPDX-License-Identifier: Apache-2.0

package safefile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// New is a file to be written.
type New struct {
	Data []byte
	Mode fs.FileMode // regardless of the umask
	Sync bool        // survives a power failure
	// Owner and Group of the file; both 0: those of the process.
	Owner, Group int
}

// Replace writes a file atomically: to a new file next to it, which is renamed
// over the old one. A link with that name is replaced, not followed.
func (n New) Replace(root *os.Root, name string) error {
	temporary := TemporaryOf(name) + unique()
	if at := strings.LastIndexByte(name, '/'); at >= 0 {
		temporary = name[:at+1] + TemporaryOf(name[at+1:]) + unique()
	}
	if err := n.Write(root, temporary); err != nil {
		return err
	}
	return n.Commit(root, temporary, name)
}

// Overwrite writes an existing file in place, if it cannot be replaced. It must
// be a regular file with one name.
func Overwrite(root *os.Root, name string, data []byte) error {
	named, err := from(root.Lstat(name))
	if err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	err = overwrite(f, named, data)
	return errors.Join(err, f.Close())
}

func overwrite(f *os.File, named Info, data []byte) error {
	info, err := Fstat(f)
	if err != nil {
		return err
	}
	switch {
	case !info.Mode.IsRegular() || info.Links > 1:
		return fmt.Errorf("%s: %w with one name", f.Name(), ErrNotRegular)
	case !info.Same(named):
		return fmt.Errorf("%s: %w", f.Name(), errReplaced)
	}
	if _, err := f.WriteAt(data, 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(data)))
}

// Write creates a new file, and leaves nothing behind if that fails.
func (n New) Write(root *os.Root, name string) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, n.Mode)
	if err != nil {
		return err
	}
	_, err = f.Write(n.Data)
	if err == nil && (n.Owner != 0 || n.Group != 0) {
		err = f.Chown(n.Owner, n.Group)
	}
	if err == nil {
		err = f.Chmod(n.Mode)
	}
	if err == nil && n.Sync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = root.Remove(name)
	}
	return err
}

// Commit renames a written file to its name.
func (n New) Commit(root *os.Root, temporary, name string) error {
	if err := root.Rename(temporary, name); err != nil {
		_ = root.Remove(temporary)
		return err
	}
	if !n.Sync {
		return nil
	}
	return SyncDir(root)
}

// SyncDir makes renames and removals in a directory survive a power failure.
func SyncDir(root *os.Root) error {
	dir, err := root.OpenFile(".", os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// TemporaryOf is the prefix of the names of Replace's temporary files.
func TemporaryOf(name string) string { return "." + name + "." }

// IsTemporary reports whether a name is that of a temporary file of Replace: a
// prefix of TemporaryOf and uniqueLen characters of uniqueFrom.
func IsTemporary(prefix, name string) bool {
	text, ok := strings.CutPrefix(name, prefix)
	return ok && len(text) == uniqueLen && strings.Trim(text, uniqueFrom) == ""
}

const (
	uniqueLen  = 26
	uniqueFrom = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
)

// unique returns a name that no other writer uses. crypto/rand would add a
// tenth to the size of the generator, which writes no such file.
func unique() string {
	name := make([]byte, uniqueLen)
	for i := range name {
		name[i] = uniqueFrom[rand.N(len(uniqueFrom))] //nolint:gosec // O_EXCL is what keeps others out
	}
	return string(name)
}
