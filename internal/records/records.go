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
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"justnews/internal/safefile"
)

// replace writes a file whole, and removes what killed writers left. A file that
// the group may write is written in place where it cannot be replaced: another
// user's in a sticky directory, or in one that somebody has filled.
func replace(root *os.Root, name string, data []byte, mode fs.FileMode, sync bool) error {
	defer sweep(root, name) // first the file: a directory with many entries takes its time
	err := safefile.New{Data: data, Mode: mode, Sync: sync}.Replace(root, name)
	if err == nil || mode&0o020 == 0 {
		return err
	}
	if e := safefile.Overwrite(root, name, data); e != nil {
		return errors.Join(err, e)
	}
	return nil
}

// maxEntries bounds what is listed of a directory that others may fill.
const maxEntries = 100_000

// tidying is for how long a directory is tidied up after each write: it is the
// end of a run, which has to be in time. The next one goes on.
const tidying = 50 * time.Millisecond

// stale is how old a temporary file is whose writer must have been killed.
const stale = 10 * time.Minute

// sweep removes what killed writers of this file left behind. Whatever it
// cannot remove does no harm.
func sweep(root *os.Root, name string) {
	sweepIf(root, func(other string) bool { return safefile.IsTemporary(safefile.TemporaryOf(name), other) })
}

func sweepIf(root *os.Root, left func(string) bool) {
	ctx, cancel := context.WithTimeout(context.Background(), tidying)
	defer cancel()
	entries, _ := safefile.ListIn(ctx, root, ".", maxEntries)
	sweepThese(ctx, root, entries, left)
}

func sweepThese(ctx context.Context, root *os.Root, entries []fs.DirEntry, left func(string) bool) {
	for _, e := range entries {
		if ctx.Err() != nil {
			return
		}
		if !e.Type().IsRegular() || !left(e.Name()) {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > stale {
			_ = root.Remove(e.Name())
		}
	}
}

// enter opens the directory name below root and makes it (0700) where it is
// missing. It takes no link, no directory of another user and none that others
// may write: in those somebody else decides what the names mean.
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

// ownedBy refuses a directory of anybody else, and one that others may write.
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
