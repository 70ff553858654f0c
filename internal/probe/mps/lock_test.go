// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"justnews/internal/facts"
)

// TestMain lets the test binary be the other processes of a test.
func TestMain(m *testing.M) {
	if role := os.Getenv("MPS_ROLE"); role != "" {
		os.Exit(child(role, os.Getenv("MPS_PATH")))
	}
	os.Exit(m.Run())
}

// child plays its role on path, says on stdout what came out, and stays until
// its stdin is closed.
func child(role, path string) int {
	held := unix.Flock_t{Type: unix.F_WRLCK}
	switch role {
	case "hold", "hold and be busy", "hold for its open file":
		command := map[string]int{"hold": unix.F_SETLK, "hold and be busy": unix.F_SETLK}[role]
		if command == 0 {
			command = unix.F_OFD_SETLK
		}
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if err == nil {
			err = unix.FcntlFlock(f.Fd(), command, &held)
		}
		fmt.Println(err)
		if role == "hold and be busy" {
			go func() {
				for n := 0; ; n++ {
					runtime.KeepAlive(n)
				}
			}()
		}
	case "look":
		m := Prober{PipeDirectory: path}.Look()
		fmt.Printf("blocked %q, exists %v, lock %v %v %q\n", m.Directory.Blocked, m.Directory.Exists, m.Lock.Exists, m.Lock.Held, m.Lock.Err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// play starts a child and returns what it said.
func play(t *testing.T, cmd *exec.Cmd, role, path string) (said string, end func()) {
	t.Helper()
	cmd.Env = append(os.Environ(), "MPS_ROLE="+role, "MPS_PATH="+path)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(end)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the other process ended: %v", err)
	}
	return strings.TrimSpace(line), end
}

func TestLock_ReportsWhetherItsHolderRuns(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, lockName)
	p := Prober{PipeDirectory: dir}
	if l := p.Look().Lock; l != (facts.MPSLock{}) {
		t.Errorf("nobody has made it: %+v", l)
	}
	cmd := exec.Command(os.Args[0])
	said, end := play(t, cmd, "hold", path)
	if said != "<nil>" {
		t.Fatal(said)
	}
	m := p.Look()
	if m.Lock != (facts.MPSLock{Exists: true, Held: true, PID: cmd.Process.Pid}) {
		t.Errorf("held by %d: %+v", cmd.Process.Pid, m.Lock)
	}
	// Whatever its name: whether it is a control daemon is judged elsewhere.
	if m.Daemon == nil || m.Daemon.PID != cmd.Process.Pid || m.Daemon.UID != os.Geteuid() || filepath.Base(m.Daemon.Exe) != filepath.Base(os.Args[0]) {
		t.Errorf("its holder: %+v", m.Daemon)
	}
	end()
	if m := p.Look(); m.Lock != (facts.MPSLock{Exists: true}) || m.Daemon != nil {
		t.Errorf("its holder was killed: %+v, %+v", m.Lock, m.Daemon)
	}
}

func TestLock_OpenFileDescriptionLockIsNotADaemons(t *testing.T) {
	path := filepath.Join(t.TempDir(), lockName)
	if said, _ := play(t, exec.Command(os.Args[0]), "hold for its open file", path); said != "<nil>" {
		t.Fatal(said)
	}
	if l := lock(path); l.Held || !l.Exists || !strings.Contains(l.Err, "F_OFD_SETLK") {
		t.Errorf("%+v", l)
	}
}

func TestLock_PlantedFileIsNotALock(t *testing.T) {
	for what, plant := range map[string]func(path string) error{
		"a FIFO":          func(path string) error { return syscall.Mkfifo(path, 0o666) },
		"a directory":     func(path string) error { return os.Mkdir(path, 0o755) },
		"a link":          func(path string) error { return os.Symlink("/etc/passwd", path) },
		"a dangling link": func(path string) error { return os.Symlink("/nowhere", path) },
	} {
		path := filepath.Join(t.TempDir(), lockName)
		if err := plant(path); err != nil {
			t.Fatal(err)
		}
		if l := lock(path); !l.Exists || l.Held || l.Err == "" {
			t.Errorf("%s: %+v", what, l)
		}
	}
}

func TestLock_DirectoryIsSeenAsTheCallerSeesIt(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	if d := directory(dir); !d.Exists || !d.IsDir || d.Blocked != "" || d.UID != os.Geteuid() || d.Mode&0o700 != 0o700 {
		t.Errorf("%+v", d)
	}
	if d := directory(file); !d.Exists || d.IsDir || d.Mode != 0o640 {
		t.Errorf("a file: %+v", d)
	}
	if d := directory(filepath.Join(dir, "none", "at", "all")); d != (facts.Directory{}) {
		t.Errorf("nothing there: %+v", d)
	}
}

// another is the test binary as a user without rights.
func another(t *testing.T) *exec.Cmd {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(open(t), "mps.test")
	if err := os.WriteFile(binary, text, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	return cmd
}

// open makes a directory that every user can enter.
func open(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mps") //nolint:usetesting // no other user can enter TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLock_FirstDeniedDirectoryIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		above, own, lock os.FileMode
		want             func(parent string) string
	}{
		"open": {0o755, 0o755, 0o644, func(string) string { return `blocked "", exists true, lock true false ""` }},
		"closed itself": {0o755, 0o700, 0o644, func(parent string) string {
			return fmt.Sprintf(`blocked %q, exists true, lock true false "open %s: permission denied"`, parent+"/pipe", parent+"/pipe/control_lock")
		}},
		"closed above": {0o700, 0o755, 0o644, func(parent string) string {
			return fmt.Sprintf(`blocked %q, exists false, lock true false "open %s: permission denied"`, parent, parent+"/pipe/control_lock")
		}},
		"a lock that may not be read": {0o755, 0o755, 0o600, func(parent string) string {
			return fmt.Sprintf(`blocked "", exists true, lock true false "open %s: permission denied"`, parent+"/pipe/control_lock")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := another(t)
			parent := filepath.Join(open(t), "above")
			pipe := filepath.Join(parent, "pipe")
			for _, dir := range []string{parent, pipe} {
				if err := os.Mkdir(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(pipe, lockName), nil, c.lock); err != nil {
				t.Fatal(err)
			}
			for dir, mode := range map[string]os.FileMode{parent: c.above, pipe: c.own} {
				if err := os.Chmod(dir, mode); err != nil {
					t.Fatal(err)
				}
			}
			if got, _ := play(t, cmd, "look", pipe); got != c.want(parent) {
				t.Errorf("got  %s\nwant %s", got, c.want(parent))
			}
		})
	}
}

func TestLock_SocketBelongsToTheOwnerOfItsFile(t *testing.T) {
	dir := t.TempDir()
	p := Prober{PipeDirectory: dir}
	path := filepath.Join(dir, controlName)
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if m := p.Look(); m.Socket {
		t.Error("a file passes for a socket")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 1); err != nil {
		t.Fatal(err)
	}
	if m := p.Look(); !m.Socket || m.SocketUID != os.Geteuid() || m.Listeners != 1 {
		t.Errorf("%+v", m)
	}
	// Processes that outlive the daemon.
	if err := unix.Close(fd); err != nil {
		t.Fatal(err)
	}
	if m := p.Look(); !m.Socket || m.Listeners != 0 {
		t.Errorf("a leftover: %+v", m)
	}
}
