// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// InvalidAnswer returns the problem of an invalid answer.
func InvalidAnswer(s Subject, a facts.Answer) diag.Problem {
	if a.Kind == facts.Foreign {
		return foreign(diag.OrchestratorImpostor, "orchestrator", s.URL, a)
	}
	p := diag.Found(diag.OrchestratorNonsense, s.URL, "the orchestrator's answer is invalid",
		statusOf(a)+evidence(a), "200 with the object that the orchestrator answers",
		diag.Advise(fmt.Sprintf("make sure that the orchestrator serves %s", diag.Quote(s.URL)), diag.Retry()))
	if keyRejected(a) {
		p.Message = "the orchestrator rejects the API key, or requires one"
		p.Expected, p.Fix = keyWanted()
	}
	return p
}

func keyRejected(a facts.Answer) bool {
	return a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden
}

func keyWanted() (expected string, fix diag.Fix) {
	return "the server's API key, in orchestrator.api_key_file or ORCHESTRATOR_API_KEY",
		diag.Advise("put the server's API key into the file of orchestrator.api_key_file", diag.Reload(), diag.Retry())
}

// Silent returns the problem of an orchestrator that did not answer,
// or did not say ready.
func Silent(s Subject, h facts.Health, r facts.Readiness) []diag.Problem {
	if check.Reach(h.Answer) != check.Ready {
		return late(s, h.Answer)
	}
	if r.Kind != facts.Answered { // it may be busy, or have ended since
		return late(s, r.Answer)
	}
	return []diag.Problem{diag.Found(diag.OrchestratorNotReady, s.URL, "the orchestrator is not ready",
		Readiness(r).Reason, s.Protocol.Ready, diag.Advise("fix the error in the orchestrator's log", diag.Restart(s.Unit)...).Looking(diag.LogOf(s.Unit)))}
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
	return diag.Found(diag.OrchestratorUnreachable, s.URL, "the orchestrator did not answer",
		statusOf(a)+evidence(a), s.Protocol.Models,
		revive("orchestrator", s.Unit, a))
}

// revive is the fix of a server that does not answer. No restart helps against a name
// that is not resolved.
func revive(what, unit string, a facts.Answer) diag.Fix {
	if a.NoHost {
		return diag.Advise("correct the host in "+what+".url in /etc/justnews/justnews.toml, or make its name resolvable", diag.Reload())
	}
	return diag.Advise("find out why the "+what+" does not answer", diag.Restart(unit)...).Looking(diag.LogOf(unit))
}

// Bus returns the problem of the MCP bus's last answer. A degraded bus is usable: a
// warning. The unit is "" if it is none of this host.
func Bus(url, unit string, b facts.BusHealth) []diag.Problem {
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
		return []diag.Problem{diag.Found(diag.BusNonsense, url, "the bus's answer is invalid",
			statusOf(b.Answer)+evidence(b.Answer), `200 with {"status": "ok"} from /health`,
			diag.Advise(fmt.Sprintf("make sure that the MCP bus serves %s", diag.Quote(url)), diag.Retry()))}
	default:
		return []diag.Problem{diag.Found(diag.BusUnreachable, url, "the bus did not answer",
			statusOf(b.Answer)+evidence(b.Answer), "an answer to GET /health",
			revive("bus", unit, b.Answer))}
	}
}

func busWord(url string, b facts.BusHealth) []diag.Problem {
	switch b.State {
	case "ok", "healthy", "ready", "up":
		return nil
	}
	return []diag.Problem{diag.Found(diag.BusDegraded, url, "the bus reports that it is "+diag.Quote(b.State),
		"", `"ok"`, diag.Advise("check the agents that the bus names").Looking(diag.Run("curl", "-s", "--", url+"/health"))).As(diag.Warning)}
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

// Origin is what is known of the unit that has to serve an address.
type Origin struct {
	Unit facts.Unit
	// Groups are the unit's control groups, Manager those in which the
	// listener of a socket unit is made: systemd's own, or the socket unit's.
	Groups, Manager []uint64
}

// Served judges which unit's socket gave an answer: Answered for the unit's own, Foreign
// for another's, Unattributed if that is not known (yet). The text is the evidence.
func Served(s facts.Server, o Origin) (facts.AnswerKind, string) {
	u := o.Unit
	switch {
	case !s.Local:
		return facts.Foreign, "the answer comes from another host, not from " + u.Name
	case s.Group > 1 && slices.Contains(o.Groups, s.Group):
		return facts.Answered, ""
	case s.Group <= 1, slices.Contains(o.Manager, s.Group) && activatedBySocket(u):
		return servedByOwner(s, u)
	case u.ControlGroup != "" && len(o.Groups) == 0:
		return facts.Unattributed, "the control group of " + u.Name + " cannot be examined"
	default:
		return facts.Foreign, fmt.Sprintf("the socket that answers belongs to a process outside %s (%s)%s", u.Name, state(u), owner(s))
	}
}

// servedByOwner judges by the socket's owner, if control groups are not conclusive.
func servedByOwner(s facts.Server, u facts.Unit) (facts.AnswerKind, string) {
	down := u.ActiveState != "active" && u.ActiveState != "reloading" && u.MainPID == 0
	switch {
	case s.Accepted && down && u.ActiveState != "": // systemd knows no user of a unit that is down
		return facts.Foreign, fmt.Sprintf("something answers although %s is %s", u.Name, state(u))
	case !s.Accepted || u.UID == nil:
		return facts.Unattributed, "cannot determine which process answers"
	case s.UID != *u.UID:
		return facts.Foreign, fmt.Sprintf("the socket that answers belongs to UID %d, %s runs as UID %d", s.UID, u.Name, *u.UID)
	default:
		return facts.Answered, ""
	}
}

func activatedBySocket(u facts.Unit) bool {
	return slices.ContainsFunc(u.TriggeredBy, func(name string) bool { return strings.HasSuffix(name, ".socket") })
}

func state(u facts.Unit) string { return diag.Clean(u.ActiveState + "/" + u.SubState) }

func owner(s facts.Server) string {
	if !s.Accepted {
		return ""
	}
	return fmt.Sprintf(", its owner is UID %d", s.UID)
}

func foreign(code diag.Code, what, url string, a facts.Answer) diag.Problem {
	return diag.Found(code, url, "another process answers instead of the "+what,
		evidence(a), "an answer from the unit that the configuration names",
		diag.Advise("stop the process that holds the port; if the service runs elsewhere, or behind a proxy, set its instance to \"\" in /etc/justnews/justnews.toml", diag.Retry()).
			Looking(diag.Run("ss", "-ltnpe")))
}

// SystemdSilent is the problem of a gate to which systemd did not report the
// orchestrator's unit.
func SystemdSilent(s Subject, seen string) diag.Problem {
	return unproven("orchestrator", s.URL, facts.Answer{Detail: seen})
}

// unproven returns the problem of an answer whose sender could not be
// determined.
func unproven(what, url string, a facts.Answer) diag.Problem {
	return diag.Found(diag.ServerUnproven, url, "could not verify that the "+what+" itself answers",
		evidence(a), "an answer from the unit that the configuration names",
		diag.Advise("check that systemd can be queried over D-Bus, and that /sys/fs/cgroup is readable").Looking(diag.Run("systemctl", "status", "dbus.socket")))
}
