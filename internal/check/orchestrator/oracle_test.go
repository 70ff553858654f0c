// SPDX-License-Identifier: Apache-2.0

package orchestrator_test

import (
	"net/http"
	"testing"

	"justnews/internal/check"
	"justnews/internal/check/orchestrator"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// TestModels_AgreesWithANaiveOracle goes through every combination of a small
// state space. The oracle spells each state out as a conjunction of its own
// and knows nothing of the order in which Models asks.
func TestModels_AgreesWithANaiveOracle(t *testing.T) {
	cases, found := 0, map[check.State]int{}
	each(func(look facts.ModelsLook, w requirement.Preload) {
		cases++
		got := orchestrator.Models(look, w)
		found[got.State]++
		if want := oracle(look, w); got.State != want {
			t.Fatalf("%+v\nwish %+v\ngot %s (%s), want %s", look, w, got.State, got.Reason, want)
		}
		if got.Reason == "" {
			t.Fatalf("%+v: no reason", look)
		}
		if got.State == check.Failed && len(got.Errors) == 0 && len(look.State.Errors) > 0 {
			t.Fatalf("%+v: failed without its errors", look)
		}
	})
	if cases < 100000 {
		t.Errorf("only %d cases", cases)
	}
	for _, s := range []check.State{check.Pending, check.Idle, check.Failed, check.Inconsistent, check.Ready} {
		if found[s] == 0 {
			t.Errorf("no case is %s", s)
		}
	}
	t.Logf("%d cases: %v", cases, found)
}

func each(f func(facts.ModelsLook, requirement.Preload)) {
	at := 1.5
	bools := []bool{false, true}
	moments := []struct {
		has bool
		at  *float64
	}{{false, nil}, {true, nil}, {true, &at}}
	e := facts.ModelError{Agent: "scout", Model: "m", Error: "x"}
	for _, status := range []int{http.StatusOK, http.StatusServiceUnavailable} {
		for _, allReady := range bools {
			for _, inProgress := range bools {
				for _, m := range moments {
					for total := range 4 {
						for done := range 5 {
							for failed := range 4 {
								for errors := range 3 {
									look := facts.ModelsLook{
										Answer: facts.Answer{Kind: facts.Answered, Status: status},
										State: facts.ModelsState{
											AllReady: allReady, InProgress: inProgress, Total: total, Done: done, Failed: failed,
											Errors: []facts.ModelError{e, e}[:errors], HasStartedAt: m.has, StartedAt: m.at,
										},
									}
									for _, expected := range []int{-1, 0, 2, 3, 4} {
										for _, empty := range bools {
											for _, fast := range bools {
												f(look, requirement.Preload{Expected: expected, AcceptEmpty: empty, FailFast: fast})
												f(look, requirement.Preload{Expected: expected, AcceptEmpty: empty, FailFast: fast, Empty: true})
											}
										}
									}
								}
							}
						}
					}
				}
			}
		}
	}
}

func oracle(look facts.ModelsLook, w requirement.Preload) check.State {
	s := look.State
	errors := len(s.Errors)
	ran := !s.HasStartedAt || s.StartedAt != nil
	sum := s.Done <= s.Total && s.Failed <= s.Total && s.Done+s.Failed <= s.Total
	clean := s.Failed == 0 && errors == 0
	accepted := s.Total == 0 && w.AcceptEmpty && (w.Empty || w.Expected <= 0)
	enough := s.Total >= w.Expected || accepted
	nonempty := s.Total > 0 || accepted

	ready := s.AllReady && !s.InProgress && clean && s.Done == s.Total && nonempty && ran && enough && look.Status == http.StatusOK
	runs := s.InProgress && !s.AllReady && sum
	failFast := runs && w.FailFast && s.Failed > 0 && errors > 0
	lie := s.AllReady && (s.InProgress || !clean || s.Done != s.Total || look.Status != http.StatusOK)
	ghost := !s.InProgress && !ran && (s.Total > 0 || errors > 0)
	stuck := !s.InProgress && !s.AllReady && clean && s.Total > 0
	inconsistent := !sum || lie || ghost || stuck
	failed := !inconsistent && (failFast || !s.InProgress && !clean)
	switch {
	case ready:
		return check.Ready
	case inconsistent:
		return check.Inconsistent
	case failed:
		return check.Failed
	case runs:
		return check.Pending
	default:
		return check.Idle
	}
}
