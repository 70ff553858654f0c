// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"justnews/internal/check"
	"justnews/internal/facts"
)

// Readiness judges the orchestrator's /ready: the body, not the status. A
// server that lacks the endpoint is ready when it answers at all.
func Readiness(r facts.Readiness) check.Judgement {
	if r.Kind == facts.NotServed {
		return check.Judgement{State: check.Ready, Reason: "answers, but has no /ready"}
	}
	j := reached(r.Answer)
	if j.State == check.Ready && !r.Ready {
		return check.Judgement{State: check.Pending, Reason: "answers, but reports that it is not ready"}
	}
	return j
}

func reached(a facts.Answer) check.Judgement {
	j := check.Judgement{State: check.Reach(a), Reason: "answers"}
	if j.State != check.Ready {
		j.Reason = evidence(a)
	}
	return j
}
