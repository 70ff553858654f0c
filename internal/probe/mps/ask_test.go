// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"justnews/internal/facts"
)

// program makes a control program of a few lines of shell.
func program(t *testing.T, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nvidia-cuda-mps-control")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+lines+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// patient has time for a machine that is busy.
func patient(program string) Prober {
	return Prober{PipeDirectory: "/run/nvidia-mps", Program: program, Timeout: time.Minute}
}

// healthy answers as driver 550 does, without a server.
const healthy = `while read -r command rest; do
	case $command in
	get_default_active_thread_percentage) echo 100.0 ;;
	get_server_list|start_server|set_*) ;;
	get_default_device_pinned_mem_limit) echo 6G ;;
	*) echo "Unknown command: $command $rest" ;;
	esac
done`

func TestAsk_AnswersAreParsed(t *testing.T) {
	for name, c := range map[string]struct {
		lines  string
		kind   facts.MPSAnswerKind
		detail string
	}{
		"the round trip":                       {healthy, facts.MPSAnswered, ""},
		"another percentage":                   {"echo 12.5", facts.MPSAnswered, ""},
		"nothing, and success":                 {"exit 0", facts.MPSEmpty, `exit status 0, ""`},
		"an empty line, and success":           {"echo", facts.MPSEmpty, ""},
		"nothing, and status 1":                {"exit 1", facts.MPSBusy, `exit status 1, ""`},
		"nothing, and another status":          {"exit 2", facts.MPSNonsense, `exit status 2, ""`},
		"nothing, and a signal":                {"kill -KILL $$", facts.MPSNonsense, `exit status -1, ""`},
		"broken off":                           {"echo 'Cannot send command to MPS control daemon process' >&2; exit 1", facts.MPSBusy, "Cannot send command"},
		"no daemon":                            {"echo 'Cannot find MPS control daemon process' >&2; exit 1", facts.MPSNoDaemon, "Cannot find"},
		"denied, and success":                  {"echo 'Not enough privilege to perform this operation'", facts.MPSDenied, "Not enough"},
		"no libcuda":                           {"exit 244", facts.MPSLibrary, "exit status 244"},
		"status 244 and a word":                {"echo 100.0; exit 244", facts.MPSNonsense, "100.0"},
		"an answer and a status":               {"echo 100.0; exit 1", facts.MPSNonsense, "exit status 1"},
		"a signal":                             {"echo 100.0; kill -TERM $$", facts.MPSNonsense, "100.0"},
		"a word":                               {"echo hello", facts.MPSNonsense, "hello"},
		"more than all":                        {"echo 100.1", facts.MPSNonsense, "100.1"},
		"none":                                 {"echo 0", facts.MPSNonsense, "0"},
		"less than none":                       {"echo -5", facts.MPSNonsense, "-5"},
		"no number":                            {"echo NaN", facts.MPSNonsense, "NaN"},
		"infinity":                             {"echo +Inf", facts.MPSNonsense, "Inf"},
		"an answer before its end":             {"echo 100.0; echo oops", facts.MPSNonsense, "oops"},
		"an unknown command":                   {"echo 'Unknown command: get_default_active_thread_percentage'", facts.MPSNonsense, "Unknown command"},
		"only on the wrong stream":             {"echo 100.0 >&2", facts.MPSNonsense, "100.0"},
		"an answer although something is said": {"echo 'warning: old' >&2; echo 50.0", facts.MPSAnswered, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := patient(program(t, c.lines)).Ask(t.Context())
			if a.Kind != c.kind || !strings.Contains(a.Detail, c.detail) {
				t.Errorf("%+v, want kind %d with %q", a, c.kind, c.detail)
			}
			if (a.Kind == facts.MPSAnswered) != (a.Percentage > 0) {
				t.Errorf("%+v: the percentage does not fit", a)
			}
		})
	}
}

func TestAsk_ConsoleGetsOnlyItsCommandsAndDirectory(t *testing.T) {
	t.Setenv("CUDA_MPS_LOG_DIRECTORY", "/leaks")
	p := patient(program(t, `env | grep -c -e LEAKS -e LOG_DIRECTORY; echo "$CUDA_MPS_PIPE_DIRECTORY"; cat; echo 100`))
	commands := []string{"one 1", "two"}
	a := p.Ask(t.Context(), commands...)
	if want := []string{"0", "/run/nvidia-mps", "one 1", "two", proof}; a.Kind != facts.MPSAnswered || !slices.Equal(a.Lines, want) {
		t.Errorf("%+v, want %q", a, want)
	}
}

