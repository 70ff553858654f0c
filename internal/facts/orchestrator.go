// SPDX-License-Identifier: Apache-2.0

// Package facts holds what a look at the machine can find: plain data, no
// judgement. Probes fill these types, judges (internal/check) read them.
package facts

import "time"

// AnswerKind says how one HTTP request ended. The zero value is no answer.
type AnswerKind int

// How a request can end.
const (
	NoAnswer     AnswerKind = iota // nothing was asked, or nothing is known
	Refused                        // no listener, reset, closed early, timed out: may get better
	ServerError                    // 5xx (or 429) without a state: may get better
	NotServed                      // 404 or 405: this server does not have that endpoint
	Redirected                     // 3xx: never followed
	Nonsense                       // anything else: wrong type, duplicate key, too large, trailing bytes
	Answered                       // 200, or 503 with its state under detail: well-formed
	Foreign                        // an answer, from a socket that is not the configured unit's
	Unattributed                   // an answer, from a socket of which it cannot be told whose it is
)

// Answer is what every request has in common.
type Answer struct {
	Kind    AnswerKind
	Status  int    // HTTP status, 0 where none came
	Detail  string // evidence for a person: the error, or the head of the body
	Elapsed time.Duration
	// Server is whose socket gave the answer.
	Server Server
}

// Server is the other end of one TCP connection, as the kernel has it. The zero
// value is an end that nothing is known of.
type Server struct {
	Local bool // the address is one of this host
	// Group is the inode number of the directory of the control group, in the
	// cgroup2 hierarchy, in which the listening socket was made. 0: not known;
	// 1: its root, which is all that a host with cgroup v1 says.
	Group uint64
	// UID owns the socket; it means something only after Accepted.
	UID      int
	Accepted bool
}

// Protocol says in words what one kind of orchestrator is asked for, for the
// findings about answers that did not come.
type Protocol struct {
	Ready   string // what says that it is up
	Models  string // what says that it answers at all
	Preload string // what a request to load is answered with
}

// Health is the answer of an orchestrator that runs.
type Health struct {
	Answer
	SafeMode bool
}

// Readiness is whether an orchestrator says that it is up. NotServed is no fault:
// old servers cannot be asked for it.
type Readiness struct {
	Answer
	Ready bool
}

// ModelsLook is one look at what is loaded, or the answer to a request to load.
type ModelsLook struct {
	Answer
	State ModelsState // means something only where Kind is Answered
}

// ModelsState is the orchestrator's own account of its preload.
type ModelsState struct {
	AllReady   bool
	InProgress bool
	Total      int
	Done       int
	Failed     int
	Errors     []ModelError
	// StartedAt is in seconds of the server's clock; it identifies a job. Nil
	// where the server said null: no job ever ran. HasStartedAt is false where
	// the server has no such field at all.
	HasStartedAt bool
	StartedAt    *float64
	CompletedAt  *float64
	// PerAgent is nil where the answer had none.
	PerAgent map[string]map[string]ModelLoad
}

// ModelError is one entry of the errors list.
type ModelError struct {
	Agent string `json:"agent"`
	Model string `json:"model"`
	Error string `json:"error"`
}

// ModelLoad is the state of one model of one agent.
type ModelLoad struct {
	Status string
	Error  string
}

// BusHealth is the answer to GET /health of the MCP bus.
type BusHealth struct {
	Answer
	State string // overall_status or status, as the bus has it
}

// Need is one try of a generic probe.
type Need struct {
	OK     bool
	Detail string // evidence for a person
}
