// SPDX-License-Identifier: Apache-2.0

package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"justnews/test/busy"
	"justnews/test/reference/hang"
)

func init() { runtime.LockOSThread() } // as OffMain asks for

// TestMain is also the process that a test ends.
func TestMain(m *testing.M) {
	switch os.Getenv("PROCESS_TEST") {
	case "":
		os.Exit(m.Run())
	case "kill":
		Protect()
		Kill(Unlisted)
	case "deaf":
		ctx, _ := UntilSignal(context.Background(), syscall.SIGTERM)
		context.AfterFunc(ctx, func() { os.Exit(7) })
		wait := func() int {
			_, _ = os.Stdout.WriteString("waiting\n")
			_, _ = os.Lstat(os.Getenv("PROCESS_TEST_FILE"))
			return 1
		}
		os.Exit(OffMain(wait))
	case "abort":
		Protect()
		Kill(syscall.SIGABRT)
	case "crash":
		Protect()
		go func() { panic("a bug") }()
		select {}
	case "memory":
		Protect()
		_ = unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: 64 << 20, Max: 64 << 20})
		var all [][]byte
		for {
			all = append(all, bytes.Repeat([]byte{1}, 1<<20))
			runtime.KeepAlive(all)
		}
	case "wait":
		Protect()
		fmt.Println("ready")
		time.Sleep(time.Minute)
	case "hang", "stop":
		hung(os.Getenv("PROCESS_TEST"), os.Getenv("PROCESS_TEST_DIR"))
	}
	os.Exit(0) // what no test may see
}

// hung does not end in time: it waits in a system call, or is stopped.
func hung(how, dir string) {
	Protect()
	w := &Watchdog{Report: func(doing Doing) { fmt.Println(doing.What) }, End: func() { os.Exit(75) }}
	w.Until(time.Now().Add(200 * time.Millisecond))
	w.Now(Doing{What: "the step store", Step: "store"})
	switch how {
	case "hang":
		_, _ = unix.Open(filepath.Join(dir, "fifo"), unix.O_RDONLY, 0)
	case "stop":
		_ = unix.Kill(unix.Getpid(), unix.SIGSTOP)
		time.Sleep(time.Minute)
	}
}

func ended(t *testing.T, as string) (syscall.WaitStatus, string, time.Duration) {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "PROCESS_TEST="+as, "PROCESS_TEST_DIR="+dir, "GOTRACEBACK=none", "GORACE=")
	began := time.Now()
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.Sys().(syscall.WaitStatus), string(out), time.Since(began)
}

func TestProcess_CrashAndKillEndBySignal(t *testing.T) {
	for as, want := range map[string]syscall.Signal{
		"kill": Unlisted, "abort": syscall.SIGABRT, "crash": syscall.SIGABRT, "memory": syscall.SIGABRT,
	} {
		if as == "memory" && testing.Short() {
			continue // -short comes with the race detector, whose own runtime ends such a process
		}
		if status, _, _ := ended(t, as); !status.Signaled() || status.Signal() != want || status.CoreDump() {
			t.Errorf("%s: %#x, want signal %d", as, status, want)
		}
	}
}

func TestProcess_WatchdogEndsAHangingProcess(t *testing.T) {
	for as, want := range map[string]string{"hang": "the step store\n", "stop": ""} {
		mark := busy.Now()
		status, said, took := ended(t, as)
		if status.ExitStatus() == 0 || said != want {
			t.Errorf("%s: %#x, said %q", as, status, said)
		}
		if took = mark.Less(took); took > 10*time.Second {
			t.Errorf("%s: took %v", as, took)
		}
	}
}

// A process that has protected itself, as another of the same user sees it: its
// files in /proc are root's.
func TestProcess_ProtectedProcessBelongsToRoot(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "PROCESS_TEST=wait")
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 4242, Gid: 4242}}
		cmd.Path = reachable(t)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	if _, err := out.Read(make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mem", "environ", "fd"} {
		info, err := os.Stat(fmt.Sprintf("/proc/%d/%s", cmd.Process.Pid, name))
		if err != nil {
			t.Fatal(err)
		}
		if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Uid != 0 {
			t.Errorf("/proc/PID/%s belongs to UID %d", name, st.Uid)
		}
	}
}