// Without a query that is always answered, no server and a lost answer could not be
// distinguished.
func TestAsk_EmptyListDiffersFromALostAnswer(t *testing.T) {
	servers, list := patient(program(t, healthy)).Servers(t.Context())
	if len(servers) != 0 || list.Kind != facts.MPSAnswered {
		t.Errorf("no server: %+v, %+v", servers, list)
	}
	servers, list = patient(program(t, "cat >/dev/null")).Servers(t.Context())
	if len(servers) != 0 || list.Kind != facts.MPSEmpty {
		t.Errorf("a lost answer: %+v, %+v", servers, list)
	}
}

func TestAsk_AnswerIsLimited(t *testing.T) {
	a := patient(program(t, "head -c 8000000 /dev/zero | tr '\\0' '\\n'; head -c 8000000 /dev/zero | tr '\\0' x; echo; echo 100.0")).Ask(t.Context())
	if a.Kind == facts.MPSAnswered || len(a.Detail) > 4*maxAnswer {
		t.Errorf("kind %d, %d bytes of evidence", a.Kind, len(a.Detail))
	}
	var b bounded
	for range 100 {
		if n, err := b.Write(make([]byte, 1000)); n != 1000 || err != nil {
			t.Fatal(n, err)
		}
	}
	if len(b.String()) != maxAnswer {
		t.Errorf("%d bytes are kept", len(b.String()))
	}
}

