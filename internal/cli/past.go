// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"justnews/internal/diag"
	"justnews/internal/records"
	"justnews/internal/report"
)

// pastRun is a run whose summary is valid.
type pastRun struct {
	report.Summary
	path  string
	unit  string // in whose cache it lies, "": the caller's own
	began time.Time
}

// place returns what the run was about: its instance, or the host.
func (r pastRun) place() string {
	if r.Instance == "" {
		return records.Host
	}
	return r.Instance
}

// pastRuns returns the runs of which a summary is left, the newest first, and
// names every file that is none.
func (a *app) pastRuns() ([]pastRun, []diag.Problem) {
	past, unusable := records.Find(a.below(records.UnitCaches), a.dirs())
	var runs []pastRun
	for _, p := range past {
		r, err := believe(p)
		if err != nil {
			unusable = append(unusable, records.Unusable{Path: p.Path, Err: err})
			continue
		}
		runs = append(runs, r)
	}
	return runs, unusableProblems(unusable)
}

// dirs is where this process's own summaries are.
func (a *app) dirs() records.Dirs { return records.Environment(a.getenv) }

// believe compares the text of a summary with its file name and its place: a unit
// writes its own cache, and must not be able to forge the run of another one.
func believe(p records.Past) (pastRun, error) {
	s, err := report.ReadSummary(p.Data)
	if err != nil {
		return pastRun{}, err
	}
	began, err := s.Began()
	if err != nil {
		return pastRun{}, err
	}
	r := pastRun{Summary: s, path: p.Path, unit: p.Unit, began: began}
	switch {
	case p.Instance == "": // a person named the file
	case r.place() != p.Instance:
		return pastRun{}, fmt.Errorf("it is of %s, its name says %s", r.place(), p.Instance)
	case began.Sub(p.Time).Abs() > time.Millisecond: // two runs within a microsecond get two names
		return pastRun{}, fmt.Errorf("it began at %s, its name says otherwise", s.Started)
	case p.Unit != "" && r.place() != p.Unit && r.place() != records.Host:
		return pastRun{}, fmt.Errorf("it is of %s, and lies in the cache of %s", r.place(), p.Unit)
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
		problems = append(problems, diag.Problem{
			Code: diag.RecordUnreadable, Severity: diag.Notice, Subject: records.UnitCaches,
			Message: "the summaries of " + diag.Count(closed, "unit") + " need root: sudo justnews-gate history",
			Fix:     diag.Do(diag.Run("sudo", "justnews-gate", "history")),
		})
	}
	return problems
}

func brokenRecord(path, seen string) diag.Problem {
	return diag.Problem{
		Code: diag.RecordBroken, Severity: diag.Warning, Subject: path,
		Message: "not a summary of a run: ignored", Seen: seen,
		Expected: "a regular file that justnews-gate wrote", Fix: diag.Advise("find out who put it there, then remove it"),
	}
}
