// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/strictjson"
)

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
