// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"justnews/internal/facts"
	"justnews/internal/lists"
)

// proof is the last command of every query: it is the only one to which a
// daemon always gives a non-empty answer. Without it the empty answers (no
// limit is set, no server runs) could not be distinguished from a lost answer.
const proof = "get_default_active_thread_percentage"

// maxAnswer is the maximum length that is kept of an answer, in bytes.
const maxAnswer = 64 << 10

// statusLibrary is the exit status of the control program of driver 580 without
// libcuda.so.1 (measured).
const statusLibrary = 244

// Ask sends commands to the daemon over one console, one query at a time on
// this host. Without commands it checks whether the daemon answers.
func (p Prober) Ask(ctx context.Context, commands ...string) facts.MPSAnswer {
	if p.Turn != nil {
		if err := p.Turn.Take(ctx); err != nil {
			return facts.MPSAnswer{Kind: facts.MPSNoTurn, Detail: err.Error()}
		}
		defer p.Turn.Unlock()
	}
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(p.Timeout, queryTimeout))
	defer cancel()
	var out, errs bounded
	cmd := exec.CommandContext(ctx, cmp.Or(p.Program, Program)) //nolint:gosec // a constant, but for tests
	cmd.Env = []string{"CUDA_MPS_PIPE_DIRECTORY=" + p.PipeDirectory, "LC_ALL=C", "PATH=/usr/bin:/bin"}
	cmd.Stdin = strings.NewReader(strings.Join(append(commands[:len(commands):len(commands)], proof), "\n") + "\n")
	cmd.Stdout, cmd.Stderr = &out, &errs
	// A separate process group, so that children cannot keep the pipes open.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	hangs := false
	cmd.Cancel = func() error {
		time.Sleep(lastChance)
		hangs = p.daemonHangs(cmd.Process.Pid)
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
			return err
		}
		return os.ErrProcessDone
	}
	cmd.WaitDelay = 100 * time.Millisecond
	began := time.Now()
	err := cmd.Run()
	ended := cmd.ProcessState != nil && cmd.ProcessState.Exited() // by itself
	late := errors.Is(err, exec.ErrWaitDelay)                     // a child kept a pipe open, or this process had no CPU to read it
	if late {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if late || ended && errors.Is(err, ctx.Err()) { // or it had answered while this process was stopped
		err = nil
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return facts.MPSAnswer{Kind: facts.MPSProgramMissing, Detail: err.Error()}
	case errors.Is(err, fs.ErrPermission):
		return facts.MPSAnswer{Kind: facts.MPSProgramDenied, Detail: err.Error()}
	case ctx.Err() != nil && !ended:
		lasted := time.Since(began).Round(time.Millisecond)
		a := facts.MPSAnswer{Kind: facts.MPSHung, Detail: fmt.Sprintf("no answer within %s", lasted)}
		if !hangs || caller.Err() != nil && lasted < shortest {
			a.Kind = facts.MPSCutOff
		}
		return a
	}
	a := read(out.String(), errs.String(), cmd.ProcessState.ExitCode(), err)
	if late && a.Kind != facts.MPSAnswered {
		a.Kind = facts.MPSCutOff
	}
	return a
}

// daemonHangs reports whether a console that has not ended waits for a daemon that is
// asleep: not for a CPU or a disk, and the daemon not for a CPU.
func (p Prober) daemonHangs(console int) bool {
	c, d := p.states(console), p.states(lock(filepath.Join(p.PipeDirectory, lockName)).PID)
	return c != "" && strings.Trim(c, "S") == "" && !strings.Contains(d, "R")
}

