// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"fmt"
	"strconv"

	"justnews/internal/facts"
)

// Same reports whether two looks show the same state of the same job, and what
// differs first. Two worker processes behind one port hold two states: what
// differs between two looks is not ready. per_agent is left out, since only
// answers to a POST have it.
func Same(a, b facts.ModelsState) (bool, string) {
	for _, pair := range []struct{ what, a, b string }{
		{"started_at", moment(a.HasStartedAt, a.StartedAt), moment(b.HasStartedAt, b.StartedAt)},
		{"completed_at", moment(true, a.CompletedAt), moment(true, b.CompletedAt)},
		{"all_ready", strconv.FormatBool(a.AllReady), strconv.FormatBool(b.AllReady)},
		{"in_progress", strconv.FormatBool(a.InProgress), strconv.FormatBool(b.InProgress)},
		{"summary.total", strconv.Itoa(a.Total), strconv.Itoa(b.Total)},
		{"summary.done", strconv.Itoa(a.Done), strconv.Itoa(b.Done)},
		{"summary.failed", strconv.Itoa(a.Failed), strconv.Itoa(b.Failed)},
		{"the number of errors", strconv.Itoa(len(a.Errors)), strconv.Itoa(len(b.Errors))},
	} {
		if pair.a != pair.b {
			return false, fmt.Sprintf("%s was %s, then %s", pair.what, pair.a, pair.b)
		}
	}
	return true, ""
}

func moment(has bool, at *float64) string {
	switch {
	case !has:
		return "absent"
	case at == nil:
		return "null"
	default:
		return strconv.FormatFloat(*at, 'f', -1, 64)
	}
}
