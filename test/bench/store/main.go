// SPDX-License-Identifier: Apache-2.0

// Command store measures justnews-gate models verify on a generated store, compared in one run
// with sha256sum, openssl dgst and upstream's own method in Python; an unchanged store of many
// files; 17 gates at once; memory.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"justnews/test/bench/measure"
)

// Aims.
const (
	aimSha256sum  = 6.0 // times its rate, warm, several versions
	aimOpenssl    = 2.0 // the same
	aimOneVersion = 1.1 // times openssl's rate, warm, one version
	aimCold       = 0.7 // of the raw read rate
	aimUnchanged  = 0.8 // of the time of find
	aimMemory     = 64  // MiB
)

func main() {
	size := flag.Int64("size", 4096, "MiB of models")
	rounds := flag.Int("rounds", 3, "how often each is measured")
	files := flag.Int("files", 20_000, "files of the store that does not change")
	dir := flag.String("dir", "", "where to make the store (default: the temporary directory)")
	gate := flag.String("gate", "", "a justnews-gate to measure instead of one that is built here")
	before := flag.String("before", "", "another justnews-gate to compare with")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := bench(ctx, *dir, *gate, *before, *size<<20, *rounds, *files)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, dir, gate, before string, size int64, rounds, files int) error {
	dir, err := os.MkdirTemp(dir, "justnews-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b := &bed{dir: dir, gate: gate, before: before}
	if b.gate == "" {
		if b.gate, err = measure.Build(ctx, dir+"/justnews-gate", "./cmd/justnews-gate"); err != nil {
			return err
		}
	}
	measure.Machine(os.Stdout)
	for _, part := range []func() error{
		func() error { return b.throughput(ctx, size, rounds) },
		func() error { return b.unchanged(ctx, files, rounds) },
		func() error { return b.crowd(ctx, size/8) },
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}
