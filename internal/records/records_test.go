// SPDX-License-Identifier: Apache-2.0

package records

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"justnews/internal/safefile"
)

type history struct {
	Refreshes int      `json:"refreshes"`
	Job       *float64 `json:"job,omitempty"`
}

func state(t *testing.T) State[history] {
	t.Helper()
	return State[history]{Dir: t.TempDir(), Name: "orchestrator-0123456789abcdef", Boot: "boot-1"}
}

func path(s State[history]) string { return filepath.Join(s.Dir, s.file()) }

func TestRecords_SavedRecordIsLoaded(t *testing.T) {
	s := state(t)
	if h, err := s.Load(); err != nil || h != (history{}) {
		t.Fatalf("before the first record: %+v, %v", h, err)
	}
	before := syscall.Umask(0o077)
	defer syscall.Umask(before)
	job := 1795439865.7
	for n := range 3 {
		if err := s.Save(history{Refreshes: n, Job: &job}); err != nil {
			t.Fatal(err)
		}
		if h, err := s.Load(); err != nil || h.Refreshes != n || *h.Job != job {
			t.Errorf("%+v, %v; want %d", h, err, n)
		}
	}
	info, err := os.Stat(path(s))
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	onlyFiles(t, s.Dir, s.file())
}

// onlyFiles fails if anything was left behind.
func onlyFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s holds %v, want %v", dir, got, want)
	}
}

