// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Started is what a server was started with: the gate of the orchestrator and of
// the bus leaves it for the gates that wait for them. Agents can write it too, so
// it opens nothing: at most it has a server restarted that no instance uses.
type Started struct {
	Invocation string `json:"invocation"` // InvocationID of the unit's start
	Mark       string `json:"mark"`       // of its configuration
	// Files are states of what else systemd made the process of, by path: NoFile,
	// UnknownFile where it may not be looked at, or OldFile where systemd may have read
	// another state than the present one.
	Files map[string]string `json:"files"`
}

// What is known of a file that has no state.
const (
	NoFile      = ""
	UnknownFile = "?"
	OldFile     = "old"
)

// Outdated reports whether u is active, and was started with something else than
// now, which is what systemd would start it with.
func (s Started) Outdated(u facts.Unit, now Started) bool {
	if u.ActiveState != "active" || s.Invocation == "" || s.Invocation != u.InvocationID {
		return false
	}
	if s.Mark != now.Mark {
		return true
	}
	return differ(s.Files, now.Files) || differ(now.Files, s.Files)
}

// differ reports whether a file of one has a different state in the other; a missing
// file has the state NoFile.
func differ(one, other map[string]string) bool {
	for path, state := range one {
		if there := other[path]; there != state && there != UnknownFile && state != UnknownFile {
			return true
		}
	}
	return false
}

// renew requests the restart of a server that was started with an outdated
// configuration, and returns the problem if this run itself is outdated. It is called
// only while a run makes no progress.
func (r *runner) renew(ctx context.Context) []diag.Problem {
	if r.world.Renew == nil || ctx.Err() != nil {
		return nil
	}
	if p := r.world.Renew(ctx); p != nil {
		return []diag.Problem{*p}
	}
	return nil
}
