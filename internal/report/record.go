// SPDX-License-Identifier: Apache-2.0

// Package report prints what a run found: as text, as JSON, to the journal, to
// systemd's status line and to a terminal's live line. All of them come from
// one record, so they cannot disagree. It judges nothing and never exits.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"sync"
	"time"

	"justnews/internal/check/mps"
	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/strictjson"
)

// SchemaVersion is the version of the summary's JSON. It is incremented when a
// field changes its meaning or is removed, not for a new field.
const SchemaVersion = 1

// Summary is the record of one run as JSON, as printed by --json and stored in
// the cache. Its schema is published as summary.schema.json.
type Summary struct {
	Schema   int     `json:"schema"`
	Program  string  `json:"program"`
	Version  string  `json:"version"`
	Run      string  `json:"run"` // gate, preload, preflight, mps start, mps wait, ready
	Instance string  `json:"instance,omitempty"`
	Unit     string  `json:"unit,omitempty"`
	Started  string  `json:"started"`   // RFC 3339, UTC, microseconds
	Elapsed  float64 `json:"elapsed_s"` // seconds
	// Boot and Monotonic relate the run to systemd's own timestamps, which
	// setting the clock does not change. Absent if unknown.
	Boot      string            `json:"boot_id,omitempty"`
	Monotonic float64           `json:"monotonic_s,omitempty"` // CLOCK_MONOTONIC at Started, seconds
	Told      float64           `json:"told_s,omitempty"`      // CLOCK_BOOTTIME when the journal last got a line of its first error, seconds
	Timeout   SummaryTimeout    `json:"timeout"`
	Verdict   string            `json:"verdict"` // ready, warnings, refused, switched-off
	Status    int               `json:"status"`  // exit status
	Models    gate.ModelsResult `json:"models"`
	MPS       *gate.MPSResult   `json:"mps,omitempty"` // absent if MPS was not checked
	GPU       *GPUs             `json:"gpu,omitempty"` // absent if the GPUs were not checked
	Steps     []SummaryStep     `json:"steps"`
	Problems  []diag.Problem    `json:"problems"`
}

// SummaryTimeout is the timeout of the run.
type SummaryTimeout struct {
	Seconds float64 `json:"seconds"`
	Origin  string  `json:"origin"`
}

// SummaryStep is one step of the run, in the order in which it was taken.
type SummaryStep struct {
	Name    string  `json:"name"`
	Verdict string  `json:"verdict"` // passed, failed, not-reached, not-asked, switched-off
	Start   float64 `json:"start_s"` // seconds since the run began
	Elapsed float64 `json:"elapsed_s"`
	Detail  string  `json:"detail,omitempty"`
}

// Summarize turns a result into its record. Strings from outside are cleaned,
// so that the record can be printed safely with any tool.
func Summarize(run, version string, r gate.Result) Summary {
	s := Summary{
		Schema: SchemaVersion, Program: "justnews-gate", Version: version, Run: run,
		Instance: Brief(r.Instance), Unit: diag.Clean(r.Unit),
		Started: r.Started.UTC().Format("2006-01-02T15:04:05.000000Z"),
		Elapsed: Seconds(r.Elapsed),
		Timeout: SummaryTimeout{Seconds(r.Timeout.Value), r.Timeout.Origin},
		Verdict: verdict(r), Status: int(r.Status),
		Models: r.Models, GPU: GPUsOf(r.GPU),
		Steps: []SummaryStep{}, Problems: Clean(r.Problems),
	}
	if r.MPS.Required != mps.NoRung {
		r.MPS.Unit = diag.Clean(r.MPS.Unit)
		s.MPS = &r.MPS
	}
	for _, st := range r.Steps {
		v := string(st.Verdict)
		if st.Verdict == gate.NotReached {
			v = notReached
		}
		s.Steps = append(s.Steps, SummaryStep{st.Name, v, Seconds(st.Start), Seconds(st.Elapsed), Brief(st.Detail)})
	}
	return s
}

// JSON returns the record as indented JSON with a final newline.
func (s Summary) JSON() []byte {
	b, _ := json.MarshalIndent(s, "", "  ") // it has only values that JSON has
	return append(b, '\n')
}

// verdict returns the outcome. Only a survey has status 2, warnings only.
func verdict(r gate.Result) string {
	if r.Status == diag.StatusWarnings {
		return "warnings"
	}
	if !r.Passed() {
		return "refused"
	}
	for _, s := range r.Steps {
		if s.Verdict == gate.Ungated {
			return string(gate.Ungated)
		}
	}
	return "ready"
}

// notReached is the verdict of a step that was not run because an earlier one
// failed.
const notReached = "not-reached"

