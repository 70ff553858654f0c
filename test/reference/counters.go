// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"maps"
	"slices"
	"sync"
)

// Counters count the server's events since it was started; a restart within the process does
// not reset them. Times are CLOCK_MONOTONIC, nanoseconds.
type Counters struct {
	Requests       int            `json:"requests"`
	ByPath         map[string]int `json:"by_path"`         // "GET /models/status": how many
	Posts          int            `json:"posts"`           // every POST
	Preloads       int            `json:"preloads"`        // POST /models/preload, with any result
	Refreshes      int            `json:"refreshes"`       // of those, with refresh: true
	Jobs           int            `json:"jobs"`            // preload jobs that were started
	Loads          int            `json:"loads"`           // models that were read
	MaxConcurrent  int            `json:"max_concurrent"`  // requests at one time
	Connections    int            `json:"connections"`     // accepted
	MaxConnections int            `json:"max_connections"` // open at one time
	Restarts       int            `json:"restarts"`
	OpenedNS       []int64        `json:"opened_ns"` // the port opened
	ClosedNS       []int64        `json:"closed_ns"` // the port closed
	FlipsNS        []int64        `json:"flips_ns"`  // a job's last model made all_ready true
	JobsNS         []int64        `json:"jobs_ns"`   // a job started
}

// ledger is Counters under a lock.
type ledger struct {
	mu          sync.Mutex
	c           Counters
	concurrent  int
	connections int
}

func (l *ledger) note(change func(*Counters)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.c)
}

func (l *ledger) begin(method, path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.c.ByPath == nil {
		l.c.ByPath = map[string]int{}
	}
	l.c.Requests++
	l.c.ByPath[method+" "+path]++
	if method == "POST" {
		l.c.Posts++
		if path == preloadPath {
			l.c.Preloads++
		}
	}
	l.concurrent++
	l.c.MaxConcurrent = max(l.c.MaxConcurrent, l.concurrent)
}

func (l *ledger) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.concurrent--
}

func (l *ledger) connection(change int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.connections += change
	l.c.Connections += max(change, 0)
	l.c.MaxConnections = max(l.c.MaxConnections, l.connections)
}

func (l *ledger) read() Counters {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.c
	c.ByPath = maps.Clone(c.ByPath)
	c.OpenedNS, c.ClosedNS = slices.Clone(c.OpenedNS), slices.Clone(c.ClosedNS)
	c.FlipsNS, c.JobsNS = slices.Clone(c.FlipsNS), slices.Clone(c.JobsNS)
	return c
}
