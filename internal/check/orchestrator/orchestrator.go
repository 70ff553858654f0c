// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"cmp"
	"fmt"
	"net/http"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// InvalidAnswer returns the problem of an invalid answer.
func InvalidAnswer(s Subject, a facts.Answer) diag.Problem {
	if a.Kind == facts.Foreign {
		return foreign(diag.OrchestratorImpostor, "orchestrator", s.URL, a)
	}
	if a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden {
		return diag.Problem{
			Code: diag.OrchestratorNonsense, Subject: s.URL,
			Message:  "the orchestrator rejects the API key, or requires one",
			Seen:     statusOf(a) + evidence(a),
			Expected: "the server's API key, in orchestrator.api_key_file or ORCHESTRATOR_API_KEY",
			Fix:      diag.Advise("put the server's API key into the file of orchestrator.api_key_file", diag.Reload(), diag.Retry()),
		}
	}
	return diag.Problem{
		Code: diag.OrchestratorNonsense, Subject: s.URL,
		Message:  "the orchestrator's answer is invalid",
		Seen:     statusOf(a) + evidence(a),
		Expected: "200 with the object that the orchestrator answers",
		Fix:      diag.Advise(fmt.Sprintf("make sure that the orchestrator serves %s", diag.Quote(s.URL)), diag.Retry()),
	}
}

// Silent returns the problem of an orchestrator that did not answer,
// or did not say ready, until the deadline.
func Silent(s Subject, h facts.Health, r facts.Readiness) []diag.Problem {
	if check.Reach(h.Answer) != check.Ready {
		return late(s, h.Answer)
	}
	if r.Kind != facts.Answered && r.Kind != facts.NoAnswer {
		return late(s, r.Answer)
	}
	return []diag.Problem{{
		Code: diag.OrchestratorNotReady, Subject: s.URL,
		Message:  fmt.Sprintf("the orchestrator did not become ready within %s", check.Span(s.Timeout)),
		Seen:     Readiness(r).Reason,
		Expected: s.Protocol.Ready,
		Fix:      diag.Advise("fix the error in the orchestrator's log", diag.Restart(s.Unit)...).Looking(diag.LogOf(s.Unit)),
	}}
}

func late(s Subject, a facts.Answer) []diag.Problem {
	if check.Reach(a) == check.Nonsense {
		return []diag.Problem{InvalidAnswer(s, a)}
	}
	return []diag.Problem{unreachable(s, a)}
}

func unreachable(s Subject, a facts.Answer) diag.Problem {
	if a.Kind == facts.Unattributed {
		return unproven("orchestrator", s.URL, a)
	}
	return diag.Problem{
		Code: diag.OrchestratorUnreachable, Subject: s.URL,
		Message:  fmt.Sprintf("the orchestrator did not answer within %s", check.Span(s.Timeout)),
		Seen:     statusOf(a) + evidence(a),
		Expected: s.Protocol.Models,
		Fix:      diag.Advise("find out why the orchestrator does not answer", diag.Restart(s.Unit)...).Looking(diag.LogOf(s.Unit)),
	}
}

// Bus returns what is wrong with the last answer of the MCP bus. A degraded bus
// can be talked to: a warning.
func Bus(url string, b facts.BusHealth) []diag.Problem {
	switch b.Kind {
	case facts.Foreign:
		return []diag.Problem{foreign(diag.BusImpostor, "bus", url, b.Answer)}
	case facts.Unattributed:
		return []diag.Problem{unproven("bus", url, b.Answer)}
	}
	switch check.Reach(b.Answer) {
	case check.Ready:
		return busWord(url, b)
	case check.Nonsense:
		return []diag.Problem{{
			Code: diag.BusNonsense, Subject: url, Message: "the bus's answer is invalid",
			Seen: statusOf(b.Answer) + evidence(b.Answer), Expected: `200 with {"status": "ok"} from /health`,
			Fix: diag.Advise(fmt.Sprintf("make sure that the MCP bus serves %s", diag.Quote(url)), diag.Retry()),
		}}
	default:
		return []diag.Problem{{
			Code: diag.BusUnreachable, Subject: url, Message: "the bus did not answer",
			Seen: statusOf(b.Answer) + evidence(b.Answer), Expected: "an answer to GET /health",
			Fix: diag.Advise("find out why the bus does not answer", diag.Retry()),
		}}
	}
}

func busWord(url string, b facts.BusHealth) []diag.Problem {
	switch b.State {
	case "ok", "healthy", "ready", "up":
		return nil
	}
	return []diag.Problem{{
		Code: diag.BusDegraded, Severity: diag.Warning, Subject: url,
		Message: "the bus reports that it is " + diag.Quote(b.State), Expected: `"ok"`,
		Fix: diag.Advise("check the agents that the bus names").Looking(diag.Run("curl", "-s", "--", url+"/health")),
	}}
}

// BusState returns the status that the bus reports, or what it answered instead.
func BusState(b facts.BusHealth) string {
	if check.Reach(b.Answer) != check.Ready {
		return evidence(b.Answer)
	}
	return diag.Clean(b.State)
}

// statusOf puts the HTTP status before evidence that does not begin with it.
func statusOf(a facts.Answer) string {
	if a.Status == 0 || a.Kind != facts.Nonsense {
		return ""
	}
	return fmt.Sprintf("HTTP status %d: ", a.Status)
}

func evidence(a facts.Answer) string {
	return diag.Clean(cmp.Or(a.Detail, "no answer"))
}

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
