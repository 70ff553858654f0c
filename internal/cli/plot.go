// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"justnews/internal/diag"
	"justnews/internal/probe/host"
	"justnews/internal/records"
	"justnews/internal/timeline"
)

type plotCommand struct {
	Boot  bool    `name:"boot" help:"Draw how the instances started at this boot (the default)."`
	Runs  bool    `name:"run" help:"Draw the runs of the given summaries."`
	Files []place `arg:"" optional:"" name:"file" help:"Summaries, as listed by history --json; with --run."`
}

// draw gathers what the picture is made of.
func (c *plotCommand) draw(a *app) (timeline.Input, []diag.Problem) {
	if c.Runs {
		return ofFiles(c.Files)
	}
	return a.ofBoot()
}

// check refuses a command line that means two things.
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

// Run draws.
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

// ofFiles draws exactly the runs that a person names.
func ofFiles(files []place) (timeline.Input, []diag.Problem) {
	var runs []pastRun
	var problems []diag.Problem
	for _, file := range files {
		past, err := records.ReadFile(string(file))
		var r pastRun
		if err == nil {
			r, err = believe(past)
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
		problems = append(problems, diag.Problem{
			Code: diag.RecordMissing, Subject: "this boot", Message: "there is nothing to draw",
			Seen: fmt.Sprintf("%s of units and none of systemd's time stamps", diag.Count(len(past), "run")),
			Fix:  diag.Advise("or name the files with --run", diag.Run("sudo", "justnews-gate", "plot")),
		})
	}
	return in, problems
}

// thisBoot selects the runs of this boot: by the kernel's id, or by the wall clock
// at which its monotonic clock began. The id alone does not do: systemd-nspawn
// gives a container one of its own, of which a unit with ProtectProc= sees
// nothing on systemd 252.
func thisBoot() func(pastRun) bool {
	boot, err := host.Host{}.BootID()
	began := time.Now().Add(-host.Monotonic())
	return func(r pastRun) bool {
		if r.Monotonic == 0 {
			return false // nothing is known
		}
		return err == nil && r.Boot == boot || r.began.Add(-monotonic(r)).Sub(began).Abs() < time.Second
	}
}

// withoutFuture names the runs that cannot have been yet: one forged summary
// would stretch the axis until nothing else can be seen.
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

// notASummary says in a few words why a file that a person named is of no use.
func notASummary(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	}
	return "not a summary of a run"
}
