// SPDX-License-Identifier: Apache-2.0

package check

import (
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Glance returns what is bad about one look at the models that nobody waited
// for.
func Glance(j Judgement, look facts.ModelsLook, s Subject) []diag.Problem {
	switch j.State {
	case Ready, Pending:
		return nil
	case Idle, Unknown:
		return []diag.Problem{{
			Code: diag.ModelsIncomplete, Subject: s.URL, Message: "the models are not loaded, and nothing loads them",
			Seen: j.Reason, Expected: expectation(s), Fix: diag.Do(diag.Run("justnews-gate", "preload", "--wait")),
		}}
	default:
		return Refused(j, look, s)
	}
}

// FailedUnit returns the problem of an instance whose unit has failed, nil for
// any other state.
func FailedUnit(u facts.Unit) *diag.Problem {
	j := Unit(u)
	if u.LoadState != "loaded" || j.State != Failed {
		return nil
	}
	p := withSetup(diag.Problem{
		Code: diag.UnitFailed, Subject: u.Name, Message: "the instance has failed",
		Seen: j.Reason, Expected: "active", Fix: unitFix(u),
	}, u)
	return &p
}
