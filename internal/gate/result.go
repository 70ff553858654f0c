// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"time"

	"justnews/internal/check/mps"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// Verdict of a step or a run. The zero value has not passed.
type Verdict string

// The verdicts.
const (
	NotReached Verdict = ""             // an earlier step ended the run
	Passed     Verdict = "passed"       // verified
	Failed     Verdict = "failed"       // refused, with problems
	Skipped    Verdict = "not-asked"    // not required by the run
	Ungated    Verdict = "switched-off" // justnews.gate=off
)

// Result is the one record of a run. Text, JSON, journal and exit status are
// all made from it.
type Result struct {
	Instance string
	Unit     string
	Started  time.Time     // wall clock, for people
	Elapsed  time.Duration // monotonic
	Timeout  requirement.Timeout
	Status   diag.Status
	Refused  bool // it ended before its first look
	Steps    []StepResult
	Problems []diag.Problem
	Models   ModelsResult
	MPS      MPSResult
	// GPU is the last look at the GPUs, nil where none was asked for.
	GPU *facts.GPULook
}

// MPSResult is how far MPS was verified. The zero value: not required.
type MPSResult struct {
	Required mps.Rung // what mps.require asks for
	Reached  mps.Rung
	Unit     string
	Started  bool // this run started the unit
	Daemon   int  // PID of the control daemon, 0: not known
	Server   int  // PID of the server, 0: none was asked for
	Asked    int  // queries of this run
}

// StepResult is the result of one step.
type StepResult struct {
	Name    string
	Verdict Verdict
	Start   time.Duration // since the run began
	Elapsed time.Duration
	Detail  string
	// Done and Total are the models that the step counted, 0: it counted none.
	Done, Total int
}

// ModelsResult is the last state of the preload, and this run's actions, also as JSON.
type ModelsResult struct {
	State    string `json:"state"` // as judged
	Done     int    `json:"done"`
	Total    int    `json:"total"`
	Failed   int    `json:"failed"`
	Expected int    `json:"expected"` // by AGENT_MODEL_MAP, -1: unknown
	Looks    int    `json:"looks"`    // GET requests of this run
	Triggers int    `json:"triggers"` // POST requests of this run
	Led      bool   `json:"led"`      // this run held the lead
}

// Passed reports whether the gate opens.
func (r Result) Passed() bool { return r.Status == diag.StatusReady }

// Settle computes the exit status of a run, also after problems were added: that
// of the first error, in the order in which they were found; ready only if every
// step passed or was not required. A run without steps has verified nothing.
func (r *Result) Settle() {
	for _, p := range r.Problems {
		if p.Severity == diag.Error {
			r.Status = p.Status()
			return
		}
	}
	r.Status = diag.StatusInternal
	for _, s := range r.Steps {
		if s.Verdict != Passed && s.Verdict != Skipped {
			return
		}
	}
	if len(r.Steps) > 0 {
		r.Status = diag.StatusReady
	}
}
