// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Glance returns the problems of one look at the models that nobody waited
// for.
func Glance(j check.Judgement, look facts.ModelsLook, s Subject) []diag.Problem {
	switch j.State {
	case check.Ready, check.Pending:
		return nil
	case check.Idle, check.Unknown:
		if s.Empty {
			return []diag.Problem{empty(s)}
		}
		return []diag.Problem{{
			Code: diag.ModelsIncomplete, Subject: s.URL, Message: "the models are not loaded, and no preload is running",
			Seen: j.Reason, Expected: expectation(s), Fix: diag.Do(diag.Run("justnews-gate", "preload", "--wait")),
		}}
	default:
		return Refused(j, look, s)
	}
}
