// SPDX-License-Identifier: Apache-2.0

package safefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// OpenDir opens a directory for listing, following links; anything else is an
// error and is not opened.
func OpenDir(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY, 0)
}

// OpenRoot opens a directory that is not itself a link: os.Root only protects
// what is below it.
func OpenRoot(path string) (*os.Root, error) {
	named, err := Lstat(path)
	if err != nil {
		return nil, err
	}
	return entered(path, named, func() (*os.Root, error) { return os.OpenRoot(path) })
}

// Enter opens a directory below root that is not a link.
func Enter(root *os.Root, name string) (*os.Root, error) {
	named, err := from(root.Lstat(name))
	if err != nil {
		return nil, err
	}
	return entered(name, named, func() (*os.Root, error) { return root.OpenRoot(name) })
}

func entered(name string, named Info, open func() (*os.Root, error)) (*os.Root, error) {
	if !named.Mode.IsDir() {
		return nil, fmt.Errorf("%s is not a directory", name)
	}
	root, err := open()
	if err != nil {
		return nil, err
	}
	info, err := Of(root)
	if err == nil && !info.Same(named) {
		err = fmt.Errorf("%s: %w", name, errReplaced)
	}
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return root, nil
}

// batch is how many entries are read between two checks of the context.
const batch = 1024

// Entries reads an open directory, in the file system's order, at most limit
// entries; if there are more, it returns those with ErrTooMany.
func Entries(ctx context.Context, dir *os.File, limit int) ([]fs.DirEntry, error) {
	var all []fs.DirEntry
	for {
		if ctx.Err() != nil {
			return all, context.Cause(ctx)
		}
		some, err := dir.ReadDir(min(batch, limit+1))
		all = append(all, some...)
		switch {
		case len(all) > limit:
			return all[:limit], &fs.PathError{Op: "list", Path: dir.Name(), Err: fmt.Errorf("%w: more than %d", ErrTooMany, limit)}
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return all, err
		}
	}
}

// List reads a directory, sorted by name, at most limit entries.
func List(ctx context.Context, path string, limit int) ([]fs.DirEntry, error) {
	dir, err := OpenDir(path)
	if err != nil {
		return nil, err
	}
	return listed(ctx, dir, limit)
}

// ListIn reads an open directory, sorted by name.
func ListIn(ctx context.Context, root *os.Root, name string, limit int) ([]fs.DirEntry, error) {
	dir, err := root.OpenFile(name, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return listed(ctx, dir, limit)
}

func listed(ctx context.Context, dir *os.File, limit int) ([]fs.DirEntry, error) {
	defer func() { _ = dir.Close() }()
	all, err := Entries(ctx, dir, limit)
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all, err
}
