// SPDX-License-Identifier: Apache-2.0

// Package gpu collects facts about the GPUs of this host: it runs
// justnews-nvml, which queries the driver, and examines the kernel module, the
// device nodes and the kernel's log itself. The helper is a separate process because NVIDIA's
// library may be missing, may not match the driver, may crash or may hang; in
// any case a look ends in time and reports which of these it was. It judges
// nothing and waits for nothing.
package gpu

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/strictjson"
)

// Helper is where the packages install justnews-nvml.
const Helper = "/usr/libexec/justnews/justnews-nvml"

// Limit bounds one run of the helper, unless its caller is more patient. A driver without
// persistence takes one to two seconds to initialise an unused GPU, and longer for several
// of them.
const Limit = 5 * time.Second

// nodeLimit bounds the opening of both device nodes, which takes no time unless
// the driver hangs.
const nodeLimit = time.Second

// Prober looks at the GPUs. The zero value looks at this host.
type Prober struct {
	Helper string        // "": Helper
	Root   string        // before /proc and /dev, for tests
	Limit  time.Duration // of one run of the helper, 0: 5 s
	Env    []string      // for the helper, added to its clean environment; for tests
}

// Look looks once, within little more than the limit and within ctx. It does
// not return an error: what went wrong is part of the answer.
func (p Prober) Look(ctx context.Context) facts.GPULook {
	p.Helper, p.Limit = cmp.Or(p.Helper, Helper), cmp.Or(p.Limit, Limit)
	look := p.ask(ctx)
	look.Helper = p.Helper
	look.Module = p.module()
	ctx, cancel := context.WithTimeout(ctx, nodeLimit)
	defer cancel()
	look.Control = p.node(ctx, "/dev/nvidiactl")
	look.UVM = p.node(ctx, "/dev/nvidia-uvm")
	look.Xids = p.xids(ctx)
	return look
}

func (p Prober) path(name string) string { return filepath.Join("/", p.Root, name) }

const (
	// maxOutput bounds the helper's answer: 16 GPUs with 60 clients each are
	// below 100 KiB.
	maxOutput = 1 << 20
	// maxComplaint is the maximum length that is kept of its standard error.
	maxComplaint = 4 << 10
	// grace is how long a killed helper may take to exit, and how long its
	// pipes may stay open in a child process. A process that waits in the
	// driver (state D) does not die: it is left behind.
	grace = 500 * time.Millisecond
)

// notFound is the exit status of the dynamic loader, and of a shell that finds
// no program.
const notFound = 127

type ended struct {
	state  *os.ProcessState
	out    bounded
	errs   bounded
	killed bool // at the limit, or because ctx ended
	unread bool // it ended, and not all of its output was read in time
	stuck  bool // it does not die
}

func (p Prober) ask(ctx context.Context) facts.GPULook {
	if err := ctx.Err(); err != nil {
		return facts.GPULook{Detail: "not asked: " + err.Error()}
	}
	began := time.Now()
	e, err := p.run(ctx)
	switch {
	case err != nil:
		return notStarted(p.Helper, err)
	case e.killed && ctx.Err() != nil:
		return facts.GPULook{Detail: fmt.Sprintf("%s had not answered after %s, when the run ended", p.Helper, time.Since(began).Round(10*time.Millisecond))}
	case e.killed:
		return facts.GPULook{Kind: facts.HelperHung, Detail: p.hung(e)}
	}
	look := e.answer()
	if e.unread && look.Kind == facts.HelperNonsense {
		return facts.GPULook{Kind: facts.HelperHung, Detail: "its output was not read in time"}
	}
	return look
}

// run starts the helper and returns when it has ended, or when there is no
// point in waiting any longer.
func (p Prober) run(ctx context.Context) (*ended, error) {
	e := &ended{out: bounded{max: maxOutput}, errs: bounded{max: maxComplaint}}
	// Not CommandContext: that kills one process and then waits forever.
	cmd := exec.Command(p.Helper) //nolint:gosec,noctx // a constant, but for tests; the context is watched below
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, p.Env...)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = &e.out, &e.errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // NVML may run nvidia-modprobe: both end together
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		return e, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.unread = errors.Is(cmd.Wait(), exec.ErrWaitDelay) // how it ended is in ProcessState
	}()
	timer := time.NewTimer(p.Limit)
	defer timer.Stop()
	select {
	case <-done:
		e.state = cmd.ProcessState
		return e, nil
	case <-timer.C:
	case <-ctx.Done():
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	select {
	case <-done: // it may have ended before, while this process was stopped
		e.state, e.killed = cmd.ProcessState, !cmd.ProcessState.Exited()
		return e, nil
	case <-time.After(2 * grace): // WaitDelay, and the same again
		// Its goroutines still write to e, which must not be read.
		return &ended{killed: true, stuck: true}, nil
	}
}

