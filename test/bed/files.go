// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// files reads and writes below the machine's root, before the boot (Tree) and while it runs
// (Machine). Paths are absolute in the machine. A link out of the root is rejected, since its
// target would be the host's.
type files struct {
	t   testing.TB
	dir func() string // the root, as the host sees it
}

func (f files) in(name string, do func(r *os.Root, rel string) error) error {
	r, err := os.OpenRoot(f.dir())
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	return do(r, cmp.Or(strings.TrimPrefix(path.Clean("/"+name), "/"), "."))
}

// WriteFile writes a file atomically: a reader sees the old one or the new one. The default
// mode is 0644; missing directories are created with 0755.
func (f files) WriteFile(name, content string, mode ...fs.FileMode) {
	f.t.Helper()
	m := fs.FileMode(0o644)
	if len(mode) > 0 {
		m = mode[0]
	}
	err := f.in(name, func(r *os.Root, rel string) error {
		if err := r.MkdirAll(path.Dir(rel), 0o755); err != nil {
			return err
		}
		fresh := rel + ".bed-new"
		// The mode again, because WriteFile's is subject to the umask.
		return errors.Join(r.WriteFile(fresh, []byte(content), m), r.Chmod(fresh, m), r.Rename(fresh, rel))
	})
	if err != nil {
		f.t.Fatalf("cannot write %s in the machine: %v", name, err)
	}
}

// ReadFile returns a file's content; the test fails if there is none.
func (f files) ReadFile(name string) string {
	f.t.Helper()
	var content []byte
	err := f.in(name, func(r *os.Root, rel string) (err error) {
		content, err = r.ReadFile(rel)
		return err
	})
	if err != nil {
		f.t.Fatalf("cannot read %s in the machine: %v", name, err)
	}
	return string(content)
}

// Exists reports whether anything has that name, including a dangling link.
func (f files) Exists(name string) bool {
	return f.in(name, func(r *os.Root, rel string) error {
		_, err := r.Lstat(rel)
		return err
	}) == nil
}

// List returns the names in a directory, sorted; none where it is missing.
func (f files) List(name string) []string {
	f.t.Helper()
	var names []string
	err := f.in(name, func(r *os.Root, rel string) error {
		entries, err := fs.ReadDir(r.FS(), rel)
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.t.Fatalf("cannot list %s in the machine: %v", name, err)
	}
	return names
}

// Mkdir creates a directory and its parents, with mode 0755 by default.
func (f files) Mkdir(name string, mode ...fs.FileMode) {
	f.t.Helper()
	err := f.in(name, func(r *os.Root, rel string) error {
		if err := r.MkdirAll(rel, 0o755); err != nil || len(mode) == 0 {
			return err
		}
		return r.Chmod(rel, mode[0])
	})
	if err != nil {
		f.t.Fatalf("cannot make %s in the machine: %v", name, err)
	}
}

// Symlink creates a link, replacing an existing file.
func (f files) Symlink(target, name string) {
	f.t.Helper()
	err := f.in(name, func(r *os.Root, rel string) error {
		_ = r.Remove(rel)
		return errors.Join(r.MkdirAll(path.Dir(rel), 0o755), r.Symlink(target, rel))
	})
	if err != nil {
		f.t.Fatalf("cannot link %s in the machine: %v", name, err)
	}
}

// Remove removes a file or a whole directory, if it exists.
func (f files) Remove(name string) {
	f.t.Helper()
	if err := f.in(name, func(r *os.Root, rel string) error { return r.RemoveAll(rel) }); err != nil {
		f.t.Fatalf("cannot remove %s in the machine: %v", name, err)
	}
}

// Chmod changes a mode.
func (f files) Chmod(name string, mode fs.FileMode) {
	f.t.Helper()
	if err := f.in(name, func(r *os.Root, rel string) error { return r.Chmod(rel, mode) }); err != nil {
		f.t.Fatalf("cannot change the mode of %s in the machine: %v", name, err)
	}
}
