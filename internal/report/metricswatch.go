// SPDX-License-Identifier: Apache-2.0

package report

import (
	"time"

	"justnews/internal/diag"
)

// WatchState is what justnews-gate watch knows after a look.
type WatchState struct {
	Open     bool // at least one instance is up
	Bad      int  // looks in a row
	Lost     bool // it has reported that
	Problems []diag.Problem
}

// WatchMetrics turns the state after a look that ended at a time into a text as
// Metrics does.
func WatchMetrics(s WatchState, at time.Time) []byte {
	e := exposition{common: []label{{"run", "watch"}}}
	e.family("last_run_timestamp_seconds", lastRunHelp)(float64(at.UnixMilli()) / 1e3)
	e.family("watch_open", "1: an instance is up, so that there is something to watch.")(truth(s.Open))
	e.family("watch_bad_looks", "Looks in a row that contradicted what the open gates have proven.")(float64(s.Bad))
	e.family("watch_lost", "1: watch.failures looks in a row were bad, and none was good since.")(truth(s.Lost))
	e.problems(s.Problems)
	e.text.WriteString("# EOF\n")
	return []byte(e.text.String())
}
