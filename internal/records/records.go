// SPDX-License-Identifier: Apache-2.0

// Package records writes what outlives a run: the state shared by the gates of
// one host (State), and the summary of each run (Summaries). It writes files
// atomically, never through a planted link and never to another user's
// directory; otherwise it returns an error. It does not know the content of a
// record.
//
// renameio works on paths; everything here works below a directory that was
// opened and checked before, for which os.Root needs only a few lines.
package records

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"justnews/internal/safefile"
)

// replace writes a file atomically, and removes what killed writers left. A
// group-writable file that cannot be replaced is written in place: another
// user's in a sticky directory, or one in a full directory.
func replace(root *os.Root, name string, data []byte, mode fs.FileMode, sync bool) error {
	defer sweepTemporary(root, name) // after the file: a directory with many entries takes time
	err := safefile.New{Data: data, Mode: mode, Sync: sync}.Replace(root, name)
	if err == nil || mode&0o020 == 0 {
		return err
	}
	if e := safefile.Overwrite(root, name, data); e != nil {
		return errors.Join(err, e)
	}
	return nil
}

// maxEntries bounds how many entries of a directory are listed, which others
// may fill.
const maxEntries = 100_000

// tidying bounds the clean-up of a directory after each write, since a run must
// end in time. The next run continues.
const tidying = 50 * time.Millisecond

// stale is the age from which the writer of a temporary file must have been
// killed.
const stale = 10 * time.Minute

// sweepTemporary removes what killed writers of this file left behind.
func sweepTemporary(root *os.Root, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), tidying)
	defer cancel()
	entries, _ := safefile.ListIn(ctx, root, ".", maxEntries)
	sweep(ctx, root, entries, func(other string) bool { return safefile.IsTemporary(safefile.TemporaryOf(name), other) })
}

// sweep removes stale files whose name leftover accepts. What it cannot remove
// does no harm.
func sweep(ctx context.Context, root *os.Root, entries []fs.DirEntry, leftover func(string) bool) {
	for _, e := range entries {
		if ctx.Err() != nil {
			return
		}
		if !e.Type().IsRegular() || !leftover(e.Name()) {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > stale {
			_ = root.Remove(e.Name())
		}
	}
}

// enter opens the directory name below root, and creates it (0700) if it is
// missing. It rejects links, directories of other users and those that others
// can write to, where somebody else controls the names.
func enter(root *os.Root, name string) (*os.Root, error) {
	if err := root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	below, err := safefile.Enter(root, name)
	if err != nil {
		return nil, err
	}
	if err := ownedBy(below, os.Geteuid()); err != nil {
		_ = below.Close()
		return nil, err
	}
	return below, nil
}

// ownedBy rejects a directory that belongs to another user or is writable by
// others.
func ownedBy(root *os.Root, uids ...int) error {
	info, err := safefile.Of(root)
	if err == nil {
		err = info.Trust(uids...)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", root.Name(), err)
	}
	return nil
}

func ownerOf(root *os.Root) (int, error) {
	info, err := safefile.Of(root)
	return info.UID, err
}
