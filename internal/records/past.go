// SPDX-License-Identifier: Apache-2.0

package records

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"justnews/internal/safefile"
)

// UnitCaches is where systemd creates the cache directories of our units:
// CacheDirectory=justnews/NAME.
const UnitCaches = "/var/cache/justnews"

// maxSummary is the largest summary that is read, in bytes: ours have a few
// thousand, and no string in them is longer than that.
const maxSummary = 1 << 20

// Past is one summary that a run left, read completely but not yet trusted: its
// text still has to be compared with its name and location.
type Past struct {
	Path     string
	Unit     string    // NAME of CacheDirectory=justnews/NAME, "" in the caller's own cache
	Instance string    // by its name; Host for a run for the whole host
	Time     time.Time // when the run began, by its name
	Data     []byte
}

// Unusable is a file or directory that could not be read, or that was not
// written by a run. The error wraps fs.ErrPermission if another user may read
// it.
type Unusable struct {
	Path string
	Err  error
}

// Find reads the summaries of the units, in the cache directories below caches,
// and the caller's own in own; missing directories are not errors. It does not
// follow links or wait for FIFOs, and accepts only regular files with one name
// that belong to the owner of the directory. Summaries are sorted by time,
// newest first.
func Find(caches string, own Dirs) ([]Past, []Unusable) {
	var s search
	s.bad(caches, s.units(caches))
	if path := own.Preflight(); path != "" {
		s.bad(path, s.own(path))
	}
	slices.SortFunc(s.past, func(a, b Past) int {
		return cmp.Or(b.Time.Compare(a.Time), strings.Compare(a.Path, b.Path))
	})
	return s.past, s.unusable
}

// ReadFile reads a summary that a person names, following links, since that is
// what the person asked for. Only its text is known.
func ReadFile(path string) (Past, error) {
	data, err := safefile.Read(path, maxSummary)
	return Past{Path: path, Data: data}, err
}

type search struct {
	past     []Past
	unusable []Unusable
	seen     []fs.FileInfo // directories that were read
}

func (s *search) bad(path string, err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.unusable = append(s.unusable, Unusable{path, err})
	}
}

// units reads <caches>/NAME/preflight. caches must be owned by root or by the
// owner of the tree: its owner decides whose directories are below it.
func (s *search) units(caches string) error {
	root, err := safefile.OpenRoot(caches)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	if err := ownedBy(root, 0, os.Geteuid()); err != nil {
		return err
	}
	entries, err := safefile.ListIn(context.Background(), root, ".", maxEntries)
	if err != nil {
		return err
	}
	for _, e := range entries {
		s.below(root, e.Name())
	}
	return nil
}

func (s *search) below(root *os.Root, unit string) {
	dir := filepath.Join(root.Name(), unit)
	cache, err := safefile.Enter(root, unit)
	if err != nil {
		s.bad(dir, err)
		return
	}
	defer func() { _ = cache.Close() }()
	dir = filepath.Join(dir, "preflight")
	summaries, err := safefile.Enter(cache, "preflight")
	if err != nil {
		s.bad(dir, err)
		return
	}
	defer func() { _ = summaries.Close() }()
	uid, err := ownerOf(cache)
	if err == nil {
		err = ownedBy(summaries, uid)
	}
	if err == nil {
		err = s.read(summaries, dir, unit)
	}
	s.bad(dir, err)
}

// own reads the caller's own directory, unless it was read as a unit's.
func (s *search) own(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, syscall.ENOTDIR) {
		return nil // HOME=/dev/null
	}
	root, err := safefile.OpenRoot(path)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	if info, err := root.Stat("."); err == nil && slices.ContainsFunc(s.seen, func(other fs.FileInfo) bool { return os.SameFile(info, other) }) {
		return nil
	}
	if err := ownedBy(root, os.Geteuid()); err != nil {
		return err
	}
	return s.read(root, path, "")
}

// read reads every summary in a directory, and reports anything else that is
// neither the directory of a latest.json nor a temporary file.
func (s *search) read(root *os.Root, path, unit string) error {
	if info, err := root.Stat("."); err == nil {
		s.seen = append(s.seen, info)
	}
	uid, err := ownerOf(root)
	if err != nil {
		return err
	}
	entries, err := safefile.ListIn(context.Background(), root, ".", maxEntries)
	if err != nil {
		return err
	}
	var found tally
	for _, e := range slices.Backward(entries) { // the newest first
		name := e.Name()
		file := filepath.Join(path, name)
		instance := summaryOf(name)
		switch {
		case e.IsDir() || e.Type().IsRegular() && unfinished(name):
			continue
		case found.full():
			found.ignored++
			continue
		case instance == "":
			found.malformed++
			s.bad(file, errors.New("that is not the name of a summary"))
			continue
		}
		data, err := readOne(root, name, uid)
		if err != nil {
			found.malformed++
			s.bad(file, err)
			continue
		}
		found.files, found.bytes = found.files+1, found.bytes+len(data)
		if len(data) == 0 { // a power failure came before its text
			continue
		}
		began, _ := time.Parse(stamp, name[len("summary_"):len("summary_")+len(stamp)]) // summaryOf has read it
		s.past = append(s.past, Past{Path: file, Unit: unit, Instance: instance, Time: began, Data: data})
	}
	if found.ignored > 0 {
		return fmt.Errorf("%d more files are ignored: runs do not leave that many", found.ignored)
	}
	return nil
}

// tally counts what was read from one directory.
type tally struct{ files, bytes, malformed, ignored int }

// full reports whether no more is read: an agent may fill its directory. Runs
// leave 50 summaries per instance, of a few thousand bytes each.
func (t tally) full() bool { return t.files >= 2000 || t.bytes >= 8<<20 || t.malformed >= 50 }

// readOne reads a regular file with one name that belongs to uid.
func readOne(root *os.Root, name string, uid int) ([]byte, error) {
	f, err := safefile.OpenIn(root, name, safefile.NoFollow|safefile.OneName)
	if errors.Is(err, safefile.ErrNotRegular) {
		return nil, fmt.Errorf("%s is not a regular file with one name", name)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if err := f.Trust(uid); err != nil {
		return nil, fmt.Errorf("%s: %w; its directory belongs to UID %d", name, err, uid)
	}
	return f.All(maxSummary)
}
