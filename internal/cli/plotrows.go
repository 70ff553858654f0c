// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"slices"
	"time"

	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/probe/systemd"
	"justnews/internal/report"
	"justnews/internal/timeline"
	"justnews/internal/unitname"
)

// Rows of a picture that are no instance.
const (
	preloadRow = "preload"
	mpsRow     = "mps"
)

// rowOf returns the bar that a run belongs to, "" for what is no part of a
// start: a validation, or a daemon that was started by hand.
func rowOf(r pastRun) string {
	switch r.Run {
	case "gate":
		return r.place()
	case "preload":
		return preloadRow
	case "mps wait":
		return mpsRow
	}
	return ""
}

// monotonic is the clock that systemd's stamps are of.
func monotonic(r pastRun) time.Duration { return seconds(r.Monotonic) }

// clockOf returns the clock that is fit for some runs: the monotonic one where
// they are all of one boot, else the wall clock.
func clockOf(runs []pastRun) func(pastRun) time.Duration {
	for _, r := range runs {
		if r.Boot == "" || r.Boot != runs[0].Boot {
			return func(r pastRun) time.Duration { return time.Duration(r.began.UnixNano()) }
		}
	}
	return monotonic
}

// addRuns adds runs to a picture whose axis begins with the first of them.
func addRuns(in timeline.Input, runs []pastRun, clock func(pastRun) time.Duration) timeline.Input {
	for i, r := range runs {
		began := clock(r)
		if i == 0 || began < in.Origin {
			in.Origin = began
		}
		row := rowOf(r)
		if row == "" {
			row = r.Run
		}
		in.Runs = append(in.Runs, runOf(r, row, began))
	}
	in.Subtitle = subtitle(runs)
	return in
}

func runOf(r pastRun, row string, began time.Duration) timeline.Run {
	run := timeline.Run{Row: row, Began: began, Elapsed: seconds(r.Elapsed), Passed: r.Status == int(diag.StatusReady) || r.Verdict == "warnings", Verdict: r.Verdict}
	switch {
	case r.FirstError() != nil:
		run.Verdict += ": " + string(r.FirstError().Code)
	case run.Passed:
		run.Verdict += " in " + report.Span(run.Elapsed)
	}
	for _, s := range r.Steps {
		if s.Verdict == "not-reached" || s.Verdict == "not-asked" {
			continue
		}
		run.Steps = append(run.Steps, timeline.Step{Name: s.Name, Failed: s.Verdict == "failed", Start: seconds(s.Start), Elapsed: seconds(s.Elapsed), Detail: s.Detail})
	}
	return run
}

// subtitle says when the first of some runs began, and what ran.
func subtitle(runs []pastRun) string {
	if len(runs) == 0 {
		return "without summaries"
	}
	first := slices.MinFunc(runs, func(a, b pastRun) int { return a.began.Compare(b.began) })
	return fmt.Sprintf("the first run began at %s, justnews-gate %s", first.began.UTC().Format("2006-01-02 15:04:05 UTC"), first.Version)
}

// askedOf adds what systemd knows of the boot and of each unit.
func (a *app) askedOf(conn *systemd.Conn, in timeline.Input, past []pastRun) (timeline.Input, []diag.Problem) {
	loaded, finished, err := conn.Boot(a.ctx)
	if err != nil {
		return addRuns(in, past, monotonic), []diag.Problem{unit.SystemdSilent("systemd", "its time stamps are left out", err.Error())}
	}
	// A container may have been booted before, in this boot of its host.
	past = slices.DeleteFunc(past, func(r pastRun) bool { return monotonic(r) < loaded })
	in = addRuns(in, past, monotonic)
	in.Origin, in.Queued, in.Finished, in.Axis = loaded, true, finished, "seconds since systemd had loaded its units"
	for _, row := range a.rows(past) {
		u, err := conn.Unit(a.ctx, row.unit)
		if err != nil {
			return in, []diag.Problem{unit.SystemdSilent(row.unit, "its time stamps are left out", err.Error())}
		}
		if t := u.Times; t.InactiveExit >= loaded {
			in.Units = append(in.Units, timeline.Unit{
				Row: row.name, InactiveExit: t.InactiveExit, MainStart: t.ExecMainStart, ActiveEnter: t.ActiveEnter, InactiveEnter: t.InactiveEnter,
			})
		}
	}
	return sinceTheFirst(in), nil
}

// sinceTheFirst begins the axis with the first start where that was not part of
// the boot: a target that was enabled later has waited for nothing before.
func sinceTheFirst(in timeline.Input) timeline.Input {
	var first time.Duration
	for _, r := range in.Runs {
		if first == 0 || r.Began < first {
			first = r.Began
		}
	}
	for _, u := range in.Units {
		if first == 0 || u.InactiveExit < first {
			first = u.InactiveExit
		}
	}
	if in.Finished > 0 && first > in.Finished {
		in.Origin, in.Axis = first, "seconds since the first start, after the boot"
	}
	return in
}

type plotRow struct{ name, unit string }

// rows are those of the configuration, where it can be read, and those that
// have run.
func (a *app) rows(past []pastRun) []plotRow {
	mps := unitname.MPS
	var names []string
	if cfg, _ := config.Load(a.source()); cfg != nil {
		mps = cfg.MPS.Unit
		names = instanceNames(cfg)
	}
	for _, r := range past {
		if r.Run == "gate" {
			names = append(names, r.place())
		}
	}
	slices.Sort(names)
	rows := []plotRow{{preloadRow, unitname.Preload}}
	if mps != "" {
		rows = append(rows, plotRow{mpsRow, mps})
	}
	for _, name := range slices.Compact(names) {
		rows = append(rows, plotRow{name, unitname.Of(name)})
	}
	return rows
}
