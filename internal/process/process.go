// SPDX-License-Identifier: Apache-2.0

// Package process is what a program of ours is to the kernel and to systemd: a
// process that others of its user can neither read nor trace, that ends in time
// whatever hangs, and whose crash, or whose refusal where nobody can say what
// systemd takes for success, is a signal. It decides on no exit status.
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

// Unlisted is a signal that no SuccessExitStatus= can list: systemd knows signals
// by the names of the C library, which keeps the first of the kernel's real-time
// signals to itself. A number there is an exit status. The Go runtime leaves its
// default disposition alone: it ends the process.
const Unlisted = syscall.Signal(32)

// Protect is for the first line of main. From then on no process of the same
// user can trace this one or open its memory and descriptors, also where the
// program's file can be read (one that can't is protected from its first
// instruction: execve(2) makes its process undumpable). And a crash of the Go
// runtime is a SIGABRT, whatever GOTRACEBACK says, not exit status 2.
func Protect() {
	debug.SetTraceback("crash")
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // cannot fail on Linux
}

// Kill ends this process by a signal. It returns only where the kernel delivers
// none: to the first process of a PID namespace.
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
	_ = unix.Kill(unix.Getpid(), unix.SIGKILL) // never reached, but for a namespace's first process
}

// OffMain calls f on other threads than the one that calls OffMain, which has to be
// locked to the process's first (in an init function: runtime.LockOSThread). The
// kernel gives a signal to the first thread; where that waits for a file system
// that never answers, no other thread gets to see it.
func OffMain[T any](f func() T) T {
	done := make(chan T, 1)
	go func() { done <- f() }()
	return <-done
}

// Groups returns the names on the way to this process's control groups, where
// systemd itself started it. It asks the kernel: whatever an environment file
// sets, the gate of a unit can't be made to take itself for a run by hand. What a
// unit's own processes start has another parent.
func Groups() []string {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	return groupsOf(os.Getppid(), string(groups))
}

// groupsOf reads /proc/PID/cgroup. A parent of 0 is one outside of a PID namespace
// that is the unit's own.
func groupsOf(parent int, groups string) []string {
	if parent > 1 {
		return nil
	}
	return strings.FieldsFunc(groups, func(r rune) bool { return r == '/' || r == '\n' })
}

// Ended is the cause of a context that a signal has ended.
type Ended struct{ By os.Signal }

// Error names the signal.
func (e Ended) Error() string { return e.By.String() + " signal received" }

// UntilSignal returns a context that ends with the first of the signals, and what
// ends the listening.
func UntilSignal(ctx context.Context, signals ...os.Signal) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, signals...)
	go func() {
		select {
		case s := <-heard:
			cancel(Ended{s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { signal.Stop(heard); cancel(nil) }
}
