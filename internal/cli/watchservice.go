// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/notify"
	"justnews/internal/records"
	"justnews/internal/report"
	"justnews/internal/status"
)

type watchCommand struct{}

// Run looks until it is stopped. It reports, and changes nothing.
func (c *watchCommand) Run(a *app) error {
	if a.NoSystemd {
		a.say(unit.NoSystemd(diag.Error, "watch", "which gates are open is not known"))
		return ended(diag.StatusUnavailable)
	}
	dir := cmp.Or(a.MetricsDir, records.MetricsDir)
	var open status.Open
	look := func(ctx context.Context) watchLook { return a.watchLook(ctx, &open) }
	k := keeper{look: look, say: func(found []diag.Problem) { a.say(found...) }, show: a.showWatch()}
	if a.inUnit() {
		unwritten := false
		k.measure = func(s report.WatchState) {
			err := records.WriteMetrics(dir, "watch", "", report.WatchMetrics(s, time.Now()))
			if err != nil && !unwritten {
				k.say([]diag.Problem{metricsUnwritten(dir, err)})
			}
			unwritten = err != nil
		}
		// The last metrics of a watch that has ended would pass for the host's present state.
		defer func() { _ = records.RemoveMetrics(dir, "watch") }()
	}
	k.run(a.ctx)
	return nil
}

func (a *app) showWatch() func(string) {
	if n := notify.New(); n.Active() {
		return func(text string) { _ = n.Status(text) }
	}
	return func(text string) { fmt.Fprintln(a.Stdout, text) }
}

// keeper looks, and reports what changes.
type keeper struct {
	look    func(context.Context) watchLook
	say     func([]diag.Problem)
	show    func(string)
	measure func(report.WatchState) // nil: nobody collects it

	watch   status.Watch
	rules   config.Watch
	shown   string
	pending <-chan looked[watchLook] // a look that has not returned
}

// watchLook is what one look found.
type watchLook struct {
	reading  status.Reading
	why      []diag.Problem
	rules    config.Watch  // the zero value: the configuration cannot be read
	patience time.Duration // for models that are being loaded
}

// run looks until ctx ends. A configuration that changes counts from the next look.
func (k *keeper) run(ctx context.Context) {
	k.rules = config.Watch{Interval: 30 * time.Second, Failures: 3} // until it is read
	for {
		began := time.Now()
		look := k.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if look.rules.Failures > 0 {
			k.rules, k.watch.Patience = look.rules, look.patience
		}
		k.watch.Failures = k.rules.Failures
		if news := k.watch.See(look.reading, look.why, time.Now()); news != nil {
			k.say(news)
		}
		if text := k.watch.Text(); text != k.shown {
			k.shown = text
			k.show(text)
		}
		if k.measure != nil {
			k.measure(k.watch.State())
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(k.rules.Interval-time.Since(began), time.Second)):
		}
	}
}

// lookLimit is when a look counts as bad although it has not ended: its queries have shorter
// limits, unless the kernel does not return.
const lookLimit = statusTimeout + mpsTimeout + 2*time.Second

// once is one look. There are never two at a time: one that does not return counts as bad
// each time, and its result is then outdated.
func (k *keeper) once(ctx context.Context) watchLook {
	select {
	case <-k.pending:
		k.pending = nil
	default:
	}
	if k.pending == nil {
		k.pending = begin(ctx, k.look)
		select {
		case l := <-k.pending:
			if l.crash != nil {
				panic(l.crash)
			}
			k.pending = nil
			return l.found
		case <-ctx.Done():
		case <-time.After(lookLimit):
		}
	}
	return watchLook{why: []diag.Problem{gate.HungLook(lookLimit)}}
}

// watchLook looks at the host as status does. open is the result of the last look.
func (a *app) watchLook(ctx context.Context, open *status.Open) watchLook {
	g, cfg := a.glance(ctx, false)
	g.Problems = a.here(g.Problems)
	var l watchLook
	if cfg != nil {
		l.rules, l.patience = cfg.Watch, cfg.Gate.Timeout
	}
	*open = g.OpenGates(cfg, *open)
	l.reading, l.why = g.Steady(*open)
	l.why = report.Clean(l.why)
	return l
}

// noGPU is where no look at the GPUs is needed.
type noGPU struct{}

func (noGPU) Look(context.Context) facts.GPULook { return facts.GPULook{} }

// toneOfWatch is that of the watch's own text.
func toneOfWatch(word string) tone {
	switch word {
	case status.WatchGood:
		return good
	case status.WatchLost:
		return wrong
	}
	return pending
}

func (a *app) watchRow(u *report.UnitStatus) {
	if u == nil {
		return
	}
	word, rest, _ := strings.Cut(u.Text, ": ")
	a.row("watch", toneOfWatch(word), cmp.Or(word, string(u.State)), rest)
}
