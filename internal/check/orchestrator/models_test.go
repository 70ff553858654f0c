// SPDX-License-Identifier: Apache-2.0

package orchestrator_test

import (
	"testing"

	"justnews/internal/check"
	"justnews/internal/check/orchestrator"
	"justnews/internal/check/unit"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

func at(seconds float64) *float64 { return &seconds }

// answered returns a look at a job that actually ran.
func answered(s facts.ModelsState) facts.ModelsLook {
	s.HasStartedAt = true
	if s.StartedAt == nil {
		s.StartedAt = at(1)
	}
	return facts.ModelsLook{Answer: facts.Answer{Kind: facts.Answered, Status: 200}, State: s}
}

var allLoaded = facts.ModelsState{AllReady: true, Total: 3, Done: 3}

func TestModels_ZeroValuesAreNotReady(t *testing.T) {
	var j check.Judgement
	if j.State == check.Ready || j.State.String() != "unknown" {
		t.Errorf("the zero Judgement is %s", j.State)
	}
	for _, j := range []check.Judgement{
		orchestrator.Models(facts.ModelsLook{}, requirement.Preload{}),
		orchestrator.Readiness(facts.Readiness{}), unit.Judge(facts.Unit{}),
	} {
		if j.State == check.Ready || j.State == check.Pending || j.Reason == "" {
			t.Errorf("a zero fact is judged %+v", j)
		}
	}
	if j := orchestrator.Models(answered(facts.ModelsState{}), requirement.Preload{}); j.State != check.Idle {
		t.Errorf("an empty state is %s", j.State)
	}
}

func TestModels_OnlyAnswersAreJudged(t *testing.T) {
	for kind, want := range map[facts.AnswerKind]check.State{
		facts.NoAnswer: check.Unreachable, facts.Refused: check.Unreachable, facts.ServerError: check.Unreachable,
		facts.NotServed: check.Nonsense, facts.Redirected: check.Nonsense, facts.Nonsense: check.Nonsense,
		facts.AnswerKind(99): check.Unreachable, facts.Answered: check.Ready,
	} {
		look := answered(allLoaded)
		look.Kind = kind
		if j := orchestrator.Models(look, requirement.Preload{Expected: -1}); j.State != want {
			t.Errorf("kind %d over a ready state: %s, want %s", kind, j.State, want)
		}
	}
}

func TestModels_ReasonHasTheProgress(t *testing.T) {
	e := []facts.ModelError{{Agent: "scout", Model: "m", Error: "x"}}
	for _, tc := range []struct {
		state facts.ModelsState
		req   requirement.Preload
		want  string
	}{
		{facts.ModelsState{InProgress: true, Total: 14, Done: 11}, requirement.Preload{}, "11 of 14 models loaded"},
		{facts.ModelsState{InProgress: true}, requirement.Preload{}, "the preload has begun"},
		{facts.ModelsState{InProgress: true, Total: 14, Done: 11, Failed: 1, Errors: e}, requirement.Preload{}, "11 of 14 models loaded, 1 failed"},
		{facts.ModelsState{InProgress: true, Total: 14, Done: 11, Failed: 1, Errors: e}, requirement.Preload{FailFast: true}, "1 of 14 models failed"},
		{facts.ModelsState{Total: 14, Done: 13, Failed: 1, Errors: e}, requirement.Preload{}, "1 of 14 models failed"},
		{allLoaded, requirement.Preload{Expected: 3}, "3 of 3 models loaded"},
		{allLoaded, requirement.Preload{Expected: 14}, "3 models loaded, the map lists 14"},
		{facts.ModelsState{AllReady: true}, requirement.Preload{Expected: 14}, "the last preload loaded no models at all"},
		{facts.ModelsState{InProgress: true, Total: 8, Done: 9}, requirement.Preload{}, "9 models loaded of only 8"},
		{facts.ModelsState{AllReady: true, Total: 3, Done: 3, Errors: e}, requirement.Preload{}, "all_ready although 1 error is listed"},
		{facts.ModelsState{Total: -1, Done: -2}, requirement.Preload{}, "a negative count"},
		{facts.ModelsState{Total: 1, Done: -1}, requirement.Preload{}, "a negative count"},
		{facts.ModelsState{Total: 1, Failed: -1}, requirement.Preload{}, "a negative count"},
		{allLoaded, requirement.Preload{Expected: 3, OnlyAgent: "scout"}, "3 of 3 models loaded"},
		{facts.ModelsState{AllReady: true}, requirement.Preload{Expected: -1, OnlyAgent: "scout"}, "the last preload loaded no models at all"},
	} {
		if j := orchestrator.Models(answered(tc.state), tc.req); j.Reason != tc.want {
			t.Errorf("%+v: %q, want %q", tc.state, j.Reason, tc.want)
		}
	}
}

// Upstream keeps per_agent, and with it the errors, of the job before until the
// new job's worker has read the map; the counters are reset at once.
func TestModels_ErrorsOfAnEarlierJobDoNotEndARefresh(t *testing.T) {
	look := answered(facts.ModelsState{InProgress: true, Errors: []facts.ModelError{{Agent: "scout", Model: "m", Error: "old"}}})
	if j := orchestrator.Models(look, requirement.Preload{Expected: 8, FailFast: true}); j.State != check.Pending || len(j.Errors) != 0 {
		t.Errorf("%+v", j)
	}
}

func TestModels_ScopeOwnCountsTheAgentsErrorsOnly(t *testing.T) {
	scout := facts.ModelError{Agent: "scout", Model: "m", Error: "x"}
	critic := facts.ModelError{Agent: "critic", Model: "n", Error: "y"}
	req := requirement.Preload{Expected: 3, OnlyAgent: "scout", FailFast: true}
	over := func(done, failed int, errors ...facts.ModelError) facts.ModelsState {
		return facts.ModelsState{Total: 3, Done: done, Failed: failed, Errors: errors}
	}
	running := over(1, 1, critic)
	running.InProgress = true
	ours := over(1, 1, scout)
	ours.InProgress = true
	denied := over(2, 1, critic)
	denied.PerAgent = map[string]map[string]string{"scout": {"m": "pending"}}
	loaded := over(2, 1, critic)
	loaded.PerAgent = map[string]map[string]string{"scout": {"m": "ok", "n": "success"}, "critic": {"n": "error"}}
	named := over(2, 1, scout)
	named.PerAgent = map[string]map[string]string{"scout": {"m": "error"}}
	nobody := allLoaded
	nobody.PerAgent = map[string]map[string]string{"": {"m": "pending"}}
	never := over(2, 1, critic)
	for _, tc := range []struct {
		name  string
		look  facts.ModelsLook
		req   requirement.Preload
		state check.State
	}{
		{"all loaded", answered(allLoaded), req, check.Ready},
		{"only another agent's model failed", answered(over(2, 1, critic)), req, check.Ready},
		{"the agent's own model failed", answered(over(2, 1, scout)), req, check.Failed},
		{"both failed", answered(over(1, 2, scout, critic)), req, check.Failed},
		{"an unnamed failure", answered(over(1, 2, critic)), req, check.Failed},
		{"an error without an agent may be its own", answered(over(2, 1, facts.ModelError{Model: "n", Error: "y"})), req, check.Failed},
		{"not every model was tried", answered(over(1, 1, critic)), req, check.Failed},
		{"the map lists more", answered(over(2, 1, critic)), requirement.Preload{Expected: 4, OnlyAgent: "scout"}, check.Idle},
		{"another agent's model failed, still running", answered(running), req, check.Pending},
		{"its own model failed, still running", answered(ours), req, check.Failed},
		{"per_agent says that its model is pending", answered(denied), req, check.Inconsistent},
		{"per_agent says that its models are loaded", answered(loaded), req, check.Ready},
		{"its own model failed, and per_agent says so", answered(named), req, check.Failed},
		{"per_agent of nobody", answered(nobody), requirement.Preload{Expected: 3}, check.Ready},
		{"no job ever ran", facts.ModelsLook{Answer: facts.Answer{Kind: facts.Answered}, State: facts.ModelsState{HasStartedAt: true, Total: 3, Done: never.Done, Failed: 1, Errors: never.Errors}}, req, check.Inconsistent},
		{"without the scope it counts", answered(over(2, 1, critic)), requirement.Preload{Expected: 3}, check.Failed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			j := orchestrator.Models(tc.look, tc.req)
			if j.State != tc.state {
				t.Errorf("%s (%s), want %s", j.State, j.Reason, tc.state)
			}
			if j.State == check.Failed && len(j.Errors) == 0 {
				t.Error("failed without errors")
			}
		})
	}
}

