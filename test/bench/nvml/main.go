// SPDX-License-Identifier: Apache-2.0

// Command nvml times justnews-nvml as a whole process, without NVIDIA's library and with one
// that answers at once, compared with true: the cost of the program itself for a gate that
// needs a GPU. The time of a real driver is not included.
package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"justnews/test/bench/measure"
)

const runs = 500

// contender is one program that is timed.
type contender struct {
	name, path string
	env        []string
	times      measure.Sample
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := bench(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context) error {
	if _, err := exec.LookPath("gcc"); err != nil {
		fmt.Println("justnews-nvml: there is no gcc")
		return nil
	}
	dir, err := os.MkdirTemp("", "justnews-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	helper := filepath.Join(dir, "justnews-nvml")
	for _, command := range [][]string{
		{"make", "-s", "helper", "BUILD=" + dir},
		{"gcc", "-w", "-shared", "-fPIC", "-o", filepath.Join(dir, "libnvidia-ml.so.1"), "test/nvml/testdata/fake.c"},
	} {
		if out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", command[0], err, out)
		}
	}
	peers := []*contender{
		{name: "true", path: "/bin/true"},
		{name: "justnews-nvml, no library", path: helper, env: []string{"LD_LIBRARY_PATH=/nonexistent"}},
		{name: "justnews-nvml, a library with 2 GPUs", path: helper, env: []string{"LD_LIBRARY_PATH=" + dir}},
	}
	measure.Machine(os.Stdout)
	if err := race(ctx, peers); err != nil {
		return err
	}
	table := measure.NewTable(os.Stdout, fmt.Sprintf("%d runs", runs), "median ms", "p10", "p90", "worst", "over true", "peak RSS MiB")
	for _, c := range peers {
		table.Row(c.name, measure.Millis(c.times.Median()), measure.Millis(c.times.Quantile(0.1)), measure.Millis(c.times.Quantile(0.9)),
			measure.Millis(c.times.Quantile(1)), fmt.Sprintf("%.1f", c.times.Ratio(peers[0].times)), c.peak(ctx))
	}
	table.End()
	info, err := os.Stat(helper)
	if err != nil {
		return err
	}
	fmt.Printf("size of the binary: %.2f MiB\n", float64(info.Size())/(1<<20))
	return nil
}

// race runs the contenders alternately, each time in another order.
func race(ctx context.Context, peers []*contender) error {
	order := append([]*contender(nil), peers...)
	for range runs {
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, c := range order {
			cmd := exec.CommandContext(ctx, c.path)
			cmd.Env = c.env
			began := time.Now()
			err := cmd.Run()
			took := time.Since(began)
			if exit := (*exec.ExitError)(nil); err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 71) {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			c.times = append(c.times, took)
		}
	}
	return nil
}

// peak returns the process's peak resident memory when it has queried everything and writes
// its answer into a full pipe. (The rusage of a child would include this program's own
// memory.)
func (c *contender) peak(ctx context.Context) string {
	r, w, err := os.Pipe()
	if err != nil {
		return "-"
	}
	defer func() { _ = r.Close() }()
	size, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize())
	if err == nil {
		_, err = w.Write(make([]byte, size))
	}
	cmd := exec.CommandContext(ctx, c.path)
	cmd.Env, cmd.Stdout = c.env, w
	if err != nil || cmd.Start() != nil {
		return "-"
	}
	_ = w.Close()
	time.Sleep(300 * time.Millisecond)
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for line := range strings.Lines(string(text)) {
		var kib int
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return fmt.Sprintf("%.1f", float64(kib)/1024)
		}
	}
	return "-"
}