func TestRecords_RecordOfAnotherBootIsIgnored(t *testing.T) {
	s := state(t)
	if err := s.Save(history{Refreshes: 7}); err != nil {
		t.Fatal(err)
	}
	s.Boot = "boot-2"
	if h, err := s.Load(); err != nil || h != (history{}) {
		t.Errorf("another boot: %+v, %v", h, err)
	}
	text := `{"version":2,"something":"new"}`
	if err := os.WriteFile(path(s), []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	if h, err := s.Load(); err != nil || h != (history{}) {
		t.Errorf("another version: %+v, %v", h, err)
	}
}

func TestRecords_InvalidRecordIsAnError(t *testing.T) {
	for what, text := range map[string]string{
		"empty":          "",
		"cut off":        `{"version":1,"boot_id":"boot-1","rec`,
		"an unknown key": `{"version":1,"boot_id":"boot-1","record":{"refreshes":1,"open":true}}`,
		"a wrong type":   `{"version":1,"boot_id":"boot-1","record":{"refreshes":"1"}}`,
		"trailing bytes": `{"version":1,"boot_id":"boot-1","record":{}}{}`,
		"too large":      `{"version":1,"boot_id":"` + strings.Repeat("x", maxState) + `"}`,
	} {
		s := state(t)
		if err := os.WriteFile(path(s), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		if h, err := s.Load(); err == nil {
			t.Errorf("%s: taken as %+v", what, h)
		}
	}
}

// A writer that cannot replace a file writes over it, then cuts it: killed in between, it
// leaves the end of a longer record behind its own, and nobody may read either of them.
func TestRecords_OverwriteThatWasCutOffIsAnError(t *testing.T) {
	s := state(t)
	written := func(h history) string {
		if err := s.Save(h); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path(s))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	old, now := written(history{Refreshes: 1234567}), written(history{Refreshes: 8})
	if len(old) <= len(now) {
		t.Fatalf("%q is not longer than %q", old, now)
	}
	for end := len(now) + 1; end <= len(old); end++ {
		if err := os.WriteFile(path(s), []byte(now+old[len(now):end]), 0o640); err != nil {
			t.Fatal(err)
		}
		if h, err := s.Load(); err == nil && strings.TrimSpace(old[len(now):end]) != "" {
			t.Errorf("%q is taken as %+v", now+old[len(now):end], h)
		}
	}
}

func TestRecords_PlantedFilesAreNeitherReadNorWritten(t *testing.T) {
	for what, plant := range map[string]func(path, victim string) error{
		"a link":      func(path, victim string) error { return os.Symlink(victim, path) },
		"a hard link": func(path, victim string) error { return os.Link(victim, path) },
		"a FIFO":      func(path, _ string) error { return syscall.Mkfifo(path, 0o600) },
		"a directory": func(path, victim string) error {
			return errors.Join(os.Mkdir(path, 0o700), os.Link(victim, filepath.Join(path, "x")))
		},
	} {
		s := state(t)
		victim := filepath.Join(t.TempDir(), "victim")
		const precious = `{"version":1,"boot_id":"boot-1","record":{"refreshes":99}}`
		if err := os.WriteFile(victim, []byte(precious), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := plant(path(s), victim); err != nil {
			t.Fatal(err)
		}
		if h, err := s.Load(); err == nil {
			t.Errorf("%s: read as %+v", what, h)
		}
		if err := s.Save(history{Refreshes: 1}); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if h, err := s.Load(); err != nil || h.Refreshes != 1 {
			t.Errorf("%s: after the save: %+v, %v", what, h, err)
		}
		if text, err := os.ReadFile(victim); err != nil || string(text) != precious {
			t.Errorf("%s: the victim has %q, %v", what, text, err)
		}
	}
	s := state(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(s.Dir, link); err != nil {
		t.Fatal(err)
	}
	s.Dir = link
	if err := s.Save(history{}); err == nil {
		t.Error("saved through a link to a directory")
	}
}

// A record is a request to a unit that runs as long as it exists.
func TestRemove_NothingPlantedStays(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "renew.json")
	for what, plant := range map[string]func() error{
		"nothing":         func() error { return nil },
		"a record":        func() error { return os.WriteFile(path, nil, 0o600) },
		"a link":          func() error { return os.Symlink("/etc/passwd", path) },
		"a directory":     func() error { return os.Mkdir(path, 0o700) },
		"and a full one":  func() error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) },
		"and another one": func() error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) },
	} {
		if err := errors.Join(plant(), Remove(dir, "renew")); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestRecords_WithoutADirectoryNothingIsSaved(t *testing.T) {
	var s State[history]
	if h, err := s.Load(); err != nil || h != (history{}) {
		t.Errorf("%+v, %v", h, err)
	}
	if err := s.Save(history{}); err == nil {
		t.Error("a record was saved nowhere")
	}
	s.Dir = filepath.Join(t.TempDir(), "none")
	if err := s.Save(history{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing directory: %v", err)
	}
}

func TestRecords_ReadersSeeTheOldOrTheNewRecord(t *testing.T) {
	s := state(t)
	if err := s.Save(history{Refreshes: 1}); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for n := range 100 {
				if err := s.Save(history{Refreshes: n + 1}); err != nil {
					t.Error(err)
				}
				if h, err := s.Load(); err != nil || h.Refreshes == 0 {
					t.Errorf("%+v, %v", h, err)
				}
			}
		})
	}
	all.Wait()
	onlyFiles(t, s.Dir, s.file())
}

func TestRecords_DirectoryWithoutRenameIsWrittenInPlace(t *testing.T) {
	dir := t.TempDir()
	root, err := safefile.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	file := filepath.Join(dir, "record.json")
	if err := os.WriteFile(file, []byte("the one before, which is longer"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := safefile.Overwrite(root, "record.json", []byte("new")); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(file); string(got) != "new" {
		t.Errorf("%q, %v", got, err)
	}
	for name, plant := range map[string]func(path string) error{
		"link":    func(path string) error { return os.Symlink("record.json", path) },
		"name":    func(path string) error { return os.Link(file, path) },
		"fifo":    func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"missing": func(string) error { return nil },
	} {
		if err := plant(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if err := safefile.Overwrite(root, name, []byte("planted")); err == nil {
			t.Errorf("%s: written", name)
		}
	}
	if got, err := os.ReadFile(file); string(got) != "new" {
		t.Errorf("%q, %v", got, err)
	}
}
