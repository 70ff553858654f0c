// SPDX-License-Identifier: Apache-2.0

// Package facts defines what a look at the machine can find: plain data,
// without judgement. Probes fill these types, judges (internal/check) read
// them.
package facts

// AnswerKind is how one HTTP request ended. The zero value is no answer.
type AnswerKind int

// How a request can end.
const (
	NoAnswer     AnswerKind = iota // not requested, or unknown
	Refused                        // no listener, reset, closed early, timed out: may recover
	ServerError                    // 5xx (or 429) without a state: may recover
	NotServed                      // 404 or 405: this server does not have that endpoint
	Redirected                     // 3xx: never followed
	Nonsense                       // anything else: wrong type, duplicate key, too large, trailing bytes
	Answered                       // 200, or 503 with its state under detail: well-formed
	Foreign                        // an answer, from a socket that is not the configured unit's
	Unattributed                   // an answer, from a socket whose unit is unknown
)

// Answer is what every request has in common.
type Answer struct {
	Kind   AnswerKind
	Status int    // HTTP status, 0 if none
	Detail string // evidence for a person: the error, or the head of the body
	NoHost bool   // the name of the host was not resolved
	Late   bool   // the time was up before it was complete
	// Server is the socket that gave the answer.
	Server Server
}

// Server is the other end of one TCP connection, according to the kernel. The
// zero value is unknown.
type Server struct {
	Local bool // the address belongs to this host
	// Group is the inode number of the directory of the control group, in the
	// cgroup2 hierarchy, in which the listening socket was created. 0: unknown;
	// 1: its root, as always on a host with cgroup v1.
	Group uint64
	// UID owns the socket; only valid if Accepted.
	UID      int
	Accepted bool
}

// Protocol describes the requests to one kind of orchestrator, for findings
// about missing answers.
type Protocol struct {
	Ready   string // the answer that means up
	Models  string // the answer that means reachable
	Preload string // the answer to a request to load
	Loaded  string // how the answer shows that a model is loaded; "": it counts models
	Loads   bool   // it loads models on request
	Placed  bool   // it reports of each model whether it is in GPU memory
}

// Health is the health of an orchestrator.
type Health struct {
	Answer
	SafeMode bool
}

// Readiness is whether an orchestrator reports that it is up. NotServed is not
// a problem: old servers do not have it.
type Readiness struct {
	Answer
	Ready bool
}

// ModelsLook is one look at the loaded models, or the answer to a load request.
type ModelsLook struct {
	Answer
	State ModelsState // only valid if Kind is Answered
}

// ModelsState is the state of the orchestrator's preload.
type ModelsState struct {
	AllReady   bool
	InProgress bool
	Total      int
	Done       int
	Failed     int
	Errors     []ModelError
	// StartedAt is in seconds of the server's clock; it identifies a job. Nil
	// if the server sent null: no job ever ran. HasStartedAt is false if the
	// server has no such field.
	HasStartedAt bool
	StartedAt    *float64
	CompletedAt  *float64
	// Missing are expected models that are not loaded, by name, and OnCPU loaded ones of
	// which at least a part is not in the memory of a GPU. Others are the unexpected names
	// that the server lists, if it does not list an expected one. A server that counts its
	// models names none.
	Missing []string
	OnCPU   []string
	Others  []string
	// PerAgent is the status of each model of each agent, nil if the answer had none.
	PerAgent map[string]map[string]string
}

// ModelError is one entry of the errors list.
type ModelError struct {
	Agent string `json:"agent"`
	Model string `json:"model"`
	Error string `json:"error"`
}

// VLLM is the orchestrator's report on the vLLM server that it starts.
type VLLM struct {
	Answer
	Enabled, Running bool
}

// BusHealth is the answer to GET /health of the MCP bus.
type BusHealth struct {
	Answer
	State string // overall_status or status
}

// Need is one try of a generic probe.
type Need struct {
	OK     bool
	Detail string // evidence for a person
}
