// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/probe/host"
	"justnews/internal/probe/systemd"
	"justnews/internal/records"
	"justnews/internal/report"
	"justnews/internal/timeline"
	"justnews/internal/unitname"
)

type plotCommand struct {
	Boot  bool    `name:"boot" help:"Draw how the instances started at this boot (the default)."`
	Runs  bool    `name:"run" help:"Draw the runs of the given summaries."`
	Files []place `arg:"" optional:"" name:"file" help:"Summaries, as listed by history --json; with --run."`
}

func (c *plotCommand) draw(a *app) (timeline.Input, []diag.Problem) {
	if c.Runs {
		return ofFiles(c.Files)
	}
	return a.ofBoot()
}

func (c *plotCommand) check(json bool) *diag.Problem {
	p := &diag.Problem{Code: diag.Usage, Fix: diag.Do(diag.Run("sh", "-c", "justnews-gate plot > boot.svg"))}
	switch {
	case json:
		p.Message = "plot cannot be combined with --json; justnews-gate history --json has the runs"
	case c.Boot && c.Runs:
		p.Message = "--boot and --run cannot go together"
	case c.Runs && len(c.Files) == 0:
		p.Message = "--run needs the file of a summary"
	case !c.Runs && len(c.Files) > 0:
		p.Message = "files require --run"
	default:
		return nil
	}
	return p
}

// Run draws the picture.
func (c *plotCommand) Run(a *app) error {
	if p := c.check(a.json()); p != nil {
		return a.refuse(*p)
	}
	in, problems := c.draw(a)
	a.say(problems...)
	if err := ended(diag.StatusOf(problems)); err != nil {
		return err
	}
	_, err := a.Stdout.Write(timeline.Of(in).SVG())
	return err
}

func ofFiles(files []place) (timeline.Input, []diag.Problem) {
	var runs []pastRun
	var problems []diag.Problem
	for _, file := range files {
		past, err := records.ReadFile(string(file))
		var r pastRun
		if err == nil {
			r, err = verifyPast(past)
		}
		if err != nil {
			p := brokenRecord(string(file), err.Error())
			p.Code, p.Severity, p.Message = diag.RecordMissing, diag.Error, notASummary(err)
			if p.Expected = ""; errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
				p.Seen = ""
			}
			p.Fix = diag.Advise("name an existing one").Looking(diag.Run("justnews-gate", "history", "--json"))
			problems = append(problems, p)
			continue
		}
		runs = append(runs, r)
	}
	in := timeline.Input{All: true, Title: "JustNews: " + diag.Count(len(runs), "run"), Axis: "seconds since the first run began"}
	return addRuns(in, runs, clockOf(runs)), problems
}

// ofBoot draws the start of each instance at this boot: the units' own runs,
// placed among systemd's time stamps. Where there is no systemd, as in a
// container, it draws the runs that there are.
func (a *app) ofBoot() (timeline.Input, []diag.Problem) {
	past, problems := a.pastRuns()
	same := thisBoot()
	past = slices.DeleteFunc(past, func(r pastRun) bool { return !same(r) || rowOf(r) == "" })
	past, problems = withoutFuture(past, problems)
	in := timeline.Input{Title: "JustNews: a boot", Axis: "seconds since the first run began"}
	conn := a.openSystemd(a.ctx)
	if conn == nil {
		in = addRuns(in, past, monotonic)
	} else {
		defer conn.Close()
		past = slices.DeleteFunc(past, func(r pastRun) bool { return r.unit == "" })
		var asked []diag.Problem
		in, asked = a.askedOf(conn, in, past)
		problems = append(problems, asked...)
	}
	if len(in.Runs)+len(in.Units) == 0 {
		problems = append(problems, diag.Found(diag.RecordMissing, "this boot", "there is nothing to draw",
			fmt.Sprintf("%s of units and none of systemd's time stamps", diag.Count(len(past), "run")), "",
			diag.Advise("name the files with --run, or run it as root", diag.Run("sudo", "justnews-gate", "plot"))))
	}
	return in, problems
}

// thisBoot selects the runs of this boot: by the kernel's id, or by the wall clock
// at which its monotonic clock began. The id alone is not enough: systemd-nspawn
// gives a container one of its own, of which a unit with ProtectProc= sees
// nothing on systemd 252.
func thisBoot() func(pastRun) bool {
	boot, err := host.Host{}.BootID()
	now := time.Now()
	began := now.Add(-host.MonotonicAt(now))
	return func(r pastRun) bool {
		if r.Monotonic == 0 {
			return false // nothing is known
		}
		return err == nil && r.Boot == boot || r.began.Add(-monotonic(r)).Sub(began).Abs() < time.Second
	}
}

// withoutFuture drops the runs that end in the future, and reports them: one forged
// summary would stretch the axis until nothing else can be seen.
func withoutFuture(past []pastRun, problems []diag.Problem) ([]pastRun, []diag.Problem) {
	now := host.Monotonic()
	var been []pastRun
	for _, r := range past {
		if monotonic(r)+seconds(r.Elapsed) > now+time.Second {
			problems = append(problems, brokenRecord(r.path, fmt.Sprintf("it ended %.0f s after this boot began, which is in the future", r.Monotonic+r.Elapsed)))
			continue
		}
		been = append(been, r)
	}
	return been, problems
}

// notASummary returns in a few words why a named file cannot be used.
func notASummary(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	}
	return "not a summary of a run"
}

// Rows of a picture that are not instances.
const (
	preloadRow = "preload"
	mpsRow     = "mps"
)

// rowOf returns the bar that a run belongs to, "" for runs that are not part of a start: a
// validation, or a daemon that was started by hand.
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

// monotonic is the clock of systemd's time stamps.
func monotonic(r pastRun) time.Duration { return seconds(r.Monotonic) }

// clockOf returns the clock to compare runs by: the monotonic one where they all
// belong to one boot, else the wall clock.
func clockOf(runs []pastRun) func(pastRun) time.Duration {
	for _, r := range runs {
		if r.Boot == "" || r.Boot != runs[0].Boot {
			return func(r pastRun) time.Duration { return time.Duration(r.began.UnixNano()) }
		}
	}
	return monotonic
}

func addRuns(in timeline.Input, runs []pastRun, clock func(pastRun) time.Duration) timeline.Input {
	for i, r := range runs {
		began := clock(r)
		if i == 0 || began < in.Origin {
			in.Origin = began
		}
		in.Runs = append(in.Runs, runOf(r, cmp.Or(rowOf(r), r.Run), began))
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

// subtitle has the time of the first of some runs, and what ran.
func subtitle(runs []pastRun) string {
	if len(runs) == 0 {
		return "without summaries"
	}
	first := slices.MinFunc(runs, func(a, b pastRun) int { return a.began.Compare(b.began) })
	return fmt.Sprintf("the first run began at %s, justnews-gate %s", first.began.UTC().Format("2006-01-02 15:04:05 UTC"), first.Version)
}

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
		names = cfg.InstanceNames()
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