// notStarted distinguishes a missing helper from one that cannot be executed.
func notStarted(helper string, err error) facts.GPULook {
	look := facts.GPULook{Kind: facts.HelperUnusable, Detail: err.Error()}
	if errors.Is(err, fs.ErrNotExist) {
		if _, stat := os.Lstat(helper); errors.Is(stat, fs.ErrNotExist) {
			look.Kind = facts.HelperMissing
		} else {
			// The file exists, its interpreter does not.
			look.Detail += ": its dynamic loader (or a library) is missing"
		}
	}
	return look
}

func (p Prober) hung(e *ended) string {
	s := fmt.Sprintf("no answer within %s", p.Limit)
	if e.stuck {
		return fmt.Sprintf("%s, and SIGKILL did not end it within %s: it may wait inside the driver", s, 2*grace)
	}
	if said := e.complaint(); said != "" {
		s += "; it said: " + said
	}
	return s
}

// complaint is the helper's standard error on one line.
func (e *ended) complaint() string {
	return strings.Join(strings.Fields(e.errs.String()), " ")
}

// bounded keeps the first bytes written to it and discards the rest, so that an
// endless writer neither fills memory nor blocks.
type bounded struct {
	strings.Builder
	max  int
	over bool
}

// Write never fails.
func (b *bounded) Write(p []byte) (int, error) {
	room := min(b.max-b.Len(), len(p))
	b.over = b.over || room < len(p)
	b.Builder.Write(p[:room])
	return len(p), nil
}

// gpuStatus is justnews-nvml's exit status if NVML did not answer: the facts
// are still printed (diag.StatusGPU, which a probe does not judge by).
const gpuStatus = 71

// answer returns how a helper ended that was not killed.
func (e *ended) answer() facts.GPULook {
	ws, _ := e.state.Sys().(syscall.WaitStatus)
	switch code := e.state.ExitCode(); {
	case ws.Signaled():
		return facts.GPULook{Kind: facts.HelperCrashed, Detail: e.said("killed by signal %d (%s)", int(ws.Signal()), ws.Signal())}
	case code == notFound:
		return facts.GPULook{Kind: loaderKind(e.complaint()), Detail: e.said("exit status %d", code)}
	// Go turns a fault in C code into its own report, and exits 2.
	case code == 2:
		return facts.GPULook{Kind: facts.HelperCrashed, Detail: e.said("exit status %d", code)}
	case code != 0 && code != gpuStatus:
		return facts.GPULook{Kind: facts.HelperNonsense, Detail: e.said("exit status %d", code)}
	}
	return e.read()
}

// loaderKind distinguishes a library that lacks a function from every other
// error of the dynamic loader.
func loaderKind(complaint string) facts.GPUKind {
	if strings.Contains(complaint, "symbol lookup error") {
		return facts.HelperSymbol
	}
	return facts.HelperLoader
}

// maxSaid is how much of stderr is quoted as evidence.
const maxSaid = 300

func (e *ended) said(format string, args ...any) string {
	s, complaint := fmt.Sprintf(format, args...), e.complaint()
	if complaint == "" {
		return s + ", without a message"
	}
	return s + ": " + diag.Clip(complaint, maxSaid)
}

// read decodes the facts. Only one complete object of the known version is an
// answer.
func (e *ended) read() facts.GPULook {
	nonsense := func(format string, args ...any) facts.GPULook {
		return facts.GPULook{Kind: facts.HelperNonsense, Detail: e.said("its output is invalid: "+format, args...)}
	}
	if e.out.over {
		return nonsense("more than %d bytes", maxOutput)
	}
	text := []byte(e.out.String())
	if _, err := strictjson.Parse(text, strictjson.Limits{Bytes: maxOutput, Depth: 16}); err != nil {
		return nonsense("%v", err)
	}
	var found facts.NVML
	if err := json.Unmarshal(text, &found); err != nil {
		return nonsense("%v", err)
	}
	if found.Schema != facts.NVMLSchema || found.Outcome == "" {
		return nonsense("schema %d and outcome %q, expected schema %d", found.Schema, found.Outcome, facts.NVMLSchema)
	}
	if (found.Outcome == facts.NVMLSuccess) != (e.state.ExitCode() == 0) {
		return nonsense("outcome %s and exit status %d contradict each other", found.Outcome, e.state.ExitCode())
	}
	return facts.GPULook{Kind: kind(&found), Detail: found.Detail, NVML: &found}
}

func kind(n *facts.NVML) facts.GPUKind {
	switch n.Outcome {
	case facts.NVMLSuccess:
		if n.Count == nil {
			return facts.HelperNonsense
		}
		if *n.Count == 0 || len(n.GPUs) == 0 {
			return facts.GPUNone
		}
		return facts.GPUAnswered
	case facts.NVMLNoCgo:
		return facts.HelperNoCgo
	case "ERROR_LIBRARY_NOT_FOUND":
		return facts.LibraryMissing
	case "ERROR_DRIVER_NOT_LOADED":
		return facts.DriverNotLoaded
	case "ERROR_LIB_RM_VERSION_MISMATCH":
		return facts.DriverMismatch
	case "ERROR_NO_PERMISSION":
		return facts.DriverDenied
	case "ERROR_NOT_FOUND", "ERROR_GPU_NOT_FOUND":
		return facts.GPUNone
	}
	return facts.GPUFailed
}
