// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Step is an action at a time after the server's start.
type Step struct {
	At      time.Duration
	Set     []string      // replaces all behaviours in force; empty: behave
	Release bool          // end hold
	Restart bool          // replace the process
	Down    time.Duration // how long the restart takes
}

// ParseScript reads a list of steps, durations as text:
//
//	[{"at":"2s","set":["500@/models/status"]},{"at":"5s","set":[]},{"at":"6s","restart":true,"down":"1s"}]
func ParseScript(data []byte) ([]Step, error) {
	var raw []struct {
		At      string   `json:"at"`
		Set     []string `json:"set"`
		Release bool     `json:"release"`
		Restart bool     `json:"restart"`
		Down    string   `json:"down"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("cannot read the script: %w", err)
	}
	var steps []Step
	for i, r := range raw {
		at, err := time.ParseDuration(r.At)
		if err != nil {
			return nil, fmt.Errorf("cannot read step %d of the script: %w", i+1, err)
		}
		if err := checkDuration(r.Down); err != nil {
			return nil, fmt.Errorf("cannot read step %d of the script: %w", i+1, err)
		}
		steps = append(steps, Step{at, r.Set, r.Release, r.Restart, duration(r.Down, 0)})
	}
	slices.SortStableFunc(steps, func(a, b Step) int { return int(a.At - b.At) })
	return steps, nil
}

func (s *Server) checkScript() error {
	for _, step := range s.opt.Script {
		for _, text := range step.Set {
			if _, err := parseSpec(text); err != nil {
				return err
			}
		}
	}
	return nil
}

// play carries the script out.
func (s *Server) play() {
	for _, step := range s.opt.Script {
		if !s.pause(s.stop, time.Until(s.begun.Add(step.At))) {
			return
		}
		switch {
		case step.Restart:
			s.Restart(step.Down)
		case step.Release:
			s.Release()
		default:
			_ = s.conduct.set(step.Set) // checked at the start
		}
	}
}
