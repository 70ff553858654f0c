// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/report"
)

// Open lists what the gates of the running instances have waited for.
type Open struct{ Any, Models, Bus, MPS, GPU bool }

// OpenGates returns what the units of this look have waited for. Without a
// configuration it only knows whether one is up. If systemd does not answer, it returns
// the result of the last look: that alone does not mean that the gates are shut.
func (h *Host) OpenGates(cfg *config.Config, last Open) Open {
	silent := cfg == nil && len(h.Units) == 0 || cfg != nil && len(h.Units) < len(cfg.Instances)+len(cfg.Guards)
	if silent {
		return last
	}
	var o Open
	for _, u := range h.Units {
		if u.State != unit.Up {
			continue
		}
		o.Any = true
		if cfg == nil {
			continue
		}
		i, _ := cfg.Instance(u.Instance)
		g, _ := cfg.Guard(u.Instance)
		o.Models = o.Models || (i.RequireModels || g.RequireModels) && !h.SafeMode
		o.Bus = o.Bus || i.RequireBus || g.RequireBus
		o.MPS = o.MPS || i.MPS.Enabled || g.RequireMPS
		o.GPU = o.GPU || o.MPS || cfg.GPU.MinCount > 0
	}
	return o
}

// concerns reports whether a problem contradicts what the open gates have verified.
// Failed units report their own problems.
func (o Open) concerns(p diag.Problem) bool {
	code := string(p.Code)
	if strings.HasPrefix(code, "CONFIG-") || strings.HasPrefix(code, "MAP-") && o.Models {
		return true // no gate would open with it
	}
	switch p.Code.Area() {
	case "orchestrator and models":
		return o.Models
	case "bus and needs":
		return o.Bus || o.Models && p.Code == diag.ServerUnproven
	case "NVIDIA MPS":
		return o.MPS
	case "GPUs":
		return o.GPU
	}
	return false
}

// Reading is the result of one look: whether what the open gates verified still holds.
type Reading int

// The readings. The zero value is the worst.
const (
	Lost    Reading = iota // it does not hold
	Pending                // it is being restored
	Shut                   // no gate is open
	Holds                  // it still holds
)

// Steady settles a look and returns whether what the open gates verified still holds,
// and the errors that contradict it.
func (h *Host) Steady(o Open) (Reading, []diag.Problem) {
	found := slices.DeleteFunc(diag.Errors(h.Problems), func(p diag.Problem) bool { return !o.concerns(p) })
	h.Settle()
	switch {
	case !o.Any:
		return Shut, nil
	case len(found) == 0 && h.unseen > 0: // nothing was found, and not everything could be verified
		return Pending, nil
	case len(found) == 0 && (!o.Models || h.Models.State == check.Ready.String()):
		return Holds, nil
	}
	var why []diag.Problem
	for _, c := range h.Causes {
		if o.concerns(c.Problem) || h.holdsServer(c) {
			why = append(why, c.Problem)
		}
	}
	if len(why) > 0 {
		return Lost, why
	}
	loading := h.Loading || h.PreloadPending() && !unit.Refuses(h.Preload)
	if loading || OnItsWay(h.Orchestrator.Unit) || OnItsWay(h.Bus.Unit) {
		return Pending, nil
	}
	if why = diag.Errors(h.Problems); len(why) == 0 { // else it has another area, such as the Model Store
		why = found
	}
	return Lost, why
}

func (h *Host) holdsServer(c report.Cause) bool {
	return slices.ContainsFunc([]*report.UnitStatus{h.Orchestrator.Unit, h.Bus.Unit}, func(u *report.UnitStatus) bool {
		return u != nil && slices.Contains(c.Holds, u.Instance)
	})
}

// Watch counts looks. It reports once when Failures of them in a row were bad, and once
// when one is good again.
type Watch struct {
	Failures int           // bad looks in a row
	Patience time.Duration // for anything in progress, from the last good look

	reading  Reading
	bad      int
	since    time.Time // of the first look that was not good; zero if the last was good
	reported bool
	why      []diag.Problem
}

// See records a look and returns the problems to report, if any.
func (w *Watch) See(r Reading, why []diag.Problem, now time.Time) []diag.Problem {
	w.reading = r
	switch r {
	case Shut, Holds:
		back := w.reported && r == Holds
		since := w.since
		w.bad, w.since, w.reported, w.why = 0, time.Time{}, false, nil
		if back {
			return []diag.Problem{diag.New(diag.ReadinessRegained, "", "the host is ready again, after "+now.Sub(since).Round(time.Second).String(), diag.Fix{}).As(diag.Notice)}
		}
		return nil
	}
	if w.since.IsZero() {
		w.since = now
	}
	if r == Pending && now.Sub(w.since) < w.Patience {
		return nil
	}
	w.bad, w.why = w.bad+1, why
	if w.reported || w.bad < w.Failures {
		return nil
	}
	w.reported = true
	return append([]diag.Problem{w.lost()}, why...)
}

// Text returns the state in one line, which only changes with the state: one of the
// words below, then a colon and the details, if any.
func (w *Watch) Text() string {
	switch {
	case w.reported:
		return WatchLost + ": since " + w.since.Format(time.DateTime) + ": " + w.first()
	case w.bad > 0:
		return fmt.Sprintf("%s: %d of %d in a row: %s", WatchBad, w.bad, w.Failures, w.first())
	case w.reading == Shut:
		return WatchShut
	case w.reading == Pending:
		return WatchPending
	}
	return WatchGood
}

// The first words of Text.
const (
	WatchGood    = "good"
	WatchPending = "loading"
	WatchBad     = "failed checks"
	WatchLost    = "not ready"
	WatchShut    = "no gate is open"
)

// first returns a short form of the first problem of the last bad look.
func (w *Watch) first() string {
	if len(w.why) == 0 {
		return "still loading"
	}
	return report.Brief(w.why[0].String())
}

// State returns the values of the metrics.
func (w *Watch) State() report.WatchState {
	return report.WatchState{Open: w.reading != Shut, Bad: w.bad, Lost: w.reported, Problems: w.why}
}

func (w *Watch) lost() diag.Problem {
	return diag.Found(diag.ReadinessLost, "", fmt.Sprintf("the host is no longer ready: %d consecutive checks failed, the first at %s",
		w.bad, w.since.Format(time.TimeOnly)),
		w.first(), "everything that the running instances waited for", diag.Do(diag.Run("justnews-gate", "status")))
}