// Seconds rounds to microseconds, as finer digits are noise.
func Seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1e6) / 1e6 }

// Regular expressions are compiled by the runs that read a record: a gate does not.
var (
	runName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[a-z]{1,20}( [a-z]{1,20})?$`)
	})
	instanceName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^([a-z][a-z0-9_]{0,62})?$`)
	})
	codeName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[A-Z][A-Z0-9]{0,40}(-[A-Z0-9]{1,40}){0,6}$`)
	})
)

// ReadSummary reads a record. It accepts what Summarize writes and nothing
// inconsistent: a record may be older than this program, and anyone who can write the file
// may have written anything. Fields that a newer version added are
// ignored; another version of the schema is an error.
func ReadSummary(text []byte) (Summary, error) {
	limits := strictjson.Limits{Bytes: 1 << 20, Depth: 16} // ours have a few kilobytes and five levels
	if _, err := strictjson.Parse(text, limits); err != nil {
		return Summary{}, fmt.Errorf("cannot read the summary: %w", err)
	}
	var s Summary
	if err := json.Unmarshal(text, &s); err != nil {
		return Summary{}, fmt.Errorf("cannot read the summary: %w", err)
	}
	if err := s.check(); err != nil {
		return Summary{}, fmt.Errorf("cannot trust the summary: %w", err)
	}
	return s, nil
}

// Began returns the time at which the run began.
func (s Summary) Began() (time.Time, error) { return time.Parse(time.RFC3339Nano, s.Started) }

// FirstError returns the problem that kept the gate shut, nil if there is none.
func (s Summary) FirstError() *diag.Problem {
	for i, p := range s.Problems {
		if p.Severity == diag.Error {
			return &s.Problems[i]
		}
	}
	return nil
}

func (s Summary) check() error {
	began, err := s.Began()
	switch {
	case s.Schema != SchemaVersion:
		return fmt.Errorf("schema %d, this program knows %d", s.Schema, SchemaVersion)
	case s.Program != "justnews-gate":
		return fmt.Errorf("program is %.40q", s.Program)
	case !runName().MatchString(s.Run):
		return fmt.Errorf("run is %.40q", s.Run)
	case !instanceName().MatchString(s.Instance):
		return fmt.Errorf("instance is %.40q", s.Instance)
	case err != nil || began.Year() < 2000 || began.Year() >= 2200:
		return fmt.Errorf("started is %.40q", s.Started)
	case s.Status < 0 || s.Status > 255:
		return fmt.Errorf("status is %d", s.Status)
	}
	return errors.Join(s.checkVerdict(), s.checkTimes(), s.checkProblems())
}

// checkVerdict compares verdict and exit status, so that both mean the same.
func (s Summary) checkVerdict() error {
	passed := s.Status == int(diag.StatusReady)
	switch s.Verdict {
	case "ready", string(gate.Ungated):
		if !passed || s.FirstError() != nil {
			return fmt.Errorf("verdict is %s, with status %d", s.Verdict, s.Status)
		}
	case "warnings":
		if s.Status != int(diag.StatusWarnings) {
			return fmt.Errorf("verdict is %s, with status %d", s.Verdict, s.Status)
		}
	case "refused":
		if passed {
			return errors.New("verdict is refused, with status 0")
		}
	default:
		return fmt.Errorf("verdict is %.40q", s.Verdict)
	}
	return nil
}

// Limits of plausible times, in seconds: a gate's timeout is at most a day,
// and no machine runs for a century.
const (
	longest = 2 * 86400
	oldest  = 100 * 366 * 86400
)

func (s Summary) checkTimes() error {
	if s.Elapsed < 0 || s.Elapsed > longest || s.Monotonic < 0 || s.Monotonic > oldest {
		return fmt.Errorf("elapsed_s is %g, monotonic_s %g", s.Elapsed, s.Monotonic)
	}
	verdicts := []string{string(gate.Passed), string(gate.Failed), notReached, string(gate.Skipped), string(gate.Ungated)}
	for _, st := range s.Steps {
		if !runName().MatchString(st.Name) || !slices.Contains(verdicts, st.Verdict) {
			return fmt.Errorf("a step %.40q is %.40q", st.Name, st.Verdict)
		}
		if st.Start < 0 || st.Elapsed < 0 || st.Start+st.Elapsed > longest {
			return fmt.Errorf("the step %s lasts from %g s for %g s", st.Name, st.Start, st.Elapsed)
		}
	}
	return nil
}

func (s Summary) checkProblems() error {
	for _, p := range s.Problems {
		if !codeName().MatchString(string(p.Code)) {
			return fmt.Errorf("a problem's code is %.40q", p.Code)
		}
	}
	return nil
}
