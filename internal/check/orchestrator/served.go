// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"fmt"
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Origin is what is known of the unit that has to serve an address.
type Origin struct {
	Unit facts.Unit
	// Groups are the unit's control groups, Manager those in which the
	// listener of a socket unit is made: systemd's own, or the socket unit's.
	Groups, Manager []uint64
}

// Served judges whose socket gave an answer: Answered for the unit's own,
// Foreign for another's, Unattributed where that cannot be told (yet). The text is
// what was seen.
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

// servedByOwner judges by the socket's owner, where control groups cannot tell.
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
	return diag.Problem{
		Code: code, Subject: url,
		Message:  "another process answers instead of the " + what,
		Seen:     evidence(a),
		Expected: "an answer from the unit that the configuration names",
		Fix: diag.Advise("stop the process that holds the port; if the service runs elsewhere, or behind a proxy, set its instance to \"\" in /etc/justnews/justnews.toml", diag.Retry()).
			Looking(diag.Run("ss", "-ltnpe")),
	}
}

// SystemdSilent is the problem of a gate to which systemd did not report the
// orchestrator's unit.
func SystemdSilent(s Subject, seen string) diag.Problem {
	return unproven("orchestrator", s.URL, facts.Answer{Detail: seen})
}

// unproven returns the problem of an answer whose sender could not be
// determined.
func unproven(what, url string, a facts.Answer) diag.Problem {
	return diag.Problem{
		Code: diag.ServerUnproven, Subject: url,
		Message:  "could not verify that the " + what + " itself answers",
		Seen:     evidence(a),
		Expected: "an answer from the unit that the configuration names",
		Fix:      diag.Advise("check that systemd can be queried over D-Bus, and that /sys/fs/cgroup is readable").Looking(diag.Run("systemctl", "status", "dbus.socket")),
	}
}