// read parses what one console printed.
func read(out, errs string, status int, err error) facts.MPSAnswer {
	lines := strings.FieldsFunc(out, func(r rune) bool { return r == '\n' || r == '\r' })
	said := strings.TrimSpace(errs + " " + out)
	detail := fmt.Sprintf("exit status %d, %q", status, said)
	switch {
	case strings.Contains(errs, "Cannot find MPS control daemon process"):
		return facts.MPSAnswer{Kind: facts.MPSNoDaemon, Detail: detail}
	case strings.Contains(errs, "Cannot send command"), status == 1 && said == "":
		return facts.MPSAnswer{Kind: facts.MPSBusy, Detail: detail}
	case strings.Contains(said, "Not enough privilege"):
		return facts.MPSAnswer{Kind: facts.MPSDenied, Detail: detail}
	case status == statusLibrary && said == "":
		return facts.MPSAnswer{Kind: facts.MPSLibrary, Detail: detail}
	case status == 0 && err == nil && said == "":
		return facts.MPSAnswer{Kind: facts.MPSEmpty, Detail: detail}
	case status != 0 || err != nil || len(lines) == 0:
		return facts.MPSAnswer{Kind: facts.MPSNonsense, Detail: detail}
	}
	last := len(lines) - 1
	number := strings.TrimSpace(lines[last])
	percentage, err := strconv.ParseFloat(number, 64)
	if err != nil || strings.Trim(number, "0123456789.") != "" || percentage <= 0 || percentage > 100 {
		return facts.MPSAnswer{Kind: facts.MPSNonsense, Detail: detail}
	}
	return facts.MPSAnswer{Kind: facts.MPSAnswered, Lines: lines[:last:last], Percentage: percentage}
}

// bounded keeps the beginning of what is written to it.
type bounded struct{ kept []byte }

func (b *bounded) Write(text []byte) (int, error) {
	b.kept = append(b.kept, text[:min(len(text), maxAnswer-len(b.kept))]...)
	return len(text), nil
}

func (b *bounded) String() string { return string(b.kept) }

// SetLimits sets the limits of every client of servers that start from now on:
// memory, one "DEVICE SIZE" for each device ("0 4G"), and the percentage of threads
// (0: not set). Each has to be read back: a value that the daemon does not accept
// removes the limit silently.
//
// Memory cannot be set in the daemon's environment: the daemon then reports
// that it has no default (535 and 550).
func (p Prober) SetLimits(ctx context.Context, memory []string, threads int) facts.MPSAnswer {
	commands := lists.Map(memory, func(limit string) string { return "set_default_device_pinned_mem_limit " + limit })
	if threads > 0 {
		commands = append(commands, "set_default_active_thread_percentage "+strconv.Itoa(threads))
	}
	return p.Ask(ctx, commands...)
}

// Servers lists the servers that the daemon reports. The answer is that of the
// list; without it the servers are not valid.
func (p Prober) Servers(ctx context.Context) ([]facts.MPSServer, facts.MPSAnswer) {
	list := p.Ask(ctx, "get_server_list")
	if list.Kind != facts.MPSAnswered {
		return nil, list
	}
	var servers []facts.MPSServer
	for _, line := range list.Lines {
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil || pid <= 0 {
			return nil, facts.MPSAnswer{Kind: facts.MPSNonsense, Detail: fmt.Sprintf("get_server_list: %q", line)}
		}
		one, status := p.server(ctx, pid)
		switch status.Kind {
		case facts.MPSHung, facts.MPSCutOff, facts.MPSNoTurn: // nothing is known of the servers
			return nil, status
		}
		servers = append(servers, one)
	}
	return servers, list
}

func (p Prober) server(ctx context.Context, pid int) (facts.MPSServer, facts.MPSAnswer) {
	s := facts.MPSServer{PID: pid, UID: -1}
	// The name is checked as well, since the PID may have been reused.
	if one, ok := p.process(pid); ok && one.State != "Z" && p.named(pid) {
		s.UID, s.Alive = one.UID, true
	}
	status := p.Ask(ctx, "get_server_status "+strconv.Itoa(pid))
	switch {
	case status.Kind != facts.MPSAnswered:
		s.Err = status.Detail
	case len(status.Lines) == 1 && strings.HasPrefix(status.Lines[0], "Unknown command"):
		// 535 has no such query; being alive has to suffice.
	case len(status.Lines) == 1:
		s.State = strings.TrimSpace(status.Lines[0])
	default:
		s.Err = fmt.Sprintf("get_server_status: %q", strings.Join(status.Lines, "; "))
	}
	return s, status
}

// StartServer requests a server for a user from the daemon, which answers
// before the server runs.
func (p Prober) StartServer(ctx context.Context, uid int) facts.MPSAnswer {
	return p.Ask(ctx, "start_server -uid "+strconv.Itoa(uid))
}
