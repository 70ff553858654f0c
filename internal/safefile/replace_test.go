// SPDX-License-Identifier: Apache-2.0

package safefile

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// rootOf is an open directory with these files.
func rootOf(t *testing.T, files map[string]string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	for name, text := range files {
		if err := root.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func wantText(t *testing.T, root *os.Root, name, want string) {
	t.Helper()
	if text, err := root.ReadFile(name); err != nil || string(text) != want {
		t.Errorf("%s: %.40q, %v, want %q", name, text, err, want)
	}
}

// A planted file, or a link to one, would have its owner and its other names.
func TestWrite_NeverOverwrites(t *testing.T) {
	root := rootOf(t, map[string]string{"file": "old", "target": "old"})
	if err := errors.Join(root.Symlink("target", "link"), root.Symlink("nowhere", "dangling")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", "link", "dangling"} {
		if err := (New{Data: []byte("new"), Mode: 0o600}).Write(root, name); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantText(t, root, "file", "old")
	wantText(t, root, "target", "old")
	if _, err := root.Lstat("nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it was written through a dangling link: %v", err)
	}
}

func TestWrite_ModeDoesNotDependOnTheUmask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	root := rootOf(t, nil)
	if err := (New{Mode: 0o664}).Write(root, "file"); err != nil {
		t.Fatal(err)
	}
	if info, err := root.Stat("file"); err != nil || info.Mode() != 0o664 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestReplace_FullFileSystemLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8k"); err != nil {
		t.Skipf("cannot mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, 0) })
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	if err := root.WriteFile("file", []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (New{Data: make([]byte, 8192), Mode: 0o644}).Replace(root, "file"); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("%v", err)
	}
	wantText(t, root, "file", "old")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// What was written is on the disk before it has its name, and then the name.
func TestReplace_SyncsTheFileThenItsName(t *testing.T) {
	const inside = "JUSTNEWS_TEST_DIR"
	if dir := os.Getenv(inside); dir != "" { // the traced process
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := (New{Data: []byte("new"), Mode: 0o600, Sync: true}).Replace(root, "file"); err != nil {
			t.Fatal(err)
		}
		return
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("needs strace")
	}
	dir, log := t.TempDir(), filepath.Join(t.TempDir(), "log")
	traced := exec.CommandContext(t.Context(), strace, "-f", "-qq", "-y", "-o", log, "-e", "trace=fsync,renameat,renameat2", os.Args[0], "-test.run=^"+t.Name()+"$")
	traced.Env = append(os.Environ(), inside+"="+dir)
	if out, err := traced.CombinedOutput(); err != nil {
		t.Skipf("cannot trace here: %v\n%s", err, out)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, m := range regexp.MustCompile(`(fsync|rename)\w*\(\d+<([^>]*)>`).FindAllStringSubmatch(string(text), -1) {
		what := "the file"
		if m[2] == dir {
			what = "the directory"
		}
		calls = append(calls, m[1]+" "+what)
	}
	if want := []string{"fsync the file", "rename the directory", "fsync the directory"}; !slices.Equal(calls, want) {
		t.Errorf("%q, want %q\n%s", calls, want, text)
	}
}

func TestOverwrite_LeavesNothingOfALongerFile(t *testing.T) {
	root := rootOf(t, map[string]string{"file": "a longer text"})
	if err := Overwrite(root, "file", []byte("short")); err != nil {
		t.Fatal(err)
	}
	wantText(t, root, "file", "short")
}

// The other name may be in a directory of a user who may not write to the file.
func TestOverwrite_RefusesLinks(t *testing.T) {
	root := rootOf(t, map[string]string{"file": "old"})
	if err := errors.Join(root.Symlink("file", "link"), root.Link("file", "second name")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "second name"} {
		if err := Overwrite(root, name, []byte("new")); err == nil {
			t.Errorf("%s was written to", name)
		}
	}
	wantText(t, root, "file", "old")
}

func TestOverwrite_RefusesAFileThatReplacedTheNamedOne(t *testing.T) {
	root := rootOf(t, map[string]string{"named": "old", "opened": "old"})
	named, err := from(root.Lstat("named"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := root.OpenFile("opened", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := overwrite(f, named, []byte("new")); !errors.Is(err, errReplaced) {
		t.Errorf("%v", err)
	}
	wantText(t, root, "opened", "old")
}

func TestOpenRoot_RefusesLinks(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for path, accepted := range map[string]bool{dir: true, link: false, "/dev/null": false} {
		root, err := OpenRoot(path)
		if (err == nil) != accepted {
			t.Errorf("%s: %v", path, err)
		}
		if err == nil {
			_ = root.Close()
		}
	}
}

func TestEnter_RefusesLinks(t *testing.T) {
	root := rootOf(t, map[string]string{"file": ""})
	if err := errors.Join(root.Mkdir("directory", 0o700), root.Symlink("directory", "link")); err != nil {
		t.Fatal(err)
	}
	for name, accepted := range map[string]bool{"directory": true, "link": false, "file": false} {
		below, err := Enter(root, name)
		if (err == nil) != accepted {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			_ = below.Close()
		}
	}
}

func TestEnter_RefusesADirectoryThatReplacedTheNamedOne(t *testing.T) {
	named, err := Lstat(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	if _, err := entered(other, named, func() (*os.Root, error) { return os.OpenRoot(other) }); !errors.Is(err, errReplaced) {
		t.Errorf("%v", err)
	}
}

// Whoever holds a lease on a file can delay everyone that opens it, by default 45 s.
func TestOpen_DoesNotWaitForTheHolderOfALease(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	holder, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Close() }()
	if _, err := unix.FcntlInt(holder.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		t.Skipf("no leases here: %v", err)
	}
	opened := make(chan error, 1)
	go func() {
		_, err := Open(path, 0)
		opened <- err
	}()
	select {
	case err := <-opened:
		if !errors.Is(err, unix.EAGAIN) {
			t.Errorf("%v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it waits")
	}
}

// Descriptors of secrets, locks and logs stay in this process.
func TestOpen_ChildrenInheritNothing(t *testing.T) {
	root := rootOf(t, map[string]string{"file": "text"})
	path := filepath.Join(root.Name(), "file")
	opened := map[string]func() (interface{ Fd() uintptr }, error){
		"Open":    func() (interface{ Fd() uintptr }, error) { return Open(path, NoFollow) },
		"OpenIn":  func() (interface{ Fd() uintptr }, error) { return OpenIn(root, "file", 0) },
		"OpenDir": func() (interface{ Fd() uintptr }, error) { return OpenDir(root.Name()) },
	}
	for name, open := range opened {
		f, err := open()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("%s: flags %#x, %v", name, flags, err)
		}
	}
}

// A file can grow between the look at its size and the end of reading.
func TestAll_StopsAtItsLimitIfTheFileGrows(t *testing.T) {
	root := rootOf(t, map[string]string{"file": "12345"})
	f, err := OpenIn(root, "file", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := root.WriteFile("file", []byte(strings.Repeat("x", 11)), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := f.All(10); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%q, %v", text, err)
	}
	if text, err := f.All(11); err != nil || len(text) != 11 {
		t.Errorf("%q, %v", text, err)
	}
}
