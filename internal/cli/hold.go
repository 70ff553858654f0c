// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/plan"
	"justnews/internal/probe/systemd"
	"justnews/internal/report"
	"justnews/internal/unitname"
)

// A start that was refused and is retried by systemd is not refused again at
// once: the process stays and looks again, so that a host is up seconds after
// the cause is gone, and 17 refused instances cost neither 17 starts every few
// seconds nor their lines in the journal.
const (
	// holdFor bounds that, and so how long a start by an operator may
	// wait behind justnews-preload.service. The budget bounds it as well.
	holdFor = 3 * time.Minute
	// holdLook is the pause between two looks at first, later twice that: a look costs
	// some milliseconds of CPU and three requests. holdWatch is how often the files
	// behind a refused configuration are examined, which costs a few stats.
	holdLook  = 10 * time.Second
	holdWatch = 2 * time.Second
)

// configurationDir and generatorDir have the files from which systemd made the environment
// of a unit's process, which cannot read them again.
const (
	configurationDir = "/etc/justnews"
	generatorDir     = "/run/systemd/generator"
)

// hold is a refusal that is not final yet.
type hold struct {
	app        *app
	waitingRun waitingRun
	watch      *report.Watch
	files      map[string]string // the states of what made this process's environment
}

// performAndHold does a run, and where its unit is being restarted does it
// again until it passes, or until the time is over. Only a whole pass opens.
func (a *app) performAndHold(e waitingRun, watch *report.Watch) (gate.Result, *facts.Unit) {
	h := &hold{app: a, waitingRun: e, watch: watch, files: madeOf(e.instance)}
	res, own := a.perform(e, watch)
	if own == nil || own.NRestarts == 0 || !e.mayBeOff || changedSinceRead(*own) {
		return res, own
	}
	until := a.Began.Add(min(holdFor, budget(res)))
	for !res.Passed() && a.ctx.Err() == nil && !h.leavesIt(res) && h.pause(res, until) {
		again, unit := a.perform(e, watch)
		if a.ctx.Err() == nil { // else it was cut short, and what was found before says more
			res, own = again, unit
		}
	}
	res.Elapsed = time.Since(a.Began)
	return res, own
}

// budget is the total time of this process; where the run ended before it was
// known, the bound of the hold.
func budget(res gate.Result) time.Duration {
	if res.Timeout.Value <= 0 {
		return holdFor
	}
	return res.Timeout.Value
}

// pause waits for the next look. It returns false if there is none: the time
// is over, or the process has to be started again to see what has changed.
func (h *hold) pause(res gate.Result, until time.Time) bool {
	rest := min(holdLook+time.Since(h.app.Began)/10, 2*holdLook)
	next := time.Now().Add(rest + rand.N(holdLook/5)) //nolint:gosec // no secret: it spreads the looks
	if res.Refused || next.After(until) {             // a refusal for the configuration stands until its files change
		next = until
	}
	for time.Now().Before(next) {
		h.watch.Progress(gate.Progress{
			Step: "refused", Text: refusal(res), Left: time.Until(until),
		})
		select {
		case <-h.app.ctx.Done():
			return false
		case <-time.After(min(holdWatch, time.Until(next))):
		}
		if !maps.Equal(madeOf(h.waitingRun.instance), h.files) {
			return false
		}
	}
	return next.Before(until)
}

func refusal(res gate.Result) string {
	for _, p := range diag.Errors(res.Problems) {
		return p.String()
	}
	return "no reason was given"
}

// leavesIt reports whether another unit looks for this one: what shuts an
// instance for the models shuts justnews-preload.service as well, which looks
// again while the instances wait behind it in systemd's queue.
func (h *hold) leavesIt(res gate.Result) bool {
	if h.waitingRun.instance == "" || h.waitingRun.guard || !slices.ContainsFunc(res.Steps, shared) {
		return false
	}
	h.app.doing("asking systemd about the preload")
	ctx, cancel := context.WithTimeout(h.app.ctx, ownPatience)
	defer cancel()
	conn, err := systemd.Open(ctx, h.app.busAddress())
	if err != nil {
		return false
	}
	defer conn.Close()
	u, err := conn.Unit(ctx, unitname.Preload)
	return err == nil && (u.ActiveState == "activating" || u.Job)
}

func shared(s gate.StepResult) bool {
	return s.Verdict == gate.Failed && slices.Contains([]string{"store", "orchestrator", "models"}, s.Name)
}

// madeOf returns the states of the files that a unit's settings and environment are
// made of.
func madeOf(instance string) map[string]string {
	paths := []string{
		generatorDir + "/" + plan.BaseDir + "/" + plan.BaseName,
		generatorDir + "/" + unitname.Preload + ".d",
		configurationDir, configurationDir + "/justnews.toml.d",
	}
	if entries, err := os.ReadDir(configurationDir); err == nil {
		for _, e := range entries {
			paths = append(paths, configurationDir+"/"+e.Name())
		}
	}
	if instance != "" {
		paths = append(paths, generatorDir+"/"+unitname.Of(instance)+".d")
	}
	return statesOf(paths)
}
