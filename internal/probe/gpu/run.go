// SPDX-License-Identifier: Apache-2.0

package gpu

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"justnews/internal/facts"
)

const (
	// maxOutput bounds the helper's answer: 16 GPUs with 60 clients each are
	// below 100 KiB.
	maxOutput = 1 << 20
	// maxComplaint bounds what is kept of its standard error.
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
	return e.answer()
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
		_ = cmd.Wait() // how it ended is in ProcessState
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
	e.killed = true
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	select {
	case <-done:
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
		return s + ", and it cannot be killed: it waits inside the driver"
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
