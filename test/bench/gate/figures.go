// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"justnews/test/bench/measure"
	"justnews/test/reference"
)

// peerFlips is how often the slower methods see the orchestrator become ready.
const peerFlips = 10

// latency measures from the flip to the exit.
func latency(ctx context.Context, h *host, flips int) error {
	table := measure.NewTable(os.Stdout, "from ready to exit", "processes", "flips", "median ms", "p90", "worst", "least")
	row := func(m method, n, flips int) (measure.Sample, error) {
		var last measure.Sample
		for range flips {
			took, err := flipOnce(ctx, h, m, n)
			if err != nil {
				return nil, err
			}
			last = append(last, slices.Max(took))
		}
		table.Row(m.name, who(n), flips, measure.Millis(last.Median()), measure.Millis(last.Quantile(0.9)), measure.Millis(last.Quantile(1)), measure.Millis(last.Quantile(0)))
		return last, nil
	}
	alone, err := row(gateMethod(), 1, flips)
	if err != nil {
		return err
	}
	if _, err := row(gateMethod(), instances, flips); err != nil {
		return err
	}
	for _, m := range loopMethods() {
		for _, n := range []int{1, instances} {
			if _, err := row(m, n, min(flips, peerFlips)); err != nil {
				return err
			}
		}
	}
	table.End()
	measure.Aim(os.Stdout, "from ready to the gate's exit, median", alone.Median().Seconds()*1000, aimMedian, " ms")
	measure.Aim(os.Stdout, "from ready to the gate's exit, worst", alone.Quantile(1).Seconds()*1000, aimWorst, " ms")
	fmt.Println()
	return nil
}

func who(n int) string {
	if n == 1 {
		return "1"
	}
	return fmt.Sprintf("last of %d", n)
}

// flipOnce lets n processes wait, makes the orchestrator ready at any moment of
// their rhythm, and returns when each ended.
func flipOnce(ctx context.Context, h *host, m method, n int) ([]time.Duration, error) {
	c, err := h.crowd(ctx, m, n)
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, anyPhase(time.Second)); err != nil {
		return nil, err
	}
	flip, err := h.flip(ctx)
	if err != nil {
		return nil, err
	}
	return c.wait(flip)
}

// crowd starts n processes that wait for an orchestrator that is loading.
func (h *host) crowd(ctx context.Context, m method, n int) (*crowd, error) {
	if err := h.hold(ctx); err != nil {
		return nil, err
	}
	jobs := h.orchestrator.Counters().Jobs
	if !m.asks {
		if err := h.load(ctx); err != nil {
			return nil, err
		}
	}
	c, err := gather(ctx, h, m, n)
	if err != nil {
		return nil, err
	}
	return c, h.loading(ctx, jobs)
}

// waiting measures what 17 processes cost while they wait: requests, CPU and
// memory, from their start to the end of the last.
func waiting(ctx context.Context, h *host, spans []time.Duration) error {
	table := measure.NewTable(os.Stdout, "17 that wait", "for", "requests", "a second", "CPU s", "CPU ms a second", "PSS of all, MiB", "RSS of one, MiB")
	var worst, cpu float64
	for i, m := range append([]method{gateMethod()}, loopMethods()...) {
		for j, span := range spans {
			if i > 0 && j > 0 {
				break // a loop costs the same every second
			}
			w, err := waitOnce(ctx, h, m, span)
			if err != nil {
				return err
			}
			rate, load := float64(w.requests)/w.took.Seconds(), w.cpu.Seconds()/w.took.Seconds()
			pss, rss := "-", "-" // of a loop only the shell would be counted
			if i == 0 {
				worst, cpu = max(worst, rate), load*180
				pss, rss = fmt.Sprintf("%.0f", w.pss), fmt.Sprintf("%.1f", w.rss)
			}
			table.Row(m.name, span, w.requests, fmt.Sprintf("%.1f", rate), fmt.Sprintf("%.2f", w.cpu.Seconds()), fmt.Sprintf("%.1f", load*1000), pss, rss)
		}
	}
	table.End()
	measure.Aim(os.Stdout, "requests of 17 gates", worst, aimRequests, " a second")
	measure.Aim(os.Stdout, "CPU of 17 gates in 180 s, from the longest wait", cpu, aimCPU, " s")
	return nil
}

// wait is the cost of a crowd.
type wait struct {
	took     time.Duration
	requests int // to the orchestrator and the bus
	cpu      time.Duration
	pss, rss float64
}

func waitOnce(ctx context.Context, h *host, m method, span time.Duration) (w wait, err error) {
	before, began := h.requests(), reference.Monotonic()
	c, err := h.crowd(ctx, m, instances)
	if err != nil {
		return w, err
	}
	if err := pause(ctx, span); err != nil {
		return w, err
	}
	w.pss, w.rss = c.memory()
	flip, err := h.flip(ctx)
	if err != nil {
		return w, err
	}
	if _, err := c.wait(flip); err != nil {
		return w, err
	}
	w.took, w.requests, w.cpu = time.Duration(reference.Monotonic()-began), h.requests()-before, c.cpu
	return w, nil
}

// requests are those to both servers. One that is not a gate's own, the POST
// that starts the job of a loop, is in there as it is for a gate.
func (h *host) requests() int {
	return h.orchestrator.Counters().Requests + h.bus.Counters().Requests
}

// ready measures what a gate costs that has nothing to wait for.
func ready(ctx context.Context, h *host, runs int) error {
	h.orchestrator.Release()
	if err := h.load(ctx); err != nil {
		return err
	}
	if err := h.loading(ctx, 0); err != nil {
		return err
	}
	table := measure.NewTable(os.Stdout, "nothing to wait for", "processes", "runs", "median ms", "p90", "worst", "least", "CPU ms each")
	for _, n := range []int{1, instances} {
		var last measure.Sample
		var cpu time.Duration
		for range runs {
			began := reference.Monotonic()
			c, err := gather(ctx, h, gateMethod(), n)
			if err != nil {
				return err
			}
			took, err := c.wait(began)
			if err != nil {
				return err
			}
			last, cpu = append(last, slices.Max(took)), cpu+c.cpu
		}
		table.Row("justnews-gate", who(n), runs, measure.Millis(last.Median()), measure.Millis(last.Quantile(0.9)), measure.Millis(last.Quantile(1)), measure.Millis(last.Quantile(0)),
			measure.Millis(cpu/time.Duration(runs*n)))
	}
	table.End()
	return nil
}