// reachable returns this program where any user can execute it.
func reachable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", strings.ToLower(t.Name())) //nolint:usetesting // others have no way into that
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	text, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = errors.Join(os.Chmod(dir, 0o755), os.WriteFile(filepath.Join(dir, "program"), text, 0o755))
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "program")
}

func TestProcess_GroupsMatchThoseThatSystemdSets(t *testing.T) {
	const groups = "9:name=systemd:/system.slice/justnews@scout.service\n0::/system.slice/justnews@scout.service\n"
	for parent, want := range map[int]bool{0: true, 1: true, 2: false, 4711: false} {
		if got := slices.Contains(groupsOf(parent, groups), "justnews@scout.service"); got != want {
			t.Errorf("parent %d: %v", parent, got)
		}
	}
	if got := groupsOf(1, "0::/system.slice/xjustnews@scout.service\n"); slices.Contains(got, "justnews@scout.service") {
		t.Errorf("%q", got)
	}
}

// The kernel delivers a signal to the first thread: if that waited for a file system, no
// thread would get it.
func TestProcess_SignalIsNoticedDuringAnyWait(t *testing.T) {
	dir := t.TempDir()
	unmount, err := hang.Mount(dir, hang.Deaf)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(unmount)
	for range 5 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), "PROCESS_TEST=deaf", "PROCESS_TEST_FILE="+filepath.Join(dir, "file"))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_, _ = out.Read(make([]byte, 16))
		time.Sleep(50 * time.Millisecond) // it waits in the kernel by then
		began := time.Now()
		late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		late.Stop()
		if cmd.ProcessState.ExitCode() != 7 {
			t.Fatalf("%v after %s", cmd.ProcessState, time.Since(began))
		}
	}
}

// A run that still sets its deadline after a signal does not get more time.
func TestWatchdog_DeadlineAfterASignalIsFinal(t *testing.T) {
	w := &Watchdog{Report: func(Doing) {}, End: func() {}}
	defer w.Stop()
	w.asked, w.end = true, time.Now().Add(OnTerm) // as Asked does, which also arms what kills this process
	w.Until(time.Now().Add(time.Hour))
	if left, known := w.Left(); !known || left > OnTerm {
		t.Errorf("%v left", left)
	}
}

// A step of the wall clock must neither end a process nor let it hang.
func TestWatchdog_KernelTimersAreMonotonic(t *testing.T) {
	var k kernelTimer
	k.set(unix.SIGURG, time.Hour)
	defer k.stop()
	timers, err := os.ReadFile("/proc/self/timers")
	if err != nil {
		t.Skipf("the kernel does not list timers: %v", err)
	}
	if text := string(timers); strings.Count(text, "ClockID: ") == 0 || strings.Count(text, "ClockID: ") != strings.Count(text, "ClockID: 1\n") {
		t.Errorf("not CLOCK_MONOTONIC:\n%s", text)
	}
}

func TestUntilSignal_AnyOfThemEndsIt(t *testing.T) {
	for _, s := range []syscall.Signal{unix.SIGUSR1, unix.SIGUSR2} {
		ctx, stop := UntilSignal(t.Context(), unix.SIGUSR1, unix.SIGUSR2)
		if err := unix.Kill(os.Getpid(), s); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Second):
			t.Fatalf("%v is not heard", s)
		}
		if ended, ok := errors.AsType[Ended](context.Cause(ctx)); !ok || ended.By != s {
			t.Errorf("%v: the cause is %v", s, context.Cause(ctx))
		}
		stop()
	}
}

// In a bubble a goroutine that is left behind is a failure.
func TestUntilSignal_StopLeavesNothing(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		_, stop := UntilSignal(context.Background(), unix.SIGUSR1)
		stop()
	})
}
