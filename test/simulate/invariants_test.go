// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"slices"
	"time"

	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/requirement"
)

// recovery is how long a host may take from the end of the last fault until it is up: the
// longest delay between two refreshes, and two starts.
const recovery = 13 * time.Minute

// opened checks that a gate that opens has verified what it requires. h.mu is held.
func (h *host) opened(p *process, w requirement.Run) {
	if w.RequireModels && p.looks < 3 {
		h.fail("%s opened, and the orchestrator itself had shown its models as loaded %d times in a row", p.name, p.looks)
	}
	if w.RequireBus && !p.unit.preload && !p.busLook {
		h.fail("%s opened, and the last answer was not the bus's own", p.name)
	}
	// A gate looks at its unit at the very instant at which it opens.
	if p.unit.instance != "" && (!p.markLook || p.config != h.now || p.unit.mark.Mark != h.config().marks[p.unit.instance].Mark) {
		h.fail("%s opened a unit that is not the configured one", p.name)
	}
	if w.RequireMPS && !p.mpsLook {
		h.fail("%s opened, and the MPS daemon had not answered", p.name)
	}
	if w.RequireModels {
		if !p.storeLook {
			h.fail("%s opened with a store that is not complete", p.name)
		}
	}
}

// named checks that a refusal names a fault that happened. h.mu is held.
func (h *host) named(p *process, res gate.Result) {
	errs := diag.Errors(res.Problems)
	if len(errs) == 0 {
		h.fail("%s was refused, and no problem says why", p.name)
	}
	if len(h.happened) == 0 {
		h.fail("%s was refused on a host without a fault: %v", p.name, errs)
	}
	for _, problem := range errs {
		h.codes[problem.Code]++
		if !h.explained(problem.Code) {
			h.fail("%s was refused with %s: %s; %s: nothing that happened explains that", p.name, problem.Code, problem.Message, problem.Seen)
		}
	}
}

func (h *host) explained(code diag.Code) bool {
	if slices.Contains(consequences, code) {
		return true
	}
	// If the record of failed requests delays the next one, this is all that can be
	// reported about a server that loads nothing.
	if h.old && code == diag.PreloadEmpty {
		return true
	}
	return slices.ContainsFunc(everyFault, func(f fault) bool { return h.happened[f.name] && slices.Contains(f.codes, code) })
}

// window is the shortest delay that a record enforces between two load requests once the
// quick ones are used up.
const window = 30 * time.Second

// bounded checks the number of load requests that one orchestrator process received: within
// any window the two quick triggers, the quick refreshes, one that was due anyway, and as
// many again each time a gate had verified the models and thereby cleared the record. If the
// record or the lock was broken, only each single run is bounded. h.mu is held.
func (h *host) bounded() {
	for _, name := range []string{"the disk is full", "the disk fails", "the disk reports errors late", "the lock's file is removed", "messages are lost, delayed and repeated"} {
		if h.happened[name] {
			return
		}
	}
	from := time.Now().Add(-window)
	recent := 0
	for _, at := range h.posts {
		if at.After(from) {
			recent++
		}
	}
	attempts := max(h.configs[0].host.Gate.RefreshAttempts, h.configs[1].host.Gate.RefreshAttempts)
	most := (3 + attempts) * (1 + h.opens)
	if h.old { // another gate's answer opens none, so each sends its own request
		most += len(h.order)
	}
	if recent > most {
		h.fail("%d requests to load within %v, at most %d", recent, window, most)
		h.posts = nil
	}
}

// inTransit is the longest time from a leader's check of its lock until its load request
// arrives: a record, and half of the slowest exchange.
const inTransit = 3 * time.Second

// entitled checks that the sender of a load request still leads: after the lock file was
// removed, there may be two leaders. h.mu is held.
func (h *host) entitled(p *process) {
	if p != nil && !p.halted && !p.lock.StillMine() && time.Since(h.unlocked) > inTransit {
		h.fail("%s requested to load, and the lock is not its own", p.name)
	}
}
