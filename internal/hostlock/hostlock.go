// SPDX-License-Identifier: Apache-2.0

// Package hostlock elects one leader among the processes of a host by flock(2)
// on a file that is named after what it protects. The kernel releases the lock
// when the leader exits, for any reason, and wakes all waiters. The package
// decides nothing about what the leader does and stores nothing in the file.
//
// Converting a flock is not atomic, so each attempt and each wait opens the
// file again.
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

// SharedDir is shared by the gates of all users: tmpfiles.d creates it with
// mode 3771, root:justnews, and every agent's unit has the group justnews.
const SharedDir = "/run/justnews-gate"

// Lock is the right to lead. The zero value is not usable; use Open.
type Lock struct {
	place place
	name  string

	mu   sync.Mutex
	held *os.File // nil: this process does not lead
}

// Name returns the name of a lock's file, without its suffix: the kind of what
// is protected, and the first 16 hexadecimal digits of the SHA-256 of its name
// (a URL, a directory). Two configurations on one host thus have two locks.
func Name(kind, which string) string {
	sum := sha256.Sum256([]byte(which))
	return kind + "-" + hex.EncodeToString(sum[:8])
}

// Open finds the place of the lock name: /run/justnews-gate; if that is not
// writable $XDG_RUNTIME_DIR/justnews, or /tmp/justnews-UID outside a unit;
// otherwise the executable itself, so that gates exclude each other even if
// none of these exists. Root creates /run/justnews-gate if tmpfiles did not and
// the group justnews exists.
func Open(name string) (*Lock, error) {
	return open(name, system())
}

// OpenIn is Open in dir only, which has to be private to the caller.
func OpenIn(dir, name string) (*Lock, error) {
	return open(name, []place{{path: dir, owners: []int{os.Geteuid()}}})
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

// Shared reports whether the lock is shared with the services' gates: it is in
// /run/justnews-gate.
func (l *Lock) Shared() bool { return l.place.shared }

// Where returns the path of the locked file.
func (l *Lock) Where() string {
	if l.place.executable {
		return l.place.path
	}
	return filepath.Join(l.place.path, l.name)
}

// Dir returns the directory for records for the other gates, "" if the
// executable is the lock.
func (l *Lock) Dir() string {
	if l.place.executable {
		return ""
	}
	return l.place.path
}

// file opens the lock file again.
func (l *Lock) file() (*os.File, error) {
	if l.place.executable {
		return openExecutable(l.place.path)
	}
	return l.place.openIn(l.name)
}

// TryExclusive takes the lead, or returns false if another process has it or a
// waiter is just waking up. It never blocks.
func (l *Lock) TryExclusive() (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != nil {
		if same(l.held, l.Where()) {
			return true, nil
		}
		l.release()
	}
	// The file may be replaced between opening and locking; doing that
	// repeatedly only keeps this process from leading.
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
// waits in the kernel and uses no CPU; all waiters wake together. If ctx ends
// first, one thread stays in the kernel until the leader releases the lock or
// this process ends.
//
// Afterwards the lock is only free for a moment: call TryExclusive again, and
// treat false as "check again", not as "there is a leader".
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
		// Immediately: while it is held no process can lead.
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
// WaitShared it wakes one waiter at a time, for many that each do something
// short in turn. If ctx ends first, one thread stays in the kernel until it
// gets the lock, and then releases it.
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
		_ = f.Close() // replaced while waiting: the lock is worthless
	}
}

// takeTurn waits for the exclusive lock on f. If ctx ends first, f is closed as
// soon as it is locked.
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
			// Release the lock in any case.
			_ = errors.Join(<-woken, f.Close())
		}()
		return ctx.Err()
	}
}

// StillMine reports whether this process leads and its file is still the one
// that others find. It is false once the file was removed or replaced: there
// may then be another leader.
func (l *Lock) StillMine() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held != nil && same(l.held, l.Where())
}

// Unlock releases the lead, if this process has it.
func (l *Lock) Unlock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.release()
}

// release closes the only file description that holds the lock; it is
// close-on-exec, so no child keeps it.
func (l *Lock) release() {
	if l.held != nil {
		_ = l.held.Close()
		l.held = nil
	}
}

// same reports whether path itself, not through a link, is the open file.
func same(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(path)
	return err == nil && os.SameFile(open, named)
}

// flock is flock(2), restarted after a signal.
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
