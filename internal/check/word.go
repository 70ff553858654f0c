// SPDX-License-Identifier: Apache-2.0

package check

import (
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Word is the state of an instance in one word for people.
type Word string

// The words, the worst first.
const (
	WordRefused  Word = "refused"  // its gate did not let it start
	WordFailed   Word = "failed"   // it ended, or could not be started
	WordMissing  Word = "missing"  // there is no such unit
	WordMasked   Word = "masked"   // by an administrator
	WordWaiting  Word = "waiting"  // its gate runs
	WordQueued   Word = "queued"   // systemd has a job for it
	WordStarting Word = "starting" // its gate has passed
	WordStopping Word = "stopping"
	WordStopped  Word = "stopped"
	WordDisabled Word = "disabled" // by the configuration
	WordUp       Word = "up"
)

// Pending reports whether the word changes without anybody's doing.
func (w Word) Pending() bool {
	return w == WordWaiting || w == WordQueued || w == WordStarting || w == WordStopping
}

// WordOf returns the word for the unit of an instance that the configuration
// enables or not. A job counts more than how the last start ended.
func WordOf(u facts.Unit, enabled bool) Word {
	trying := strings.HasPrefix(u.SubState, "auto-restart")
	switch {
	case u.LoadState == "masked":
		return WordMasked
	case u.LoadState != "loaded":
		return WordMissing
	case u.Job && (trying || u.ActiveState == "inactive" || u.ActiveState == "failed"):
		return WordQueued
	case u.ActiveState == "active" || u.ActiveState == "reloading" || u.ActiveState == "refreshing":
		return WordUp
	case u.ActiveState == "deactivating":
		return WordStopping
	case u.ActiveState == "failed" || trying:
		if refusal(u) != "" {
			return WordRefused
		}
		return WordFailed
	case u.ActiveState == "activating" && u.SubState == "start-pre":
		return WordWaiting
	case u.ActiveState == "activating":
		return WordStarting
	case !enabled:
		return WordDisabled
	}
	return WordStopped
}

// systemd keeps one line of each unit for all to read. Ours begins with one of
// these, and a refusal goes on with its code: the gate writes it by StatusOf…, and
// status and preflight read it with Refusal and WaitsFor.
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

// refusal returns what the gate of a unit that does not run said last, "" where
// it is not what keeps the unit down. systemd forgets the text when a start
// begins.
func refusal(u facts.Unit) string {
	text, _ := strings.CutPrefix(u.StatusText, refusedPrefix)
	if text == u.StatusText {
		return ""
	}
	return text
}

// LastRefused reports whether the last try of a unit was refused and the next one has
// not begun: a job that systemd has queued for it by itself is no new start.
func LastRefused(u facts.Unit) bool {
	between := strings.HasPrefix(u.SubState, "auto-restart") || u.ActiveState == "failed" && !u.Job
	return u.LoadState == "loaded" && between && refusal(u) != ""
}

// Refusal returns the code and the whole text ("CODE: where: message") that a
// gate, or the preload, left in the status of its unit when it refused.
func Refusal(u facts.Unit) (diag.Code, string) {
	text := refusal(u)
	code, _, _ := strings.Cut(text, ":")
	if _, known := diag.Lookup(diag.Code(code)); !known {
		return "", ""
	}
	return diag.Code(code), text
}
