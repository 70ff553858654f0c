// SPDX-License-Identifier: Apache-2.0

package hostlock

import (
	"context"
	"errors"
	"os"
	"testing"
)

func TestLock_OneProcessLeadsAtATime(t *testing.T) {
	dir := sharedDir(t)
	l := openIn(t, dir)
	leads(t, l, true)
	leads(t, l, true) // asked again
	p := start(t, "hold", dir)
	if got := p.line(); got != "false <nil>" {
		t.Errorf("the second process: %s", got)
	}
	l.Unlock()
	leads(t, openIn(t, dir), true)
}

func TestLock_TwoLocksOfOneProcessExcludeEachOther(t *testing.T) {
	dir := sharedDir(t)
	a, b := openIn(t, dir), openIn(t, dir)
	leads(t, a, true)
	leads(t, b, false)
	a.Unlock()
	leads(t, b, true)
	leads(t, a, false)
}

func TestLock_KilledLeaderHandsOverAtOnce(t *testing.T) {
	dir := sharedDir(t)
	leader := start(t, "hold", dir)
	if got := leader.line(); got != "true <nil>" {
		t.Fatalf("the leader: %s", got)
	}
	l := openIn(t, dir)
	leads(t, l, false)
	woken := make(chan error, 1)
	go func() { woken <- l.WaitShared(t.Context()) }()
	if err := leader.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-woken; err != nil {
		t.Fatal(err)
	}
	leads(t, l, true)
}

func TestLock_WaitEndsWithItsContext(t *testing.T) {
	dir := sharedDir(t)
	leader := openIn(t, dir)
	leads(t, leader, true)
	waiter := openIn(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	woken := make(chan error, 1)
	go func() { woken <- waiter.WaitShared(ctx) }()
	awaitWaiters(t, leader.Where(), 1)
	cancel()
	if err := <-woken; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := waiter.WaitShared(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that had ended: %v", err)
	}
}

func TestLock_RemovedOrReplacedFileIsNoticed(t *testing.T) {
	dir := sharedDir(t)
	for what, spoil := range map[string]func(path string) error{
		"removed": os.Remove,
		"replaced": func(path string) error {
			return errors.Join(os.WriteFile(path+"2", nil, 0o640), os.Rename(path+"2", path))
		},
		"a link": func(path string) error {
			return errors.Join(os.Rename(path, path+"3"), os.Symlink(path+"3", path))
		},
	} {
		l := openIn(t, dir)
		leads(t, l, true)
		if err := spoil(l.Where()); err != nil {
			t.Fatal(err)
		}
		if l.StillMine() {
			t.Errorf("%s: not noticed", what)
		}
		_ = os.Remove(l.Where())
		leads(t, openIn(t, dir), true) // another leads already
		leads(t, l, false)             // and this one does not believe that it still does
		_ = os.Remove(l.Where())
	}
}

func TestLock_ReplacedDirectoryIsNoticed(t *testing.T) {
	dir := sharedDir(t)
	l := openIn(t, dir)
	leads(t, l, true)
	if err := errors.Join(os.Rename(dir, dir+"2"), os.Mkdir(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	if l.StillMine() {
		t.Error("not noticed")
	}
	leads(t, l, true) // in the new one
}

func TestLock_NameDependsOnWhatIsProtected(t *testing.T) {
	a := Name("orchestrator", "http://127.0.0.1:8014")
	// printf http://127.0.0.1:8014 | sha256sum | head -c 16
	if want := "orchestrator-c7b17f09c72e6bdc"; a != want {
		t.Errorf("got %q, want %q", a, want)
	}
	if a == Name("orchestrator", "http://127.0.0.1:8015") || a == Name("mps", "http://127.0.0.1:8014") {
		t.Error("two things have one lock")
	}
}
