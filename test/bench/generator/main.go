// SPDX-License-Identifier: Apache-2.0

// Command generator times justnews-generator as a whole process, compared with a Go
// hello-world and, if available, podman's quadlet with as many containers. The programs
// alternate within one run, each time in another order, so that a busy machine affects all
// alike: the ratios count, not the milliseconds.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"justnews/test/bench/measure"
)

// Aims, as multiples of a peer's run, and in bytes.
const (
	aimHello       = 1.8 // 17 instances
	aimQuadlet17   = 0.7
	aimQuadlet1000 = 0.45
	aimSize        = 3 << 20
)

func main() {
	runs := flag.Int("runs", 500, "runs of each program with 17 instances")
	quadlet := flag.String("quadlet", findQuadlet(), "quadlet's binary, or a version of podman to build one of, such as v5.4.0")
	before := flag.String("before", "", "another justnews-generator to compare with")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := bench(ctx, *runs, *quadlet, *before)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func findQuadlet() string {
	for _, path := range []string{"/usr/libexec/podman/quadlet", "/usr/lib/podman/quadlet"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

func bench(ctx context.Context, runs int, quadlet, before string) error {
	dir, err := os.MkdirTemp(memory(), "justnews-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	p, err := build(ctx, dir, quadlet, before)
	if err != nil {
		return err
	}
	measure.Machine(os.Stdout)
	if len(p.quadlets) == 0 {
		fmt.Print("quadlet is not installed: no comparison with it (see -quadlet)\n\n")
	}
	for _, n := range []int{17, 1000} {
		if err := compare(ctx, p, n, max(20, runs*17/n)); err != nil {
			return err
		}
	}
	info, err := os.Stat(p.generator)
	if err != nil {
		return err
	}
	measure.Aim(os.Stdout, "size of the binary", float64(info.Size())/(1<<20), aimSize>>20, " MiB")
	return nil
}

// memory returns a directory on a tmpfs, like /run/systemd/generator; on a disk only the file
// system would be measured.
func memory() string {
	if _, err := os.Stat("/dev/shm"); err == nil {
		return "/dev/shm"
	}
	return ""
}

func compare(ctx context.Context, p programs, n, runs int) error {
	peers, err := p.prepare(n)
	if err != nil {
		return err
	}
	if err := race(ctx, peers, runs, filepath.Join(p.dir, "out")); err != nil {
		return err
	}
	table := measure.NewTable(os.Stdout, fmt.Sprintf("%d entries, %d runs", n, runs),
		"median ms", "p10", "p90", "worst", "over hello", "over quadlet", "peak RSS MiB")
	for _, c := range peers.sorted() {
		table.Row(c.name, measure.Millis(c.times.Median()), measure.Millis(c.times.Quantile(0.1)), measure.Millis(c.times.Quantile(0.9)),
			measure.Millis(c.times.Quantile(1)), over(c, peers["hello"]), over(c, peers["quadlet"]), c.peak(ctx))
	}
	table.End()
	generator := peers["generator"].times
	if before, ok := peers["generator before"]; ok {
		fmt.Printf("generator over the one before, %d entries: %.2f\n", n, generator.Ratio(before.times))
	}
	if n == 17 {
		measure.Aim(os.Stdout, "generator over hello", generator.Ratio(peers["hello"].times), aimHello, "")
	}
	if quadlet, ok := peers["quadlet"]; ok {
		aim := aimQuadlet17
		if n == 1000 {
			aim = aimQuadlet1000
		}
		measure.Aim(os.Stdout, fmt.Sprintf("generator over quadlet, %d entries", n), generator.Ratio(quadlet.times), aim, "")
	}
	fmt.Println()
	return nil
}

func over(c, peer *contender) string {
	if peer == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", c.times.Ratio(peer.times))
}
