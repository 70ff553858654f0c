// SPDX-License-Identifier: Apache-2.0

package process

import (
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// How long after its deadline, and after a termination signal, the Watchdog
// ends a process.
const (
	Overrun = 450 * time.Millisecond
	OnTerm  = 900 * time.Millisecond
)

const (
	lastWords = 200 * time.Millisecond // for Report, before End
	// The kernel's own timers end what the Go scheduler cannot: a program whose
	// only processor is blocked by a fork that waits for a file system, or one
	// that was stopped by SIGSTOP, which only SIGKILL ends.
	kernelSignal = 50 * time.Millisecond
	kernelKill   = 250 * time.Millisecond
)

// Watchdog ends this process if it does not end in time. It depends on nothing that may hang.
// A nil Watchdog does nothing.
type Watchdog struct {
	// Report reports and records what hung. It may block, since nothing waits
	// for it.
	Report func(doing Doing)
	// End ends the process.
	End func()

	mu     sync.Mutex
	timers [2]*time.Timer
	kernel [2]kernelTimer
	end    time.Time
	doing  Doing
	asked  bool // by a signal: its deadline is final
}

// Until sets the deadline of the process, which must end at most Overrun later.
func (w *Watchdog) Until(deadline time.Time) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if end := deadline.Add(Overrun); !w.asked || end.Before(w.end) {
		w.arm(end)
	}
}

// Asked must be called on a termination signal.
func (w *Watchdog) Asked() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked {
		return
	}
	w.asked = true
	if end := time.Now().Add(OnTerm); w.end.IsZero() || end.Before(w.end) {
		w.arm(end)
	}
}

// Doing is the current activity: what hangs, if something does.
type Doing struct {
	What string // for a person
	Step string // of a run, "" outside its steps
}

// Now sets the current activity.
func (w *Watchdog) Now(what Doing) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.doing = what
}

// Left returns how much time the process has, without that for the report.
func (w *Watchdog) Left() (time.Duration, bool) {
	if w == nil {
		return 0, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end.IsZero() {
		return 0, false
	}
	return time.Until(w.end) - lastWords, true
}

// Stop ends the watch.
func (w *Watchdog) Stop() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.timers {
		if w.timers[i] != nil {
			w.timers[i].Stop()
		}
		w.kernel[i].stop()
	}
}

// arm sets all timers. The caller holds the lock.
func (w *Watchdog) arm(end time.Time) {
	w.end = end
	left := time.Until(end)
	for i, set := range []struct {
		after time.Duration
		do    func()
	}{{left - lastWords, w.report}, {left, w.End}} {
		if w.timers[i] == nil {
			w.timers[i] = time.AfterFunc(set.after, set.do)
		} else {
			w.timers[i].Reset(set.after)
		}
	}
	w.kernel[0].set(Unlisted, left+kernelSignal)
	w.kernel[1].set(unix.SIGKILL, left+kernelKill)
}

// report runs in its own goroutine, like every timer function.
func (w *Watchdog) report() {
	w.mu.Lock()
	doing := w.doing
	w.mu.Unlock()
	w.Report(doing)
}

// kernelTimer is a timer of timer_create(2) that sends this process a signal.
// If it cannot be created (too many pending signals of this user, a system call
// filter), only the Go timers are left.
type kernelTimer struct {
	id   int32
	made bool
}

// sigevent is struct sigevent, which has 64 bytes.
type sigevent struct {
	value  uint64
	signal int32
	notify int32 // 0: SIGEV_SIGNAL
	_      [48]byte
}

func (k *kernelTimer) set(s unix.Signal, after time.Duration) {
	if !k.made {
		event := sigevent{signal: int32(s)}                                                                                                       //nolint:gosec // a small number
		_, _, errno := unix.Syscall(unix.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&event)), uintptr(unsafe.Pointer(&k.id))) //nolint:gosec // a system call
		if errno != 0 {
			return
		}
		k.made = true
	}
	k.settime(max(after, 1)) // 0 would disarm it
}

func (k *kernelTimer) stop() {
	if k.made {
		k.settime(0)
	}
}

func (k *kernelTimer) settime(after time.Duration) {
	value := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(after))}
	_, _, _ = unix.Syscall6(unix.SYS_TIMER_SETTIME, uintptr(k.id), 0, uintptr(unsafe.Pointer(&value)), 0, 0, 0) //nolint:gosec // a system call
}
