// SPDX-License-Identifier: Apache-2.0

package hostlock

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const lockName = "orchestrator-test"

// TestMain lets the test binary be the other processes of a test.
func TestMain(m *testing.M) {
	if role := os.Getenv("HOSTLOCK_ROLE"); role != "" {
		os.Exit(child(role, os.Getenv("HOSTLOCK_DIR")))
	}
	os.Exit(m.Run())
}

// child opens the lock, plays its role, and says on stdout what happened.
func child(role, dir string) int {
	l, err := open(lockName, testPlaces(dir, 0))
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	switch role {
	case "where":
		fmt.Println(l.Shared(), l.Where())
	case "hold":
		ok, err := l.TryExclusive()
		fmt.Println(ok, err)
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent closes it
	case "wait":
		fmt.Println("waiting")
		err := l.WaitShared(context.Background())
		fmt.Println(time.Now().UnixNano(), err)
	}
	return 0
}

// testPlaces is system() with dir for /run/justnews-gate.
func testPlaces(dir string, owner int) []place {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		panic(err)
	}
	return []place{
		{path: dir, shared: true, owners: []int{owner, os.Geteuid()}},
		{path: self, executable: true},
	}
}

// sharedDir is a directory as tmpfiles.d makes it.
func sharedDir(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "justnews-gate")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o770|fs.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	return dir
}

func openIn(t testing.TB, dir string) *Lock {
	t.Helper()
	l, err := open(lockName, testPlaces(dir, os.Geteuid()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Unlock)
	return l
}

// process is a child that speaks line by line.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	stdin io.Closer
	out   *bufio.Reader
}

func start(t testing.TB, role, dir string) *process {
	t.Helper()
	return startCommand(t, exec.Command(os.Args[0]), role, dir)
}

func startCommand(t testing.TB, cmd *exec.Cmd, role, dir string) *process {
	t.Helper()
	cmd.Env = append(os.Environ(), "HOSTLOCK_ROLE="+role, "HOSTLOCK_DIR="+dir)
	cmd.Stderr = os.Stderr
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
	p := &process{t, cmd, stdin, bufio.NewReader(stdout)}
	t.Cleanup(p.kill)
	return p
}

func (p *process) line() string {
	p.t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("the other process ended: %v", err)
	}
	return strings.TrimSpace(line)
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func leads(t testing.TB, l *Lock, want bool) {
	t.Helper()
	if ok, err := l.TryExclusive(); err != nil || ok != want {
		t.Fatalf("TryExclusive: %v, %v; want %v", ok, err, want)
	}
	if l.StillMine() != want {
		t.Fatalf("StillMine: %v, want %v", !want, want)
	}
}
