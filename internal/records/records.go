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
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"justnews/internal/safefile"
)

// replace writes a file atomically, and removes what killed writers left. A
// group-writable file that cannot be replaced is written in place: another
// user's in a sticky directory, or one in a full directory.
func replace(root *os.Root, name string, data []byte, mode fs.FileMode) error {
	defer sweepTemporary(root, name) // after the file: a directory with many entries takes time
	file := safefile.New{Data: data, Mode: mode}
	err := file.Replace(root, name)
	if err == nil || mode&0o020 == 0 {
		return err
	}
	if moveAside(root, name) {
		return file.Replace(root, name)
	}
	if e := safefile.Overwrite(root, name, data); e != nil {
		return errors.Join(err, e)
	}
	return nil
}

// moveAside renames a directory, which no file can replace: any member of the group can
// make one. Its content may be anything, so that it is not removed.
func moveAside(root *os.Root, name string) bool {
	info, err := root.Lstat(name)
	return err == nil && info.IsDir() && root.Rename(name, name+".moved."+strconv.FormatInt(time.Now().UnixNano(), 36)) == nil
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
// can write to, since they control the names there.
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

// stateVersion is that of the envelope and of T together: a change of either
// changes it, and other versions of the gate then ignore the record.
const stateVersion = 1

// maxState is the largest record that is read, in bytes.
const maxState = 64 << 10

// State is a record of type T in a file next to a lock, which the gates of a
// host share. Whoever can write to the directory can write the record, so it
// must only ever delay a gate, never open one.
type State[T any] struct {
	// Dir is the directory of the lock, "" if there is none: then nothing can
	// be saved.
	Dir string
	// Name is that of the lock, without a suffix.
	Name string
	// Boot identifies this boot: records of other boots are ignored.
	Boot string
}

type envelope[T any] struct {
	Version int    `json:"version"`
	Boot    string `json:"boot_id"`
	Record  T      `json:"record"`
}

// Load returns the record. The zero T without an error means that there is
// none: no file, another version, another boot. A file that is not one of
// ours (a link, a device, too large, not JSON, an unknown key) is an error.
func (s State[T]) Load() (T, error) {
	var none T
	if s.Dir == "" {
		return none, nil
	}
	data, err := s.read()
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return none, fmt.Errorf("cannot read the record: %w", err)
	}
	// The version first: other versions may have another format.
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return none, fmt.Errorf("cannot read the record %s: %w", s.file(), err)
	}
	if head.Version != stateVersion {
		return none, nil
	}
	var e envelope[T]
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return none, fmt.Errorf("cannot read the record %s: %w", s.file(), err)
	}
	if e.Boot != s.Boot {
		return none, nil
	}
	return e.Record, nil
}

// Save replaces the record; readers see the old or the new one. The file is
// 0660, its group that of the directory: gates of all users write it.
func (s State[T]) Save(record T) error {
	if s.Dir == "" {
		return errors.New("cannot save the record: no directory is shared")
	}
	data, err := json.Marshal(envelope[T]{stateVersion, s.Boot, record})
	if err != nil {
		return fmt.Errorf("cannot save the record: %w", err)
	}
	if len(data) > maxState {
		return fmt.Errorf("cannot save the record: %d bytes, at most %d", len(data), maxState)
	}
	root, err := safefile.OpenRoot(s.Dir)
	if err != nil {
		return fmt.Errorf("cannot save the record: %w", err)
	}
	defer func() { _ = root.Close() }()
	if err := replace(root, s.file(), append(data, '\n'), 0o660); err != nil {
		return fmt.Errorf("cannot save the record in %s: %w", s.Dir, err)
	}
	return nil
}

// Remove removes a shared record, and moves aside what cannot be removed.
func Remove(dir, name string) error {
	root, err := safefile.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("cannot remove the record: %w", err)
	}
	defer func() { _ = root.Close() }()
	name += ".json"
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) && !moveAside(root, name) {
		return fmt.Errorf("cannot remove the record %s: %w", name, err)
	}
	return nil
}

func (s State[T]) file() string { return s.Name + ".json" }

// read returns the content of a regular file with one name. It neither follows
// a link nor waits for a FIFO.
func (s State[T]) read() ([]byte, error) {
	root, err := safefile.OpenRoot(s.Dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	// It does not matter if it has been replaced since: a replaced file has no
	// name left.
	f, err := safefile.OpenIn(root, s.file(), safefile.NoFollow)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if f.Links > 1 {
		return nil, fmt.Errorf("%s has %d names", s.file(), f.Links)
	}
	return f.All(maxState)
}
