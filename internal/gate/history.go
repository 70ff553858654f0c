// SPDX-License-Identifier: Apache-2.0

package gate

import "time"

// History records the preloads that the gates of one host triggered at one orchestrator. It
// keeps a broken model, or a server that loads nothing, from causing a storm: every trigger
// is recorded before it is sent, and the record limits the next one.
type History struct {
	// Invocation is the InvocationID of the orchestrator's unit when the last
	// trigger was sent, "" where there is no unit to ask.
	Invocation string `json:"invocation,omitempty"`
	// Job is started_at of the job that the last trigger started, in seconds
	// of the server's clock; nil while none was seen.
	Job *float64 `json:"job,omitempty"`
	// Empty is set if the answer to that trigger was a finished job of no models, as
	// from releases of JustNewsAgent since 92cb588, which load none. It opens nothing.
	Empty bool `json:"empty,omitempty"`
	// Canary names the models that answered a canary since the orchestrator was
	// started. Agents can write the record, so it only counts together with systemd's
	// state of the preload.
	Canary []string `json:"canary,omitempty"`
	// Triggers counts the POSTs to an idle orchestrator, Refreshes those after
	// a failed or inconsistent job, both since the orchestrator started or was
	// last ready.
	Triggers  int `json:"triggers,omitempty"`
	Refreshes int `json:"refreshes,omitempty"`
	// LastPost is the uptime of the last of them.
	LastPost time.Duration `json:"last_post,omitempty"`
	// Store is the preload's look at the Model Store after a failed job: a different one
	// is a reason to retry.
	Store string `json:"store,omitempty"`
	// Text, Done and Total are the leader's last progress, for the waiting gates.
	Text  string `json:"text,omitempty"`
	Done  int    `json:"done,omitempty"`
	Total int    `json:"total,omitempty"`
}

// The bounds of triggers. 30 s doubling up to 10 min is the design's own rule;
// jobGrace is how long a server may take from a POST until its status shows
// the job: upstream needs milliseconds, a busy event loop a second or two.
const (
	jobGrace     = 5 * time.Second
	firstBackoff = 30 * time.Second
	lastBackoff  = 10 * time.Minute
)

// ofInvocation returns the part of h that applies to the running orchestrator: nothing if it
// was restarted. Only systemd proves a restart. noJob, that the server knows of no job
// although one ran, does not: that is also the answer of a second worker process, and of a
// process that dies at every trigger. Then the job is gone, but the requests still count.
func (h History) ofInvocation(invocation string, noJob bool) History {
	if h.Invocation != "" && invocation != "" && h.Invocation != invocation {
		return History{Invocation: invocation}
	}
	if noJob {
		h.Job = nil
	}
	return h
}

// mayTrigger reports whether an idle orchestrator may be asked (again) to load,
// and if not, how long to wait until it may. A second POST follows when the
// first led to no job at all within its grace; from then on the waits double.
func (h History) mayTrigger(uptime time.Duration) (bool, time.Duration) {
	switch h.Triggers {
	case 0:
		return true, 0
	case 1:
		return h.since(uptime, jobGrace)
	default:
		return h.since(uptime, backoff(h.Triggers-2))
	}
}

// mayRefresh reports whether a job that ended badly may be run again: attempts
// times at once, then after waits that double, and never where attempts is 0.
// Once the store has changed since, only the first of these waits holds.
func (h History) mayRefresh(attempts int, uptime time.Duration, store string) bool {
	if attempts <= 0 {
		return false
	}
	if h.Refreshes < attempts {
		return true
	}
	if store != "" && h.Store != "" && store != h.Store {
		ok, _ := h.since(uptime, firstBackoff)
		return ok
	}
	ok, _ := h.since(uptime, backoff(h.Refreshes-attempts))
	return ok
}

// since reports whether wait has passed since the last POST, and what is left of
// it. An uptime before the last POST is another boot's record: nothing holds.
func (h History) since(uptime, wait time.Duration) (bool, time.Duration) {
	left := h.LastPost + wait - uptime
	return left <= 0 || uptime < h.LastPost, max(left, 0)
}

// backoff returns 30 s x 2^n, at most 10 min.
func backoff(n int) time.Duration {
	return min(firstBackoff<<min(max(n, 0), 5), lastBackoff)
}
