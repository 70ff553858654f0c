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
	"time"

	"justnews/internal/safefile"
)

// Host is used instead of an instance for the whole host. An instance with that
// name shares its directory.
const Host = "host"

// keep is how many summaries of one instance are left after pruning.
const keep = 50

// stamp is the time in a summary's name: UTC, so that names sort by time, to
// the microsecond, so that two runs do not collide.
const stamp = "20060102T150405.000000Z"

// Dirs is where a process may write its summaries; Environment fills it.
type Dirs struct {
	Cache string // $CACHE_DIRECTORY: created by systemd for this unit
	XDG   string // $XDG_CACHE_HOME
	Home  string // $HOME
}

// Environment reads Dirs from the environment. The first of several cache
// directories is used; relative paths are ignored (systemd.exec(5), XDG Base
// Directory Specification).
func Environment(getenv func(string) string) Dirs {
	first, _, _ := strings.Cut(getenv("CACHE_DIRECTORY"), ":")
	absolute := func(path string) string {
		if !filepath.IsAbs(path) {
			return ""
		}
		return filepath.Clean(path)
	}
	return Dirs{absolute(first), absolute(getenv("XDG_CACHE_HOME")), absolute(getenv("HOME"))}
}

// Preflight returns the directory of the summaries, "" if there is none.
func (d Dirs) Preflight() string {
	switch {
	case d.Cache != "":
		return filepath.Join(d.Cache, "preflight")
	case d.XDG != "":
		return filepath.Join(d.XDG, "justnews/preflight")
	case d.Home != "":
		return filepath.Join(d.Home, ".cache/justnews/preflight")
	}
	return ""
}

// Write leaves the summary of one run as summary_<time>Z_<instance>.json, the
// same as <instance>/latest.json, and removes the instance's oldest beyond 50.
// It does not wait for the disk, since agents wait for it: a power failure may cost the
// last seconds' summaries, which the next boot replaces.
// Instance "" stands for the host. It returns the path of the summary; also
// with an error if the summary itself was written.
func Write(d Dirs, instance string, now time.Time, summary []byte) (string, error) {
	if instance = cmp.Or(instance, Host); instance != filepath.Base(instance) || strings.HasPrefix(instance, ".") {
		return "", fmt.Errorf("cannot write the summary of %q: not an instance's name", instance)
	}
	root, err := d.open()
	if err != nil {
		return "", fmt.Errorf("cannot write the summary: %w", err)
	}
	defer func() { _ = root.Close() }()
	name, err := writeSummary(root, instance, now.UTC(), summary)
	if err != nil {
		return "", fmt.Errorf("cannot write the summary in %s: %w", root.Name(), err)
	}
	err = errors.Join(writeLatest(root, instance, summary), prune(root, instance, now.UTC()))
	if err != nil {
		err = fmt.Errorf("cannot tidy up after the summary in %s: %w", root.Name(), err)
	}
	return filepath.Join(root.Name(), name), err
}

// open opens the directory of the summaries and creates its missing parts. The
// directory where it starts is created by systemd or owned by the user.
func (d Dirs) open() (*os.Root, error) {
	switch {
	case d.Cache != "":
		return descend(d.Cache, "preflight")
	case d.XDG != "":
		if err := makeOurs(d.XDG); err != nil {
			return nil, err
		}
		return descend(d.XDG, "justnews", "preflight")
	case d.Home == "":
		return nil, errors.New("neither CACHE_DIRECTORY, XDG_CACHE_HOME nor HOME is set")
	}
	// Also if ~/.cache exists: under sudo HOME can be another user's.
	if err := belongsTo(d.Home, os.Geteuid()); err != nil {
		return nil, err
	}
	cache := filepath.Join(d.Home, ".cache")
	if err := makeOurs(cache); err != nil {
		return nil, err
	}
	return descend(cache, "justnews", "preflight")
}

