// SPDX-License-Identifier: Apache-2.0

// Package process protects the process: other processes of its user can neither
// read nor trace it, it ends in time whatever hangs, and it terminates by a
// signal if it crashes, or if it refuses and cannot know which exit statuses
// systemd treats as success. It does not choose exit statuses.
package process

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Began is when this process started. Deadlines count from it.
var Began = time.Now() // there is one process, and it started once

// Unlisted is a signal that SuccessExitStatus= cannot list: systemd knows
// signals by their names in the C library, which reserves the first of the
// kernel's real-time signals for itself, and a number there is an exit status.
// The Go runtime keeps its default disposition, which ends the process.
const Unlisted = syscall.Signal(32)

// Protect must be called first in main. From then on no process of the same
// user can trace this one or open its memory and descriptors, even if the
// program's file is readable (one that is not is protected from its first
// instruction: execve(2) makes its process undumpable). A crash of the Go
// runtime is then a SIGABRT, whatever GOTRACEBACK is set to, not exit status 2.
func Protect() {
	debug.SetTraceback("crash")
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // cannot fail on Linux
}

// Kill ends this process by a signal. It only returns if the kernel does not
// deliver it: to the first process of a PID namespace.
func Kill(s syscall.Signal) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const sigsetSize = 8
	var byDefault [4]uint64                                                                                                 // struct sigaction with SIG_DFL
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&byDefault)), 0, sigsetSize, 0, 0) //nolint:gosec // a system call
	var set unix.Sigset_t
	set.Val[0] = 1 << (s - 1)
	_ = unix.PthreadSigmask(unix.SIG_UNBLOCK, &set, nil)
	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), s)
	_ = unix.Kill(unix.Getpid(), unix.SIGKILL) // only reached by a namespace's first process
}

// OffMain calls f on another thread than its caller's, which must be locked to
// the process's first thread (by runtime.LockOSThread in an init function). The
// kernel delivers signals to the first thread; if that is blocked by a file
// system that never responds, no other thread receives them.
func OffMain[T any](f func() T) T {
	done := make(chan T, 1)
	go func() { done <- f() }()
	return <-done
}

// Groups returns the path components of this process's control groups if
// systemd itself started it. It asks the kernel, so no environment file can
// make the gate of a unit appear to be run by hand. A process started by
// a unit's own processes has another parent.
func Groups() []string {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	return groupsOf(os.Getppid(), string(groups))
}

// groupsOf reads /proc/PID/cgroup. A parent of 0 is outside the unit's own PID
// namespace.
func groupsOf(parent int, groups string) []string {
	if parent > 1 {
		return nil
	}
	return strings.FieldsFunc(groups, func(r rune) bool { return r == '/' || r == '\n' })
}

// Ended is the cause of a context that a signal has ended.
type Ended struct{ By os.Signal }

// Error returns the name of the signal.
func (e Ended) Error() string { return e.By.String() + " signal received" }

// UntilSignal returns a context that ends with the first of the signals, and a
// function that stops listening.
func UntilSignal(ctx context.Context, signals ...os.Signal) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	received := make(chan os.Signal, 1)
	signal.Notify(received, signals...)
	go func() {
		select {
		case s := <-received:
			cancel(Ended{s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { signal.Stop(received); cancel(nil) }
}
