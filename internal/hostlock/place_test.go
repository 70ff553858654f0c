// SPDX-License-Identifier: Apache-2.0

package hostlock

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestPlace_PlantedLockFileIsNotUsed(t *testing.T) {
	for what, plant := range map[string]func(path, victim string) error{
		"a link":          func(path, victim string) error { return os.Symlink(victim, path) },
		"a dangling link": func(path, victim string) error { return os.Symlink(victim+"-none", path) },
		"a hard link":     func(path, victim string) error { return os.Link(victim, path) },
		"a FIFO":          func(path, _ string) error { return syscall.Mkfifo(path, 0o640) },
		"a directory":     func(path, _ string) error { return os.Mkdir(path, 0o750) },
	} {
		dir := sharedDir(t)
		victim := filepath.Join(t.TempDir(), "victim")
		if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := plant(filepath.Join(dir, lockName+".lock"), victim); err != nil {
			t.Fatal(err)
		}
		l := openIn(t, dir)
		if l.Shared() || l.Dir() != "" {
			t.Errorf("%s: taken as the lock %s", what, l.Where())
		}
		if text, err := os.ReadFile(victim); err != nil || string(text) != "precious" {
			t.Errorf("%s: the victim has %q, %v", what, text, err)
		}
		if _, err := os.Lstat(victim + "-none"); err == nil {
			t.Errorf("%s: a file was made through the link", what)
		}
	}
}

func TestPlace_WritableDirectoryIsNotUsed(t *testing.T) {
	dir := sharedDir(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if l := openIn(t, dir); l.Shared() {
		t.Errorf("a directory for all was taken: %s", l.Where())
	}
	other := place{path: sharedDir(t), shared: true, owners: []int{os.Geteuid() + 1}}
	if l, err := open(lockName, []place{other}); err == nil {
		t.Errorf("another user's directory was taken: %s", l.Where())
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(sharedDir(t), link); err != nil {
		t.Fatal(err)
	}
	if l := openIn(t, link); l.Shared() {
		t.Errorf("a link to a directory was taken: %s", l.Where())
	}
}

func TestPlace_WithoutADirectoryTheExecutableIsTheLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "absent")
	l := openIn(t, dir)
	if l.Shared() || l.Dir() != "" {
		t.Errorf("shared %v, directory %q", l.Shared(), l.Dir())
	}
	leads(t, l, true)
	p := start(t, "hold", dir)
	if got := p.line(); got != "false <nil>" {
		t.Errorf("the second process: %s", got)
	}
}

func TestPlace_ReplacedExecutableIsNotUsed(t *testing.T) {
	if f, err := openExecutable("/bin/sh"); err == nil {
		_ = f.Close()
		t.Error("another file was taken for the running program")
	}
}

// nobody runs the test binary as a user without rights.
func nobody(t *testing.T, role, dir string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	binary := filepath.Join(enterable(t), "hostlock.test")
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(binary, text, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	return startCommand(t, cmd, role, dir).line()
}

// enterable makes a directory that every user can enter.
func enterable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hostlock") //nolint:usetesting // no other user can enter TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestPlace_FallsBackToTheExecutable(t *testing.T) {
	dir := filepath.Join(enterable(t), "justnews-gate")
	for _, mode := range []os.FileMode{0o700, 0o755} { // may not enter; may not write
		if err := os.Mkdir(dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		if got := nobody(t, "where", dir); !strings.HasPrefix(got, "false ") {
			t.Errorf("mode %o: %s", mode, got)
		}
	}
	// Another user created the file before: a lock only needs to read it.
	file := filepath.Join(dir, lockName+".lock")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got, want := nobody(t, "where", dir), "true "+file; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlace_GroupModeIgnoresTheUmask(t *testing.T) {
	before := syscall.Umask(0o077)
	defer syscall.Umask(before)
	l := openIn(t, sharedDir(t))
	info, err := os.Stat(l.Where())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != fileMode {
		t.Errorf("mode %o, want %o", info.Mode().Perm(), fileMode)
	}
}

func TestPlace_InteractiveLockIsPrivate(t *testing.T) {
	runtime := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	places := system()
	private := places[1]
	if private.path != filepath.Join(runtime, "justnews") || private.shared {
		t.Fatalf("second place: %+v", private)
	}
	l, err := open(lockName, []place{private})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(l.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 || l.Shared() {
		t.Errorf("mode %o, shared %v", info.Mode().Perm(), l.Shared())
	}
	if err := os.Chmod(l.Dir(), 0o770); err != nil {
		t.Fatal(err)
	}
	if _, err := l.TryExclusive(); err == nil {
		t.Error("a directory that the group may write was taken")
	}
	t.Setenv("XDG_RUNTIME_DIR", "relative")
	for _, p := range system() {
		if strings.HasPrefix(p.path, "relative") {
			t.Error("a relative XDG_RUNTIME_DIR was taken")
		}
	}
}

func TestPlace_OutsideAUnitTheTemporaryDirectoryComesFirst(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", t.TempDir())
	for _, c := range []struct {
		invocation string
		places     int
	}{{"", 3}, {"00112233445566778899aabbccddeeff", 2}} {
		t.Setenv("INVOCATION_ID", c.invocation)
		places := system()
		if len(places) != c.places || !places[len(places)-1].executable {
			t.Errorf("INVOCATION_ID=%q: %d places, want %d with the executable last", c.invocation, len(places), c.places)
		}
	}
	t.Setenv("INVOCATION_ID", "")
	l, err := open(Name("orchestrator", "url"), system()[1:])
	if err != nil {
		t.Fatal(err)
	}
	if l.Shared() || l.Dir() != filepath.Join(os.TempDir(), "justnews-"+strconv.Itoa(os.Getuid())) {
		t.Errorf("the lock is %s, shared %v", l.Where(), l.Shared())
	}
	info, err := os.Stat(l.Dir())
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v: want a directory for its owner alone", info, err)
	}
}