// makeOurs creates a missing cache directory with the mode of the XDG
// specification, but only below a directory owned by us or root, such as a
// pod's volume: under sudo the variables can name another user's directories. A
// directory that another user creates first is rejected because of its owner.
func makeOurs(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := belongsTo(filepath.Dir(path), 0, os.Geteuid()); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// belongsTo follows links, which the owner of the home directory made.
func belongsTo(path string, owners ...int) error {
	info, err := safefile.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode.IsDir() {
		return fmt.Errorf("%s is not a directory", path)
	}
	if !slices.Contains(owners, info.UID) {
		return fmt.Errorf("%s belongs to UID %d, this runs as %d", path, info.UID, os.Geteuid())
	}
	return nil
}

// descend opens base, which has to be ours, and then each name below it. Base is checked
// before, since opening a FIFO would block, and its owner again after opening it.
func descend(base string, names ...string) (*os.Root, error) {
	if err := belongsTo(base, os.Geteuid()); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, err
	}
	uid, err := ownerOf(root)
	if err == nil && uid != os.Geteuid() {
		err = fmt.Errorf("%s belongs to UID %d, this runs as %d", base, uid, os.Geteuid())
	}
	for _, name := range names {
		if err != nil {
			break
		}
		var below *os.Root
		if below, err = enter(root, name); err == nil {
			_ = root.Close()
			root = below
		}
	}
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return root, nil
}

// writeSummary gives each run its own file: two within one microsecond get
// different names.
func writeSummary(root *os.Root, instance string, now time.Time, summary []byte) (string, error) {
	for range 100 {
		name := "summary_" + now.Format(stamp) + "_" + instance + ".json"
		_, err := root.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return name, safefile.New{Data: summary, Mode: 0o600}.Replace(root, name) // prune removes leftovers
		}
		if err != nil {
			return "", err
		}
		now = now.Add(time.Microsecond)
	}
	return "", fs.ErrExist
}

func writeLatest(root *os.Root, instance string, summary []byte) error {
	dir, err := enter(root, instance)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	return replace(dir, "latest.json", summary, 0o600)
}

// ahead is how much later than the run that is written another one may have begun; a later
// time is that of a wrong clock.
const ahead = time.Hour

// prune removes the oldest summaries of an instance, of those that it finds
// within its time limit. First it removes those of a clock that was ahead, which would
// outlive every later one.
func prune(root *os.Root, instance string, now time.Time) error {
	ctx, cancel := context.WithTimeout(context.Background(), tidying)
	defer cancel()
	entries, err := safefile.ListIn(ctx, root, ".", maxEntries)
	if err != nil && ctx.Err() == nil && !errors.Is(err, safefile.ErrTooMany) {
		return err
	}
	// What was found is removed, even if the search took long.
	ctx, cancel = context.WithTimeout(context.Background(), tidying)
	defer cancel()
	sweep(ctx, root, entries, unfinished)
	var past, future []string
	latest := "summary_" + now.Add(ahead).Format(stamp)
	for _, e := range entries {
		switch name := e.Name(); {
		case !e.Type().IsRegular() || summaryOf(name) != instance:
		case name > latest:
			future = append(future, name)
		default:
			past = append(past, name)
		}
	}
	slices.Sort(past)
	names := append(future, past...)
	var errs []error
	for _, name := range names[:max(len(names)-keep, 0)] {
		if ctx.Err() != nil {
			break
		}
		// Another gate may have been faster.
		if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// unfinished reports whether a name is that of an unfinished summary: each run
// has its own name, so no later run replaces it.
func unfinished(name string) bool {
	at := strings.LastIndexByte(name, '.')
	return at > 0 && name[0] == '.' && summaryOf(name[1:at]) != "" && safefile.IsTemporary(name[:at+1], name)
}

// summaryOf returns the instance of a summary by its file name, "" for other
// files.
func summaryOf(name string) string {
	rest, ok := strings.CutPrefix(name, "summary_")
	if !ok || len(rest) <= len(stamp) || rest[len(stamp)] != '_' {
		return ""
	}
	if _, err := time.Parse(stamp, rest[:len(stamp)]); err != nil {
		return ""
	}
	instance, ok := strings.CutSuffix(rest[len(stamp)+1:], ".json")
	if !ok {
		return ""
	}
	return instance
}
