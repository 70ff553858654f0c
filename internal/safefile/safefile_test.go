// SPDX-License-Identifier: Apache-2.0

package safefile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"justnews/internal/safefile"
	"justnews/test/reference/hang"
)

// within fails the test if f does not return.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s: it does not return", what)
	}
}

// oddities are what other users may put in place of an expected file.
func oddities(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(unix.Mkfifo(at("fifo"), 0o666))
	must(os.Symlink(at("fifo"), at("link to a fifo")))
	must(os.Symlink("/dev/zero", at("link to a device")))
	must(os.Symlink(at("loop"), at("loop")))
	must(os.Mkdir(at("directory"), 0o777))
	listener, err := net.Listen("unix", at("socket"))
	must(err)
	t.Cleanup(func() { _ = listener.Close() })
	sparse, err := os.Create(at("sparse"))
	must(err)
	must(errors.Join(sparse.Truncate(60<<30), sparse.Close()))
	all := map[string]string{}
	for _, name := range []string{"fifo", "link to a fifo", "link to a device", "loop", "directory", "socket", "sparse"} {
		all[name] = at(name)
	}
	return all
}

func TestRead_NeitherBlocksNorFillsMemory(t *testing.T) {
	for name, path := range oddities(t) {
		within(t, name, func() {
			text, err := safefile.Read(path, 1<<20)
			if err == nil || len(text) > 0 {
				t.Errorf("%s: %d bytes, %v", name, len(text), err)
			}
			root, err := os.OpenRoot(filepath.Dir(path))
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = root.Close() }()
			for _, flags := range []safefile.Flags{0, safefile.NoFollow} {
				if text, err := safefile.ReadIn(root, filepath.Base(path), 1<<20, flags); err == nil {
					t.Errorf("%s below a root: %d bytes", name, len(text))
				}
			}
		})
	}
}

func TestRead_AcceptsAFileUpToItsLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, n := range []int{0, 1, 999, 1000, 1001, 3 << 20} {
		want := bytes.Repeat([]byte("x"), n)
		if err := os.WriteFile(path, want, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := safefile.Read(path, int64(n))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d, %v", n, len(got), err)
		}
		if _, err := safefile.Read(path, int64(n)-1); n > 0 && !errors.Is(err, safefile.ErrTooLarge) {
			t.Errorf("%d bytes, one too many: %v", n, err)
		}
	}
	// Files in /proc have the size 0.
	if got, err := safefile.Read("/proc/self/status", 1<<20); err != nil || !strings.HasPrefix(string(got), "Name:") {
		t.Errorf("%q %v", got, err)
	}
}

func TestOpen_RefusesSymbolicAndHardLinksOnRequest(t *testing.T) {
	dir := t.TempDir()
	file, link, second := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "second")
	if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), os.Symlink(file, link), os.Link(file, second)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path  string
		flags safefile.Flags
		ok    bool
	}{
		{file, 0, true},
		{link, 0, true},
		{link, safefile.NoFollow, false},
		{file, safefile.OneName, false},
	} {
		f, err := safefile.Open(c.path, c.flags)
		if (err == nil) != c.ok {
			t.Errorf("%s %d: %v", c.path, c.flags, err)
		}
		if err == nil {
			_ = f.Close()
		}
	}
}

// As Stat, of each kind of file, and also where the directory has another name meanwhile.
func TestStatIn_FollowsNoPath(t *testing.T) {
	odd := oddities(t)
	before := filepath.Dir(odd["fifo"])
	want := map[string]safefile.Info{}
	for name, path := range odd {
		want[name], _ = safefile.Stat(path)
	}
	dir, err := safefile.OpenDir(before)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dir.Close() }()
	after := before + "-renamed"
	if err := os.Rename(before, after); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Rename(after, before) }()
	for name, want := range want {
		got, err := safefile.StatIn(dir, name)
		if name == "loop" || name == "link to a fifo" { // they lead to the old name
			if err == nil {
				t.Errorf("%s: %+v", name, got)
			}
			continue
		}
		if err != nil || got.Mode.IsDir() != want.Mode.IsDir() || got.Mode.IsRegular() != want.Mode.IsRegular() {
			t.Errorf("%s: %+v %v, want %+v", name, got, err, want)
		}
		if got.Mode, want.Mode = 0, 0; got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestTrust_RefusesOtherOwnersAndWritableModes(t *testing.T) {
	mine := safefile.Info{UID: 7, Mode: 0o644}
	if mine.Trust(0, 7) != nil || mine.Trust(0) == nil {
		t.Error("the owner does not decide")
	}
	for _, mode := range []fs.FileMode{0o664, 0o646, 0o666} {
		if (safefile.Info{UID: 7, Mode: mode}).Trust(7) == nil {
			t.Errorf("mode %o is trusted", mode)
		}
	}
}

func TestList_StopsAtItsLimit(t *testing.T) {
	dir := t.TempDir()
	for i := range 3000 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if all, err := safefile.List(t.Context(), dir, 3000); err != nil || len(all) != 3000 {
		t.Errorf("%d entries, %v", len(all), err)
	}
	if all, err := safefile.List(t.Context(), dir, 2999); !errors.Is(err, safefile.ErrTooMany) || len(all) != 2999 {
		t.Errorf("%d entries, %v", len(all), err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := safefile.List(ended, dir, 3000); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for name, path := range oddities(t) {
		within(t, name, func() {
			if _, err := safefile.List(t.Context(), path, 10); (err == nil) != (name == "directory") {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

func TestReplace_ReplacesALinkInsteadOfFollowingIt(t *testing.T) {
	dir, victim := t.TempDir(), filepath.Join(t.TempDir(), "victim")
	if err := errors.Join(os.WriteFile(victim, []byte("old"), 0o600), os.Symlink(victim, filepath.Join(dir, "file"))); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	if err := (safefile.New{Data: []byte("new"), Mode: 0o640, Sync: true}).Replace(root, "file"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(filepath.Join(dir, "file"))
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if old, _ := os.ReadFile(victim); string(old) != "old" {
		t.Error("it was written through the link")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%v", entries)
	}
}

// A file system that never answers holds the thread that asks it, not the caller.
func TestDo_ReturnsAtTheDeadlineOnAHangingFileSystem(t *testing.T) {
	for name, how := range map[string]hang.How{"never reads": hang.Deaf, "reads and never answers": hang.Mute} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			unmount, err := hang.Mount(dir, how)
			if err != nil {
				t.Skip(err)
			}
			defer unmount()
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			within(t, name, func() {
				_, err := safefile.Do(ctx, func() ([]byte, error) { return safefile.Read(filepath.Join(dir, "file"), 10) })
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}
