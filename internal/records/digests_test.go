// SPDX-License-Identifier: Apache-2.0

package records

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

func TestTheSharedDigestsAreMadeForTheGroupToRead(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		root, err := SharedDigests(dir, os.Geteuid())
		if err != nil {
			t.Fatal(err)
		}
		info, err := root.Stat(".")
		if err != nil || info.Mode().Perm() != 0o750 {
			t.Errorf("%v %v", info.Mode(), err)
		}
		_ = root.Close()
	}
	if _, err := SharedDigests(dir, os.Geteuid()+1); err == nil {
		t.Error("made another user's")
	}
	if _, err := SharedDigests(filepath.Join(dir, "none"), os.Geteuid()); err == nil {
		t.Error("made the directory above")
	}
}

func TestPlantedDigestsAreNotBelieved(t *testing.T) {
	for name, plant := range map[string]func(path string) error{
		"a link":             func(path string) error { return os.Symlink(t.TempDir(), path) },
		"a file":             func(path string) error { return os.WriteFile(path, nil, 0o644) },
		"writable by others": func(path string) error { return errors.Join(os.Mkdir(path, 0o750), os.Chmod(path, 0o777)) },
		"another's": func(path string) error {
			if os.Geteuid() != 0 {
				return os.WriteFile(path, nil, 0o644) // only root can give a directory away
			}
			return errors.Join(os.Mkdir(path, 0o750), os.Chown(path, 4242, -1))
		},
	} {
		dir := t.TempDir()
		if err := plant(filepath.Join(dir, "digests-"+strconv.Itoa(os.Geteuid()))); err != nil {
			t.Fatal(err)
		}
		if root, err := SharedDigests(dir, os.Geteuid()); err == nil {
			t.Errorf("%s: opened", name)
			_ = root.Close()
		}
	}
}

func TestTheOwnDigestsLieBesideTheSummaries(t *testing.T) {
	for _, d := range []Dirs{{Cache: t.TempDir()}, {XDG: t.TempDir()}, {Home: t.TempDir()}} {
		root, err := d.Digests()
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(filepath.Dir(d.Preflight()), "digests"); root.Name() != want {
			t.Errorf("%s, want %s", root.Name(), want)
		}
		_ = root.Close()
	}
	if _, err := (Dirs{}).Digests(); err == nil {
		t.Error("no place at all, and no error")
	}
}
