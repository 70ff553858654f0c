// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"errors"
	"time"

	"justnews/internal/diag"
	"justnews/internal/requirement"
)

var sequences = []sequence{
	{
		story:  "fresh, triggered, running, loaded",
		beats:  []beat{show(0, fresh())},
		posted: [][]beat{{show(0, running(1, 0)), show(3*s, running(1, 5)), show(6*s, loaded(1))}},
		status: diag.StatusReady, posts: 1, within: 7 * s,
	},
	{
		story: "killed while loading, back vacuous, triggered again",
		beats: []beat{show(0, fresh())},
		posted: [][]beat{
			{show(0, running(1, 0)), show(2*s, down()), restart(5*s, fresh())},
			{show(0, running(2, 0)), show(2*s, loaded(2))},
		},
		status: diag.StatusReady, posts: 2, within: 9 * s,
	},
	{
		story: "killed and back between two looks: nobody saw the port closed",
		beats: []beat{show(0, fresh())},
		posted: [][]beat{
			{show(0, running(1, 0)), restart(2*s, fresh())},
			{show(0, running(2, 0)), show(2*s, loaded(2))},
		},
		status: diag.StatusReady, posts: 2, within: 9 * s,
	},
	{
		story: "killed and back between two looks, without systemd",
		beats: []beat{show(0, fresh())},
		posted: [][]beat{
			{show(0, running(1, 0)), restart(2*s, fresh())},
			{show(0, running(2, 0)), show(2*s, loaded(2))},
		},
		prepare: func(h *host, _ *requirement.Run) { h.systemd = false },
		status:  diag.StatusReady, posts: 2, within: 9 * s,
	},
	{
		story: "killed right after it was ready, back vacuous",
		beats: []beat{show(0, loaded(1))},
		prepare: func(h *host, _ *requirement.Run) {
			h.server.onLook = map[int]func(*orchestrator){1: (*orchestrator).restart}
		},
		posted: [][]beat{{show(0, running(2, 0)), show(2*s, loaded(2))}},
		status: diag.StatusReady, posts: 1, within: 3 * s,
	},
	{
		story: "dies at every trigger and comes back vacuous: no storm",
		beats: []beat{show(0, fresh())},
		posted: [][]beat{
			{show(0, running(1, 0)), show(s/2, down()), show(s, fresh())},
		},
		prepare: func(h *host, _ *requirement.Run) { h.systemd = false },
		status:  diag.StatusFailed, code: diag.ModelsIncomplete, posts: 2, within: 11 * s,
	},
	{
		story:  "vacuous before and after the POST, which it swallows",
		beats:  []beat{show(0, fresh())},
		status: diag.StatusFailed, code: diag.ModelsIncomplete, posts: 2, within: 12 * s,
	},
	{
		story:  "an empty map: the job is over at once, over nothing",
		beats:  []beat{show(0, fresh())},
		posted: [][]beat{{show(0, emptyJob(1))}, {show(0, emptyJob(2))}},
		status: diag.StatusFailed, code: diag.PreloadEmpty, posts: 2, within: s,
	},
	{
		story:  "somebody loaded a subset before us; our job loads all",
		beats:  []beat{show(0, subset(1))},
		posted: [][]beat{{show(0, running(2, 0)), show(2*s, loaded(2))}},
		status: diag.StatusReady, posts: 1, within: 3 * s,
	},
	{
		story:  "our own job loads a subset, twice",
		beats:  []beat{show(0, fresh())},
		posted: [][]beat{{show(0, running(1, 0)), show(s, subset(1))}, {show(0, running(2, 0)), show(s, subset(2))}},
		status: diag.StatusFailed, code: diag.ModelsIncomplete, posts: 2, within: 3 * s,
	},
	{
		story: "failed before us; the refresh still shows the old errors, then loads",
		beats: []beat{show(0, failed(1))},
		posted: [][]beat{{
			show(0, failed(1)), show(s, staleRunning(2)), show(2*s, running(2, 4)), show(4*s, loaded(2)),
		}},
		status: diag.StatusReady, posts: 1, within: 5 * s,
	},
	{
		story:  "ready with the errors of an earlier job still listed",
		beats:  []beat{show(0, staleReady(2))},
		posted: [][]beat{{show(0, running(3, 0)), show(s, loaded(3))}},
		status: diag.StatusReady, posts: 1, within: 2 * s,
	},
	{
		story:  "ready with leftover errors for ever",
		beats:  []beat{show(0, staleReady(2))},
		posted: [][]beat{{show(0, staleRunning(3)), show(s, staleReady(3))}},
		status: diag.StatusNonsense, code: diag.ModelsInconsistent, posts: 1, within: 2 * s,
	},
	{
		story:  "two jobs at once, started by somebody else: done passes total",
		beats:  []beat{show(0, running(1, 4)), show(2*s, doubled(1))},
		posted: [][]beat{{show(0, running(2, 0)), show(2*s, loaded(2))}},
		status: diag.StatusReady, posts: 1, within: 5 * s,
	},
	{
		story:  "double counted for ever",
		beats:  []beat{show(0, doubled(1))},
		posted: [][]beat{{show(0, doubled(2))}},
		status: diag.StatusNonsense, code: diag.ModelsInconsistent, posts: 1, within: 2 * s,
	},
	{
		story: "regresses at once after one ready look, then loads again",
		beats: []beat{show(0, loaded(1))},
		prepare: func(h *host, _ *requirement.Run) {
			h.server.turn(1, running(2, 3))
			h.server.after(5*s, func(o *orchestrator) { o.faces = []face{loaded(2)} })
		},
		status: diag.StatusReady, posts: 0, within: 6 * s,
	},
	{
		story:   "ready for one look, then failed for ever",
		beats:   []beat{show(0, loaded(1))},
		prepare: func(h *host, _ *requirement.Run) { h.server.turn(1, failed(1)) },
		status:  diag.StatusFailed, code: diag.ModelFailed, posts: 1, within: 7 * s,
	},
	{
		story:   "ready for two looks, then vacuous for ever",
		beats:   []beat{show(0, loaded(1))},
		prepare: func(h *host, _ *requirement.Run) { h.server.turn(2, fresh()) },
		status:  diag.StatusFailed, code: diag.ModelsIncomplete, posts: 2, within: 12 * s,
	},
	{
		story:  "a 503 with the failed state under detail; the refresh fixes it",
		beats:  []beat{show(0, failed503(1))},
		posted: [][]beat{{show(0, running(2, 0)), show(2*s, loaded(2))}},
		status: diag.StatusReady, posts: 1, within: 3 * s,
	},
	{
		story:  "a 503 whose state says ready",
		beats:  []beat{show(0, ready503(1))},
		posted: [][]beat{{show(0, ready503(2))}},
		status: diag.StatusNonsense, code: diag.ModelsInconsistent, posts: 1, within: 2 * s,
	},
	{
		story:  "the old server's 500 until somebody refreshes it",
		beats:  []beat{show(0, trouble(500)), show(10*s, running(1, 0)), show(12*s, loaded(1))},
		status: diag.StatusReady, posts: 0, within: 13 * s,
	},
	{
		story:  "the old server's 500, and nobody refreshes it",
		beats:  []beat{show(0, trouble(500))},
		status: diag.StatusUnavailable, code: diag.OrchestratorUnreachable, posts: 0, within: 31 * s,
	},
	{
		story:  "502 and 503 of a proxy for a while, then the real server",
		beats:  []beat{show(0, trouble(502)), show(2*s, trouble(503)), show(4*s, fresh())},
		posted: [][]beat{{show(0, running(1, 0)), show(2*s, loaded(1))}},
		status: diag.StatusReady, posts: 1, within: 7 * s,
	},
	{
		story:  "429 for ever",
		beats:  []beat{show(0, trouble(429))},
		status: diag.StatusUnavailable, code: diag.OrchestratorUnreachable, posts: 0, within: 31 * s,
	},
	{
		story:  "the port is closed for 19 s while it registers",
		beats:  []beat{show(0, down()), show(19*s, fresh())},
		posted: [][]beat{{show(0, running(1, 0)), show(2*s, loaded(1))}},
		status: diag.StatusReady, posts: 1, within: 22 * s,
	},
	{
		story:  "hangs, is killed, comes back",
		beats:  []beat{show(0, hanging()), show(10*s, down()), restart(12*s, fresh())},
		posted: [][]beat{{show(0, running(1, 0)), show(2*s, loaded(1))}},
		status: diag.StatusReady, posts: 1, within: 16 * s,
	},
	{
		story:  "hangs for ever",
		beats:  []beat{show(0, hanging())},
		status: diag.StatusUnavailable, code: diag.OrchestratorUnreachable, posts: 0, within: 31 * s,
	},
	{
		story:   "answers, and hangs on the models for all the time there is",
		beats:   []beat{show(0, fresh(), fresh(), hanging())},
		prepare: func(_ *host, w *requirement.Run) { w.Timeout.Value = 2 * s },
		status:  diag.StatusUnavailable, code: diag.OrchestratorUnreachable, posts: 0, within: 3 * s,
	},
	{
		story:  "a POST that is never answered, and the job runs",
		beats:  []beat{show(0, fresh())},
		posted: [][]beat{{show(0, hanging()), show(4*s, running(1, 3)), show(8*s, loaded(1))}},
		status: diag.StatusReady, posts: 1, within: 10 * s,
	},
	{
		story:  "two worker processes, one of which never had a job",
		beats:  []beat{show(0, loaded(1), fresh())},
		posted: [][]beat{{show(0, loaded(2), fresh())}},
		status: diag.StatusNonsense, code: diag.ModelsInconsistent, posts: 1, within: 8 * s,
	},
	{
		story:  "two worker processes, each with a job of its own, both ready",
		beats:  []beat{show(0, loaded(1), loaded(2))},
		posted: [][]beat{{show(0, loaded(3), loaded(2))}},
		status: diag.StatusNonsense, code: diag.ModelsInconsistent, posts: 1, within: 8 * s,
	},
	{
		story:  "two worker processes, one ready, one running",
		beats:  []beat{show(0, loaded(1), running(2, 3))},
		status: diag.StatusTimeout, code: diag.ModelsTimeout, posts: 0, within: 31 * s,
	},
	{
		story:  "ready, and every second request is lost: it is repeated, and nothing is loaded again",
		beats:  []beat{show(0, loaded(1), down())},
		status: diag.StatusReady, posts: 0, within: s,
	},
	{
		story:  "ready, but another program answers every second request",
		beats:  []beat{show(0, loaded(1), nonsense())},
		status: diag.StatusNonsense, code: diag.OrchestratorNonsense, posts: 0, within: 31 * s,
	},
	{
		story:  "two worker processes, one ready, one still at the same job, which ends",
		beats:  []beat{show(0, loaded(1), running(1, 7)), show(5*s, loaded(1))},
		status: diag.StatusReady, posts: 0, within: 6 * s,
	},
	{
		story:  "ready while running",
		beats:  []beat{show(0, readyRunning(1))},
		status: diag.StatusNonsense, code: diag.ModelsInconsistent, posts: 0, within: 31 * s,
	},
	{
		story:  "ready and short of one model",
		beats:  []beat{show(0, readyShort(1))},
		posted: [][]beat{{show(0, readyShort(2))}},
		status: diag.StatusNonsense, code: diag.ModelsInconsistent, posts: 1, within: 2 * s,
	},
	{
		story:  "ready and failed",
		beats:  []beat{show(0, readyFailed(1))},
		posted: [][]beat{{show(0, running(2, 0)), show(s, loaded(2))}},
		status: diag.StatusReady, posts: 1, within: 3 * s,
	},
	{
		story:  "every model done and never all_ready",
		beats:  []beat{show(0, neverReady(1))},
		posted: [][]beat{{show(0, neverReady(2))}},
		status: diag.StatusNonsense, code: diag.ModelsInconsistent, posts: 1, within: 2 * s,
	},
	{
		story:  "fails again after the refresh",
		beats:  []beat{show(0, fresh())},
		posted: [][]beat{{show(0, running(1, 0)), show(s, failed(1))}, {show(0, staleRunning(2)), show(s, failed(2))}},
		status: diag.StatusFailed, code: diag.ModelFailed, posts: 2, within: 3 * s,
	},
	{
		story:  "a reported error ends the wait while the job still runs",
		beats:  []beat{show(0, fresh())},
		posted: [][]beat{{show(0, running(1, 0)), show(s, failing(1))}},
		status: diag.StatusFailed, code: diag.ModelFailed, posts: 1, within: 2 * s,
	},
	{
		story:  "another server takes the port: 404",
		beats:  []beat{show(0, running(1, 3)), show(2*s, notServed())},
		status: diag.StatusNonsense, code: diag.OrchestratorNonsense, posts: 0, within: 3 * s,
	},
	{
		story:  "a captive portal redirects everything",
		beats:  []beat{show(0, redirected())},
		status: diag.StatusNonsense, code: diag.OrchestratorNonsense, posts: 0, within: s,
	},
	{
		story:  "two answers without sense among good ones",
		beats:  []beat{show(0, running(1, 3)), show(2*s, nonsense()), show(2*s+300*time.Millisecond, running(1, 4)), show(4*s, loaded(1))},
		status: diag.StatusReady, posts: 0, within: 5 * s,
	},
	{
		story:  "a server without times, as in the runbook's own reference",
		beats:  []beat{show(0, noTimes(1))},
		status: diag.StatusReady, posts: 0, within: s,
	},
	{
		story:  "the lock cannot be taken at all: the record alone bounds the triggers",
		beats:  []beat{show(0, fresh())},
		posted: [][]beat{{show(0, running(1, 0)), show(3*s, loaded(1))}},
		prepare: func(h *host, _ *requirement.Run) {
			h.lock.broken = errors.New("cannot take the lock: input/output error")
		},
		status: diag.StatusReady, posts: 1, within: 4 * s,
	},
	{
		story:   "the lock's file is removed again and again: nobody leads, nobody triggers, nobody hammers",
		beats:   []beat{show(0, fresh())},
		prepare: func(h *host, _ *requirement.Run) { h.lock.stolen = true },
		status:  diag.StatusTimeout, code: diag.PreloadTimeout, posts: 0, within: 31 * s,
	},
}
