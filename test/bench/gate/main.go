// SPDX-License-Identifier: Apache-2.0

// Command gate measures justnews-gate against the reference orchestrator: how soon it ends
// after the orchestrator becomes ready, and the cost of 17 waiting gates, compared in the same
// run with curl and jq in a loop and with wait4x, which check less.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"justnews/test/bench/measure"
)

// instances is how many gates a host has.
const instances = 17

// Aims.
const (
	aimMedian   = 60  // milliseconds from the flip to the exit
	aimWorst    = 150 // the same
	aimRequests = 20  // a second, all gates together
	aimCPU      = 1.0 // seconds in 180 s, all gates together
	aimHello    = 3.0 // CPU of a gate with nothing to wait for, over a Go hello-world's
)

func main() {
	flips := flag.Int("flips", 50, "how often the orchestrator becomes ready")
	waits := flag.String("waits", "10s,60s,180s", "for how long 17 gates wait")
	gate := flag.String("gate", "", "a justnews-gate to measure instead of one that is built here")
	before := flag.String("before", "", "another justnews-gate, to compare the cost of one with nothing to wait for")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := bench(ctx, *gate, *before, *flips, *waits)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, gate, before string, flips int, waits string) error {
	spans, err := durations(waits)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "justnews-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	h, err := newHost(ctx, dir, gate)
	if err != nil {
		return err
	}
	defer h.close()
	defer measure.Remember()()
	measure.Machine(os.Stdout)
	for _, part := range []func() error{
		func() error { return ready(ctx, h, before, flips) },
		func() error { return latency(ctx, h, flips) },
		func() error { return waiting(ctx, h, spans) },
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

func durations(list string) (spans []time.Duration, err error) {
	for word := range strings.SplitSeq(list, ",") {
		d, err := time.ParseDuration(word)
		if err != nil {
			return nil, err
		}
		spans = append(spans, d)
	}
	return spans, nil
}
