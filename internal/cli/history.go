// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"justnews/internal/diag"
	"justnews/internal/lists"
	"justnews/internal/records"
	"justnews/internal/report"
	"justnews/internal/spell"
)

type historyCommand struct {
	Instance instance `arg:"" optional:"" help:"Show only the runs of this instance; host: those of the whole host."`
	Limit    limit    `name:"limit" placeholder:"N" default:"20" help:"Show at most N most recent runs; 0: all."`
}

// Run lists past runs.
func (c *historyCommand) Run(a *app) error {
	runs, problems := a.pastRuns()
	if c.Instance != "" {
		runs, problems = ofInstance(runs, problems, string(c.Instance))
	}
	kept := runs
	if n := int(c.Limit); n > 0 {
		kept = runs[:min(n, len(runs))]
	}
	h := report.History{Schema: report.SchemaVersion, Runs: lists.Map(kept, historyRunOf), Omitted: len(runs) - len(kept), Problems: a.clean(problems)}
	if a.json() {
		return a.printJSON(h)
	}
	a.printHistory(kept)
	a.say(h.Problems...)
	if h.Omitted > 0 {
		a.talk.Say([]report.Line{{Priority: 6, Level: "notice", Text: diag.Count(h.Omitted, "older run") + " not shown: --limit 0 lists all"}})
	}
	return nil
}

// ofInstance keeps the runs of one instance, and reports if there are none: the name may be
// misspelt.
func ofInstance(runs []pastRun, problems []diag.Problem, instance string) ([]pastRun, []diag.Problem) {
	names := lists.Map(runs, pastRun.place)
	runs = slices.DeleteFunc(runs, func(r pastRun) bool { return r.place() != instance })
	if len(runs) > 0 {
		return runs, problems
	}
	return runs, append(problems, diag.New(diag.RecordMissing, instance, "no summary of it was found"+spell.Hint(strings.TrimSuffix(instance, ".service"), names),
		diag.Do(diag.Run("justnews-gate", "history"))).As(diag.Notice))
}

func historyRunOf(r pastRun) report.HistoryRun {
	h := report.HistoryRun{
		Started: r.Started, Instance: r.Instance, Run: r.Run, Verdict: r.Verdict,
		Status: r.Status, Elapsed: r.Elapsed, Path: diag.Clean(r.path),
	}
	if p := r.FirstError(); p != nil {
		h.Code = string(p.Code)
	}
	return h
}

// printHistory prints a table, times as the journal prints them: the local
// ones.
func (a *app) printHistory(runs []pastRun) {
	if len(runs) == 0 {
		fmt.Fprintln(a.Stdout, "no runs")
		return
	}
	name, run := len("INSTANCE"), len("RUN")
	for _, r := range runs {
		name, run = max(name, len(r.place())), max(run, len(r.Run))
	}
	const verdict, duration = len("switched-off"), len("59 min 59 s")
	fmt.Fprintf(a.Stdout, "%-19s  %-*s  %-*s  %-*s  %-*s  %s\n", "TIME", name, "INSTANCE", run, "RUN", verdict, "VERDICT", duration, "DURATION", "FIRST ERROR")
	for _, r := range runs {
		h, good := historyRunOf(r), r.Verdict == "ready" || r.Verdict == "warnings"
		head := fmt.Sprintf("%s  %-*s  %-*s  ", r.began.Local().Format("2006-01-02 15:04:05"), name, r.place(), run, r.Run)
		tail := strings.TrimRight(fmt.Sprintf("  %-*s  %s", duration, report.Span(seconds(r.Elapsed)), h.Code), " ")
		fmt.Fprintf(a.Stdout, "%s%s%s\n", head, a.tint(toneIf(good), fmt.Sprintf("%-*s", verdict, r.Verdict)), a.fit(tail, len(head)+verdict))
	}
}

// pastRun is a run whose summary is valid.
type pastRun struct {
	report.Summary
	path  string
	unit  string // whose cache it is in, "": the caller's own
	began time.Time
}

// place returns what the run was about: its instance, or the host.
func (r pastRun) place() string {
	return cmp.Or(r.Instance, records.Host)
}

// pastRuns returns the runs that left a summary, the newest first, and a problem for
// each file that is not one.
func (a *app) pastRuns() ([]pastRun, []diag.Problem) {
	past, unusable := records.Find(a.below(records.UnitCaches), a.dirs())
	var runs []pastRun
	for _, p := range past {
		r, err := verifyPast(p)
		if err != nil {
			unusable = append(unusable, records.Unusable{Path: p.Path, Err: err})
			continue
		}
		runs = append(runs, r)
	}
	return runs, unusableProblems(unusable)
}

func (a *app) dirs() records.Dirs { return records.Environment(a.getenv) }

// verifyPast compares the text of a summary with its file name and its place: a unit
// writes its own cache, and must not be able to forge the run of another one.
func verifyPast(p records.Past) (pastRun, error) {
	s, err := report.ReadSummary(p.Data)
	if err != nil {
		return pastRun{}, err
	}
	began, _ := s.Began() // as ReadSummary has checked
	r := pastRun{Summary: s, path: p.Path, unit: p.Unit, began: began}
	switch {
	case p.Instance == "": // a person named the file
	case r.place() != p.Instance:
		return pastRun{}, fmt.Errorf("it describes a run of %s, but its name says %s", r.place(), p.Instance)
	case began.Sub(p.Time).Abs() > time.Millisecond: // two runs within a microsecond get two names
		return pastRun{}, fmt.Errorf("it began at %s, but its name says otherwise", s.Started)
	case p.Unit != "" && r.place() != p.Unit && r.place() != records.Host:
		return pastRun{}, fmt.Errorf("it describes a run of %s, but is in the cache of %s", r.place(), p.Unit)
	}
	return r, nil
}

// namedAtMost limits how many unusable files are listed: a user who can write to a
// cache could create any number.
const namedAtMost = 20

func unusableProblems(unusable []records.Unusable) []diag.Problem {
	var problems []diag.Problem
	closed, more := 0, 0
	for _, u := range unusable {
		switch {
		case errors.Is(u.Err, fs.ErrPermission):
			closed++
		case len(problems) == namedAtMost:
			more++
		default:
			problems = append(problems, brokenRecord(u.Path, u.Err.Error()))
		}
	}
	if more > 0 {
		problems = append(problems, brokenRecord("", fmt.Sprintf("%d more such files", more)))
	}
	if closed > 0 {
		problems = append(problems, diag.New(diag.RecordUnreadable, records.UnitCaches, "the summaries of "+diag.Count(closed, "unit")+" need root: sudo justnews-gate history",
			diag.Do(diag.Run("sudo", "justnews-gate", "history"))).As(diag.Notice))
	}
	return problems
}

func brokenRecord(path, seen string) diag.Problem {
	return diag.Found(diag.RecordBroken, path, "not a summary of a run: ignored",
		seen, "a regular file that justnews-gate wrote", diag.Advise("find out where it came from, then remove it")).As(diag.Warning)
}
