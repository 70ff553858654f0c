// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"justnews/test/bench/measure"
)

// contender is one program that is timed.
type contender struct {
	name  string
	cmd   []string
	dry   string // the option that prints instead of writing
	env   []string
	times measure.Sample
}

type contenders map[string]*contender

func (c contenders) sorted() []*contender {
	return slices.SortedFunc(maps.Values(c), func(a, b *contender) int { return strings.Compare(a.name, b.name) })
}

// race runs the contenders alternately, each into an empty directory, each time in another
// order, since a run affects the next one.
func race(ctx context.Context, peers contenders, runs int, out string) error {
	order := peers.sorted()
	for range runs {
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, c := range order {
			if err := os.RemoveAll(out); err != nil {
				return err
			}
			if err := os.Mkdir(out, 0o755); err != nil {
				return err
			}
			took, err := c.run(ctx)
			if err != nil {
				return err
			}
			c.times = append(c.times, took)
		}
	}
	return nil
}

// run times one process, from its start until it has been waited for.
func (c *contender) run(ctx context.Context) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, c.cmd[0], c.cmd[1:]...)
	cmd.Env = append(os.Environ(), c.env...)
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%s: %w", c.name, err)
	}
	return time.Since(began), nil
}

// peak returns a process's peak resident memory in MiB at the moment when it has built
// everything and prints it: it blocks on a pipe that is read later. (The rusage of a child
// would include this program's own memory.)
func (c *contender) peak(ctx context.Context) string {
	if c.dry == "" {
		return "-"
	}
	r, w, err := os.Pipe()
	if err != nil {
		return "-"
	}
	defer func() { _ = r.Close() }()
	_, _ = unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize())
	cmd := exec.CommandContext(ctx, c.cmd[0], append([]string{c.dry}, c.cmd[1:]...)...)
	cmd.Env, cmd.Stdout = append(os.Environ(), c.env...), w
	err = cmd.Start()
	_ = w.Close()
	if err != nil {
		return "-"
	}
	first := make([]byte, 1)
	_, _ = io.ReadFull(r, first) // it prints: everything is made
	most := highWater(cmd.Process.Pid)
	_, _ = io.Copy(io.Discard, r)
	_ = cmd.Wait()
	return most
}

func highWater(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(text)) {
		var kib int
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return fmt.Sprintf("%.1f", float64(kib)/1024)
		}
	}
	return "-"
}