func TestSame_NamesTheDifference(t *testing.T) {
	base := facts.ModelsState{AllReady: true, Total: 3, Done: 3, HasStartedAt: true, StartedAt: at(1.5), CompletedAt: at(2)}
	change := func(f func(*facts.ModelsState)) facts.ModelsState {
		s := base
		f(&s)
		return s
	}
	for want, other := range map[string]facts.ModelsState{
		"started_at was 1.5, then 2.5":       change(func(s *facts.ModelsState) { s.StartedAt = at(2.5) }),
		"started_at was 1.5, then null":      change(func(s *facts.ModelsState) { s.StartedAt = nil }),
		"started_at was 1.5, then absent":    change(func(s *facts.ModelsState) { s.HasStartedAt, s.StartedAt = false, nil }),
		"completed_at was 2, then null":      change(func(s *facts.ModelsState) { s.CompletedAt = nil }),
		"all_ready was true, then false":     change(func(s *facts.ModelsState) { s.AllReady = false }),
		"in_progress was false, then true":   change(func(s *facts.ModelsState) { s.InProgress = true }),
		"summary.total was 3, then 4":        change(func(s *facts.ModelsState) { s.Total = 4 }),
		"summary.done was 3, then 2":         change(func(s *facts.ModelsState) { s.Done = 2 }),
		"summary.failed was 0, then 1":       change(func(s *facts.ModelsState) { s.Failed = 1 }),
		"the number of errors was 0, then 1": change(func(s *facts.ModelsState) { s.Errors = make([]facts.ModelError, 1) }),
	} {
		if same, what := orchestrator.Same(base, other); same || what != want {
			t.Errorf("same %t, %q, want %q", same, what, want)
		}
	}
	if same, what := orchestrator.Same(base, change(func(s *facts.ModelsState) { s.StartedAt = at(1.5) })); !same || what != "" {
		t.Errorf("equal states differ: %s", what)
	}
}

func TestModels_ReadinessIsInTheBody(t *testing.T) {
	for _, tc := range []struct {
		r    facts.Readiness
		want check.State
	}{
		{facts.Readiness{Answer: facts.Answer{Kind: facts.Answered}, Ready: true}, check.Ready},
		{facts.Readiness{Answer: facts.Answer{Kind: facts.Answered}}, check.Pending},
		{facts.Readiness{Answer: facts.Answer{Kind: facts.NotServed}}, check.Ready},
		{facts.Readiness{Answer: facts.Answer{Kind: facts.ServerError}, Ready: true}, check.Unreachable},
		{facts.Readiness{Answer: facts.Answer{Kind: facts.Nonsense}, Ready: true}, check.Nonsense},
	} {
		tc.r.Detail = "the detail"
		if j := orchestrator.Readiness(tc.r); j.State != tc.want || j.Reason == "" || (j.Reason == tc.r.Detail) != (j.State == check.Unreachable || j.State == check.Nonsense) {
			t.Errorf("%+v: %+v, want %s", tc.r, j, tc.want)
		}
	}
}
