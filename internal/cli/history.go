// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/report"
	"justnews/internal/spell"
)

type historyCommand struct {
	Instance instance `arg:"" optional:"" help:"Only the runs of this instance; host: those for the whole host."`
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
	h := report.History{Schema: report.SchemaVersion, Runs: []report.HistoryRun{}, Omitted: len(runs) - len(kept), Problems: a.clean(problems)}
	for _, r := range kept {
		h.Runs = append(h.Runs, historyRunOf(r))
	}
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

// ofInstance keeps the runs of one instance. If there are none it says so: the name
// may be misspelt.
func ofInstance(runs []pastRun, problems []diag.Problem, instance string) ([]pastRun, []diag.Problem) {
	var names []string
	for _, r := range runs {
		names = append(names, r.place())
	}
	runs = slices.DeleteFunc(runs, func(r pastRun) bool { return r.place() != instance })
	if len(runs) > 0 {
		return runs, problems
	}
	return runs, append(problems, diag.Problem{
		Code: diag.RecordMissing, Severity: diag.Notice, Subject: instance, Message: "no summary of it was found" + spell.Hint(instance, names), Fix: diag.Do(diag.Run("justnews-gate", "history")),
	})
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
