// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/records"
	"justnews/internal/report"
)

// record keeps the summary of a run. Where that fails the verdict stands all
// the same, and the problem says what is missing.
func (a *app) record(s report.Summary, res *gate.Result) *diag.Problem {
	text, err := s.JSON()
	if err == nil {
		_, err = records.Write(records.Environment(a.getenv), s.Instance, res.Started, text)
	}
	if err == nil {
		return nil
	}
	return &diag.Problem{
		Code: diag.RecordUnwritten, Severity: diag.Warning,
		Message: "the summary of this run could not be kept", Seen: err.Error(),
		Fix: "free or own the directory that is named; the verdict stands",
	}
}
