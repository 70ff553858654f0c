// SPDX-License-Identifier: Apache-2.0

package hostile

import "justnews/internal/facts"

// The faces: each was observed on a real server, or is that of a failing one.

func says(name string, s facts.ModelsState) face {
	return face{name: name, kind: facts.Answered, status: 200, state: s}
}

func fresh() face { return says("fresh", facts.ModelsState{HasStartedAt: true, AllReady: true}) }

func down() face { return face{name: "down", kind: facts.Refused} }

func trouble(status int) face { return face{name: "trouble", kind: facts.ServerError, status: status} }

func nonsense() face { return face{name: "nonsense", kind: facts.Nonsense, status: 200} }

func redirected() face { return face{name: "redirected", kind: facts.Redirected, status: 307} }

func notServed() face { return face{name: "not served", kind: facts.NotServed, status: 404} }

func hanging() face { return face{name: "hanging", hang: true} }

// job is a state of job number n, at the time base+n of the server's clock.
func job(n int, total, done, failed int, running bool) facts.ModelsState {
	started := 1795439865 + float64(n)
	s := facts.ModelsState{
		HasStartedAt: true, StartedAt: &started, InProgress: running,
		Total: total, Done: done, Failed: failed,
	}
	for range failed {
		s.Errors = append(s.Errors, facts.ModelError{Agent: "scout", Model: "bert", Error: "no snapshot"})
	}
	if !running {
		ended := started + 0.5
		s.CompletedAt = &ended
		s.AllReady = failed == 0 && done == total
	}
	return s
}

func running(n, done int) face { return says("running", job(n, mapTotal, done, 0, true)) }

func loaded(n int) face { return says("loaded", job(n, mapTotal, mapTotal, 0, false)) }

func failed(n int) face { return says("failed", job(n, mapTotal, mapTotal-1, 1, false)) }

func failing(n int) face { return says("failing", job(n, mapTotal, 1, 1, true)) }

// failed503 is failed as returned by POST without refresh: the state in a 503.
func failed503(n int) face {
	f := failed(n)
	f.name, f.status = "failed, 503", 503
	return f
}

func subset(n int) face { return says("subset", job(n, mapTotal-3, mapTotal-3, 0, false)) }

func emptyJob(n int) face { return says("empty job", job(n, 0, 0, 0, false)) }

func noTimes(n int) face {
	s := job(n, mapTotal, mapTotal, 0, false)
	s.HasStartedAt, s.StartedAt, s.CompletedAt = false, nil, nil
	return says("no times", s)
}

// staleRunning is the state right after a refresh: the new job's counters with the errors
// of the previous one.
func staleRunning(n int) face {
	s := job(n, 0, 0, 0, true)
	s.Errors = job(n-1, mapTotal, mapTotal-1, 1, false).Errors
	return says("stale errors, running", s)
}

func staleReady(n int) face {
	s := job(n, mapTotal, mapTotal, 0, false)
	s.Errors = job(n-1, mapTotal, mapTotal-1, 1, false).Errors
	return says("stale errors, ready", s)
}

func doubled(n int) face {
	s := job(n, mapTotal, mapTotal+4, 0, false)
	s.AllReady = false
	return says("double worker", s)
}

func readyRunning(n int) face {
	s := job(n, mapTotal, mapTotal, 0, true)
	s.AllReady = true
	return says("ready while running", s)
}

func readyShort(n int) face {
	s := job(n, mapTotal, mapTotal-1, 0, false)
	s.AllReady = true
	return says("ready, short", s)
}

func readyFailed(n int) face {
	s := job(n, mapTotal, mapTotal-1, 1, false)
	s.AllReady = true
	return says("ready, failed", s)
}

func neverReady(n int) face {
	s := job(n, mapTotal, mapTotal, 0, false)
	s.AllReady = false
	return says("done, not ready", s)
}

func ready503(n int) face {
	f := loaded(n)
	f.name, f.status = "ready, 503", 503
	return f
}

// ready is the second judge: the conditions in the design, written independently of
// internal/check.
func ready(l facts.ModelsLook) bool {
	s := l.State
	return l.Kind == facts.Answered && l.Status == 200 &&
		s.AllReady && !s.InProgress && s.Failed == 0 && len(s.Errors) == 0 &&
		s.Done == s.Total && s.Total > 0 && s.Total >= mapTotal &&
		(!s.HasStartedAt || s.StartedAt != nil)
}

// agree reports whether two looks show the same state of the same job.
func agree(a, b facts.ModelsState) bool {
	same := func(x, y *float64) bool { return (x == nil) == (y == nil) && (x == nil || *x == *y) }
	return same(a.StartedAt, b.StartedAt) && same(a.CompletedAt, b.CompletedAt) &&
		a.Total == b.Total && a.Done == b.Done && a.Failed == b.Failed && a.AllReady == b.AllReady
}