// gone returns a FIFO for a program to hold open, and a function that waits
// until nobody does.
func gone(t *testing.T) (fifo string, wait func()) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		f, err := os.Open(path)
		if err == nil {
			_, err = io.Copy(io.Discard, f)
			_ = f.Close()
		}
		ended <- err
	}()
	return path, func() {
		// Should the program never have come so far.
		if fd, err := syscall.Open(path, syscall.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			_ = syscall.Close(fd)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestAsk_HangingConsoleIsKilledWithItsChildren(t *testing.T) {
	fifo, wait := gone(t)
	p := patient(program(t, "exec 9>"+fifo+"\ntrap '' TERM INT HUP\nsleep 1000 & sleep 1000"))
	p.Timeout = 2 * time.Second // in which it has come so far
	a := p.Ask(t.Context())
	if a.Kind != facts.MPSHung || !strings.Contains(a.Detail, "no answer within ") {
		t.Errorf("%+v", a)
	}
	wait()
}

// The daemon is not to blame for a console that waits for a CPU.
func TestAsk_BusyConsoleIsNoHungDaemon(t *testing.T) {
	p := patient(program(t, "while :; do :; done"))
	p.Timeout = 300 * time.Millisecond
	if a := p.Ask(t.Context()); a.Kind != facts.MPSCutOff || !strings.Contains(a.Detail, "no answer within ") {
		t.Errorf("%+v", a)
	}
}

// A daemon that waits for a CPU cannot be told from one that uses it.
func TestAsk_BusyDaemonIsNotHung(t *testing.T) {
	p := patient(program(t, "exec sleep 1000"))
	p.PipeDirectory, p.Timeout = t.TempDir(), 2*time.Second
	if said, _ := play(t, exec.Command(os.Args[0]), "hold and be busy", filepath.Join(p.PipeDirectory, lockName)); said != "<nil>" {
		t.Fatal(said)
	}
	if a := p.Ask(t.Context()); a.Kind != facts.MPSCutOff {
		t.Errorf("%+v", a)
	}
}

func TestAsk_OutputThatIsNotReadInTimeIsNoAnswer(t *testing.T) {
	if a := patient(program(t, "sleep 1000 &")).Ask(t.Context()); a.Kind != facts.MPSCutOff {
		t.Errorf("%+v", a)
	}
}

// A query lasts longer than its limit if this process is stopped meanwhile, as by a
// debugger or a frozen control group.
func TestAsk_AnswerDuringAStopCounts(t *testing.T) {
	p := patient(program(t, "(sleep 1; kill -CONT $PPID) </dev/null >/dev/null 2>&1 &\nkill -STOP $PPID\necho 100.0"))
	p.Timeout = 500 * time.Millisecond
	began := time.Now()
	if a := p.Ask(t.Context()); a.Kind != facts.MPSAnswered {
		t.Errorf("%+v after %s", a, time.Since(began))
	}
}

func TestAsk_ChildThatKeepsThePipeIsKilled(t *testing.T) {
	fifo, wait := gone(t)
	a := patient(program(t, "exec 9>"+fifo+"\necho 100.0\nsleep 1000 &")).Ask(t.Context())
	if a.Kind != facts.MPSAnswered {
		t.Errorf("%+v", a)
	}
	wait()
}

func TestAsk_EndsWithItsContext(t *testing.T) {
	fifo, wait := gone(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	a := patient(program(t, "exec 9>"+fifo+"\nsleep 1000")).Ask(ctx)
	if a.Kind != facts.MPSCutOff || strings.Contains(a.Detail, "1m0s") {
		t.Errorf("%+v: want the time that it had, which was too short to blame the daemon", a)
	}
	wait()
}

func TestAsk_MissingProgramDiffersFromOneThatCannotRun(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("#!/bin/sh\necho 100.0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]facts.MPSAnswerKind{
		filepath.Join(dir, "none"): facts.MPSProgramMissing, plain: facts.MPSProgramDenied, dir: facts.MPSProgramDenied,
	} {
		if a := patient(path).Ask(t.Context()); a.Kind != want || a.Detail == "" {
			t.Errorf("%s: %+v, want kind %d", path, a, want)
		}
	}
}

// turn is a lock around queries. While it is taken, its file is there.
type turn struct {
	file         string
	err          error
	taken, freed int
}

func (l *turn) Take(context.Context) error {
	if l.err != nil {
		return l.err
	}
	l.taken++
	return os.WriteFile(l.file, nil, 0o600)
}

func (l *turn) Unlock() {
	l.freed++
	_ = os.Remove(l.file)
}

func TestAsk_EveryQueryTakesAndReleasesTheLock(t *testing.T) {
	l := &turn{file: filepath.Join(t.TempDir(), "taken")}
	p := patient(program(t, "test -e "+l.file+" || exit 3\n"+healthy)) // which ends only then
	p.Turn = l
	for _, a := range []facts.MPSAnswer{p.Ask(t.Context()), p.StartServer(t.Context(), 990), p.SetLimits(t.Context(), []string{"0 4G"}, 50)} {
		if a.Kind != facts.MPSAnswered {
			t.Errorf("%+v", a)
		}
	}
	p.Program = "/none"
	p.Ask(t.Context())
	if l.taken != 4 || l.freed != 4 {
		t.Errorf("%d turns taken, %d given back; want 4", l.taken, l.freed)
	}
	l.err = errors.New("cannot take the lock")
	if a := p.Ask(t.Context()); a.Kind != facts.MPSNoTurn || !strings.Contains(a.Detail, "cannot take the lock") {
		t.Errorf("no turn: %+v", a)
	}
	if l.freed != 4 {
		t.Error("a turn that was never taken is given back")
	}
}

func TestAsk_LimitsAreSetByTheCommandsOf535(t *testing.T) {
	said := filepath.Join(t.TempDir(), "said")
	p := patient(program(t, "tee "+said+" >/dev/null; echo 100"))
	for _, c := range []struct {
		memory  []string
		threads int
		want    string
	}{
		{nil, 0, ""},
		{[]string{"0 4G"}, 0, "set_default_device_pinned_mem_limit 0 4G\n"},
		{[]string{"0 4G", "1 8G"}, 0, "set_default_device_pinned_mem_limit 0 4G\nset_default_device_pinned_mem_limit 1 8G\n"},
		{nil, 25, "set_default_active_thread_percentage 25\n"},
		{[]string{"0 4G"}, 25, "set_default_device_pinned_mem_limit 0 4G\nset_default_active_thread_percentage 25\n"},
	} {
		p.SetLimits(t.Context(), c.memory, c.threads)
		if got, err := os.ReadFile(said); err != nil || string(got) != c.want+proof+"\n" {
			t.Errorf("%q, %d: %q, %v", c.memory, c.threads, got, err)
		}
	}
	p.StartServer(t.Context(), 990)
	if got, _ := os.ReadFile(said); string(got) != "start_server -uid 990\n"+proof+"\n" {
		t.Errorf("%q", got)
	}
}
