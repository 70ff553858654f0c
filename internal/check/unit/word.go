// SPDX-License-Identifier: Apache-2.0

package unit

import (
	"fmt"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/unitname"
)

// Word is the state of an instance in one word for people.
type Word string

// The words, the worst first.
const (
	Refused  Word = "refused"  // its gate did not let it start
	Failed   Word = "failed"   // it ended, or could not be started
	Missing  Word = "missing"  // there is no such unit
	Masked   Word = "masked"   // by an administrator
	Waiting  Word = "waiting"  // its gate runs
	Queued   Word = "queued"   // systemd has a job for it
	Starting Word = "starting" // its gate has passed
	Stopping Word = "stopping"
	Stopped  Word = "stopped"
	Disabled Word = "disabled" // by the configuration
	Up       Word = "up"
)

// Pending reports whether the state is transitional.
func (w Word) Pending() bool {
	return w == Waiting || w == Queued || w == Starting || w == Stopping
}

// WordOf returns the word for the unit of an instance that the configuration
// enables or not. A job counts more than how the last start ended.
func WordOf(u facts.Unit, enabled bool) Word {
	trying := strings.HasPrefix(u.SubState, "auto-restart")
	switch {
	case u.LoadState == "masked":
		return Masked
	case u.LoadState != "loaded":
		return Missing
	case u.Job && (trying || u.ActiveState == "inactive" || u.ActiveState == "failed"):
		return Queued
	case u.ActiveState == "active" && u.SubState == "exited" && unitname.Instance(u.Name) != "":
		return Stopped // its program has ended, with RemainAfterExit=yes
	case u.ActiveState == "active" || u.ActiveState == "reloading" || u.ActiveState == "refreshing":
		return Up
	case u.ActiveState == "deactivating":
		return Stopping
	case u.ActiveState == "failed" || trying:
		if refusal(u) != "" || unitname.Instance(u.Name) == "" && RefusedBy(u) != 0 {
			return Refused
		}
		return Failed
	case u.ActiveState == "activating" && (u.SubState == "start-pre" || u.SubState == "start-post" && gatedAfter(u)):
		return Waiting
	case u.ActiveState == "activating":
		return Starting
	case !enabled:
		return Disabled
	}
	return Stopped
}

// systemd keeps one world-readable status line per unit. Ours begins with one of these,
// followed by the code of a refusal: the gate writes it with StatusOf…, and status and
// preflight read it with Refusal and WaitsFor.
const (
	refusedPrefix = "refused: "
	waitingPrefix = "waiting: "
)

// StatusOfRefusal is the status of a unit whose gate refused.
func StatusOfRefusal(p diag.Problem) string { return refusedPrefix + p.String() }

// StatusOfWait is the status of a unit whose gate waits.
func StatusOfWait(text string) string { return waitingPrefix + diag.Clean(text) }

// WaitsFor returns what a unit's gate waits for, and any other status as it is.
func WaitsFor(status string) string { return strings.TrimPrefix(status, waitingPrefix) }

// Refuses reports whether the last word of a unit's gate is a refusal, also of one that
// holds and tries again.
func Refuses(u facts.Unit) bool { return strings.HasPrefix(WaitsFor(u.StatusText), refusedPrefix) }

// refusal returns the last status of the gate of a unit that is not running, "" if it is
// not what keeps the unit down. systemd clears the text when a start begins.
func refusal(u facts.Unit) string {
	status := u.StatusText
	if u.ActiveState == "activating" { // a gate that holds: both prefixes
		status = WaitsFor(status)
	}
	text, refused := strings.CutPrefix(status, refusedPrefix)
	if !refused {
		return ""
	}
	return text
}

// RefusedBefore is the problem of a guarded unit whose gate refused. Its unit may not pass
// on the gate's status (NotifyAccess=).
func RefusedBefore(u facts.Unit) diag.Problem {
	p := diag.New(diag.UnitFailed, u.Name, GateRefused,
		diag.Advise("fix the error in its log", diag.Run("systemctl", "restart", "--", u.Name)).Looking(diag.LogOf(u.Name)))
	status := RefusedBy(u)
	p.Seen = fmt.Sprintf("exit status %d", status)
	for _, s := range diag.Statuses() {
		if int(s.Status) == status {
			p.Seen += ": " + s.Meaning
		}
	}
	return p
}

// LastRefused reports whether the last start of a unit was refused and the next one has not
// begun, or its gate holds: a restart job queued by systemd is not a new start.
func LastRefused(u facts.Unit) bool {
	between := u.ActiveState == "activating" || u.ActiveState == "failed" && !u.Job
	return u.LoadState == "loaded" && between && refusal(u) != ""
}

// Refusal returns the code and the whole text ("CODE: where: message") that a
// gate, or the preload, left in the status of its unit when it refused.
func Refusal(u facts.Unit) (diag.Code, string) {
	text := refusal(u)
	code, _, _ := strings.Cut(text, ":")
	if !diag.Code(code).Known() {
		return "", ""
	}
	return diag.Code(code), text
}
