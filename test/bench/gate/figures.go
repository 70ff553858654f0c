// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// flipOnce lets n processes wait, makes the orchestrator ready at a random phase of their
// polling, and returns when each ended.
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

// waiting measures the cost of 17 waiting processes: requests, CPU and memory, from their
// start to the end of the last.
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
			pss, rss := "-", "-" // for a loop only the shell would be counted
			if i == 0 {
				worst, cpu = max(worst, rate), load*180
				pss, rss = fmt.Sprintf("%.0f", w.pss), fmt.Sprintf("%.1f", w.rss)
			}
			table.Row(m.name, span, w.requests, fmt.Sprintf("%.1f", rate), fmt.Sprintf("%.2f", w.cpu.Seconds()), fmt.Sprintf("%.1f", load*1000), pss, rss)
		}
	}
	table.End()
	measure.Aim(os.Stdout, "requests of 17 gates", worst, aimRequests, " per second")
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

// requests are those to both servers. The POST that starts the job for a loop is included, as
// it is for a gate.
func (h *host) requests() int {
	return h.orchestrator.Counters().Requests + h.bus.Counters().Requests
}

// startFlips is how many starts are measured for each flip: one is short.
const startFlips = 4

// ready measures the cost of a gate that has nothing to wait for, and of a Go hello-world, the
// peers and perhaps another gate, alternating in random order.
func ready(ctx context.Context, h *host, before string, flips int) error {
	h.orchestrator.Release()
	if err := h.load(ctx); err != nil {
		return err
	}
	if err := h.loading(ctx, 0); err != nil {
		return err
	}
	all, err := starters(ctx, h, before)
	if err != nil {
		return err
	}
	for range flips * startFlips {
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, s := range all {
			if err := s.run(ctx, h); err != nil {
				return err
			}
		}
	}
	slices.SortFunc(all, func(a, b *starter) int { return cmp.Or(strings.Compare(a.method.name, b.method.name), a.n-b.n) })
	hello := all[slices.IndexFunc(all, func(s *starter) bool { return s.method.name == helloName })]
	table := measure.NewTable(os.Stdout, "nothing to wait for", "processes", "runs", "median ms", "p90", "worst", "least", "CPU ms each, median", "over hello")
	for _, s := range all {
		table.Row(s.method.name, who(s.n), len(s.took), measure.Millis(s.took.Median()), measure.Millis(s.took.Quantile(0.9)), measure.Millis(s.took.Quantile(1)), measure.Millis(s.took.Quantile(0)),
			measure.Millis(s.cpu.Median()), fmt.Sprintf("%.2f", s.cpu.Ratio(hello.cpu)))
	}
	table.End()
	gate := all[slices.IndexFunc(all, func(s *starter) bool { return s.method.name == gateMethod().name && s.n == 1 })]
	measure.Aim(os.Stdout, "CPU of a gate with nothing to wait for", gate.cpu.Ratio(hello.cpu), aimHello, " x hello-world")
	fmt.Println()
	return nil
}

// helloName is the row of the hello-world.
const helloName = "a Go hello-world"

// starter is n processes that are started at once and have nothing to wait for.
type starter struct {
	method method
	n      int
	took   measure.Sample // until the last has ended
	cpu    measure.Sample // of each, on average
}

func starters(ctx context.Context, h *host, before string) ([]*starter, error) {
	hello, err := measure.Hello(ctx, h.dir)
	if err != nil {
		return nil, err
	}
	all := []*starter{
		{method: gateMethod(), n: 1},
		{method: gateMethod(), n: instances},
		{method: method{name: helloName, command: func(*host, int) []string { return []string{hello} }}, n: 1},
	}
	for _, m := range peers() {
		all = append(all, &starter{method: m, n: 1})
	}
	if before == "" {
		return all, nil
	}
	installed := filepath.Join(h.dir, "before") // as the other gate is: a copy
	gate := method{name: "the gate before", command: func(h *host, i int) []string {
		return append([]string{installed}, gateMethod().command(h, i)[1:]...)
	}}
	return append(all, &starter{method: gate, n: 1}), measure.Copy(installed, before)
}

func (s *starter) run(ctx context.Context, h *host) error {
	began := reference.Monotonic()
	c, err := gather(ctx, h, s.method, s.n)
	if err != nil {
		return err
	}
	took, err := c.wait(began)
	if err != nil {
		return err
	}
	s.took, s.cpu = append(s.took, slices.Max(took)), append(s.cpu, c.cpu/time.Duration(s.n))
	return nil
}
