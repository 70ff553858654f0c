// SPDX-License-Identifier: Apache-2.0

// Package hostlock elects one leader among the processes of a host by flock(2)
// on a file that is named by what it protects. The kernel gives the lock back
// when the leader dies, however it dies, and wakes all who wait. The package
// decides nothing about what the leader does and stores nothing in the file.
//
// Converting a flock is not atomic, so nothing is converted: each attempt and
// each wait opens the file anew.
package hostlock

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// SharedDir is where gates of all users meet: tmpfiles.d makes it 3771
// root:justnews, and every agent's unit has the group justnews.
const SharedDir = "/run/justnews-gate"

// Lock is the right to lead. The zero value is of no use: Open makes them.
type Lock struct {
	place place
	name  string

	mu   sync.Mutex
	held *os.File // nil: this process does not lead
}

// Name returns the name of a lock's file, without its suffix: what is
// protected, and the first 16 hexadecimal digits of the SHA-256 of which one
// (a URL, a directory). Two configurations on one host so have two locks.
func Name(kind, which string) string {
	sum := sha256.Sum256([]byte(which))
	return kind + "-" + hex.EncodeToString(sum[:8])
}

// Open finds the place of the lock name: /run/justnews-gate; for who may not
// write there $XDG_RUNTIME_DIR/justnews, or /tmp/justnews-UID outside a unit;
// else the executable itself, so that gates exclude each other even where none
// of these exists. Root makes
// /run/justnews-gate where tmpfiles did not and there is a group justnews.
func Open(name string) (*Lock, error) {
	return open(name, system())
}

func open(name string, candidates []place) (*Lock, error) {
	var errs []error
	for _, p := range candidates {
		l := &Lock{place: p, name: name + ".lock"}
		f, err := l.file()
		if err == nil {
			_ = f.Close()
			return l, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("cannot open a lock: %w", errors.Join(errs...))
}

// Shared reports whether the lock excludes the services' gates: it lies in
// /run/justnews-gate.
func (l *Lock) Shared() bool { return l.place.shared }

// Where returns the path of the file that is locked.
func (l *Lock) Where() string {
	if l.place.executable {
		return l.place.path
	}
	return filepath.Join(l.place.path, l.name)
}

// Dir returns the directory in which records for the other gates belong, ""
// where the executable is the lock.
func (l *Lock) Dir() string {
	if l.place.executable {
		return ""
	}
	return l.place.path
}

// file opens the locked file afresh.
func (l *Lock) file() (*os.File, error) {
	if l.place.executable {
		return openExecutable(l.place.path)
	}
	return l.place.openIn(l.name)
}

// TryExclusive takes the lead, or returns false where another process has it
// or a waiter is just waking up. It never blocks.
func (l *Lock) TryExclusive() (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != nil {
		if same(l.held, l.Where()) {
			return true, nil
		}
		l.release()
	}
	// The file may be replaced between the opening and the locking; whoever
	// does that again and again only keeps this process from leading.
	for range 3 {
		f, err := l.file()
		if err != nil {
			return false, fmt.Errorf("cannot take the lock: %w", err)
		}
		switch err := flock(f, syscall.LOCK_EX|syscall.LOCK_NB); {
		case errors.Is(err, syscall.EWOULDBLOCK):
			_ = f.Close()
			return false, nil
		case err != nil:
			_ = f.Close()
			return false, fmt.Errorf("cannot take the lock %s: %w", l.Where(), err)
		case same(f, l.Where()):
			l.held = f
			return true, nil
		}
		_ = f.Close()
	}
	return false, nil
}

// WaitShared returns nil once no process leads any more, or ctx's error. It
// waits inside the kernel and burns no CPU; all who wait wake together. When
// ctx ends first one thread stays in the kernel until the leader lets go or
// this process ends.
//
// After it the lead is free for a moment only: call TryExclusive again, and
// take false for "look once more", not for "there is a leader".
func (l *Lock) WaitShared(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := l.file()
	if err != nil {
		return fmt.Errorf("cannot wait for the lock: %w", err)
	}
	woken := make(chan error, 1)
	go func() {
		err := flock(f, syscall.LOCK_SH)
		// At once: as long as it is held nobody can lead.
		_ = f.Close()
		woken <- err
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-woken:
		if err != nil {
			return fmt.Errorf("cannot wait for the lock %s: %w", l.Where(), err)
		}
		return nil
	}
}

// Take waits until this process leads, or returns ctx's error. Unlike
// WaitShared it wakes one waiter at a time, so that many can each do something
// short in turn. When ctx ends first, one thread stays in the kernel until the
// turn comes, and then gives it back.
func (l *Lock) Take(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := l.file()
		if err != nil {
			return fmt.Errorf("cannot take the lock: %w", err)
		}
		if err := takeTurn(ctx, f); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("cannot take the lock %s: %w", l.Where(), err)
		}
		if same(f, l.Where()) {
			l.mu.Lock()
			l.release()
			l.held = f
			l.mu.Unlock()
			return nil
		}
		_ = f.Close() // replaced while waiting: the turn is worth nothing
	}
}

// takeTurn waits for the exclusive lock on f. When ctx ends first f is closed
// as soon as the lock comes.
func takeTurn(ctx context.Context, f *os.File) error {
	woken := make(chan error, 1)
	go func() { woken <- flock(f, syscall.LOCK_EX) }()
	select {
	case err := <-woken:
		if err != nil {
			_ = f.Close()
		}
		return err
	case <-ctx.Done():
		go func() {
			// Whatever came of it, the turn is given back.
			_ = errors.Join(<-woken, f.Close())
		}()
		return ctx.Err()
	}
}

// StillMine reports whether this process leads and the file it holds is still
// the one that others find. It is false once somebody removed or replaced the
// file: another leader is then possible.
func (l *Lock) StillMine() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held != nil && same(l.held, l.Where())
}

// Unlock lets go of the lead; without it nothing happens.
func (l *Lock) Unlock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.release()
}

// release closes the one description that holds the lock; it is close-on-exec,
// so no child keeps it.
func (l *Lock) release() {
	if l.held != nil {
		_ = l.held.Close()
		l.held = nil
	}
}

// same reports whether path itself, no link, names the open file.
func same(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(path)
	return err == nil && os.SameFile(open, named)
}

// flock is flock(2), begun again after a signal.
func flock(f *os.File, how int) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) {
		for {
			failed = syscall.Flock(int(fd), how)
			if !errors.Is(failed, syscall.EINTR) {
				return
			}
		}
	})
	return errors.Join(err, failed)
}
