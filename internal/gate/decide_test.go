// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"testing"
	"time"

	"justnews/internal/check"
	"justnews/internal/config"
	"justnews/internal/facts"
)

func TestRhythm(t *testing.T) {
	for _, c := range []struct{ quiet, want time.Duration }{
		{0, pollBusy}, {8 * time.Second, pollBusy}, {15 * time.Second, 150 * time.Millisecond},
		{25 * time.Second, pollQuiet}, {time.Hour, pollQuiet}, {-time.Second, pollBusy},
	} {
		got := decide(situation{judged: check.Judgement{State: check.Pending}, quiet: c.quiet})
		if got.act != wait || got.after != c.want {
			t.Errorf("quiet for %v: action %d after %v, want %v", c.quiet, got.act, got.after, c.want)
		}
	}
}

// Each row is one side of a boundary of the policy.
func TestDecidePolicy(t *testing.T) {
	ours, others := new(7.0), new(8.0)
	ready := facts.ModelsState{HasStartedAt: true, StartedAt: ours, AllReady: true, Total: 1, Done: 1}
	for name, c := range map[string]struct {
		s    situation
		want decision
	}{
		"an invalid answer":                           {situation{judged: judged(check.Nonsense), attempt: attempt{invalid: maxConsecutive - 1}}, decision{act: wait, after: pollInvalid}},
		"one too many":                                {situation{judged: judged(check.Nonsense), attempt: attempt{invalid: maxConsecutive}}, decision{act: shut, why: check.Nonsense}},
		"what nobody knows":                           {situation{judged: judged(check.Unknown)}, decision{act: shut, why: check.Unknown}},
		"answers that differ":                         {inconsistent(maxConsecutive-1, false, false), decision{act: wait, after: pollBusy}},
		"and differ again":                            {inconsistent(maxConsecutive, false, false), decision{act: trigger, refresh: true}},
		"while one sees a job":                        {inconsistent(maxConsecutive, true, false), decision{act: wait, after: pollBusy}},
		"while the other saw one":                     {inconsistent(maxConsecutive, false, true), decision{act: wait, after: pollBusy}},
		"a failed job that runs on":                   {situation{judged: judged(check.Failed), state: facts.ModelsState{InProgress: true}, gate: once}, decision{act: shut, why: check.Failed}},
		"a failed job":                                {situation{judged: judged(check.Failed), gate: once}, decision{act: trigger, refresh: true}},
		"a failed job that may not be repeated":       {situation{judged: judged(check.Failed)}, decision{act: shut, why: check.Failed}},
		"no job yet":                                  {situation{judged: judged(check.Idle)}, decision{act: trigger}},
		"no job in the grace of a POST":               {situation{judged: judged(check.Idle), history: History{Triggers: 1, LastPost: time.Hour}, uptime: time.Hour + jobGrace - 1}, decision{act: wait, after: pollBusy}},
		"no job after it":                             {situation{judged: judged(check.Idle), history: History{Triggers: 1, LastPost: time.Hour}, uptime: time.Hour + jobGrace}, decision{act: trigger}},
		"no job, and a grace is left":                 {situation{judged: judged(check.Idle), history: History{Triggers: 2, LastPost: time.Hour}, uptime: time.Hour + firstBackoff - jobGrace}, decision{act: wait, after: pollBusy}},
		"no job, and more is left":                    {situation{judged: judged(check.Idle), history: History{Triggers: 2, LastPost: time.Hour}, uptime: time.Hour + firstBackoff - jobGrace - 1}, decision{act: shut, why: check.Idle}},
		"our own job ended with too little":           {situation{judged: judged(check.Idle), state: facts.ModelsState{StartedAt: ours}, history: History{Job: ours}, gate: once}, decision{act: trigger, refresh: true}},
		"another's did":                               {situation{judged: judged(check.Idle), state: facts.ModelsState{StartedAt: others}, history: History{Job: ours}, gate: once}, decision{act: trigger}},
		"the job from before our POST":                {stale(ready, ours, jobGrace-1), decision{act: wait, after: pollBusy}},
		"that job after the grace":                    {stale(ready, ours, jobGrace), decision{act: confirm}},
		"another job than before our POST":            {stale(ready, others, jobGrace-1), decision{act: confirm}},
		"a job that runs, the same as before":         {stale(facts.ModelsState{HasStartedAt: true, StartedAt: ours, InProgress: true}, ours, jobGrace-1), decision{act: confirm}},
		"a refresh that is asked for":                 {situation{judged: judged(check.Ready), state: ready, force: true}, decision{act: trigger, refresh: true}},
		"while a job runs":                            {situation{judged: judged(check.Pending), state: facts.ModelsState{InProgress: true}, force: true}, decision{act: wait, after: pollBusy}},
		"while nobody answers":                        {situation{judged: judged(check.Unreachable), force: true}, decision{act: wait, after: pollDown}},
		"while nobody answers, after a look at a job": {situation{judged: judged(check.Unreachable), state: facts.ModelsState{InProgress: true}, force: true}, decision{act: wait, after: pollDown}},
		"while it answers with errors":                {situation{judged: judged(check.Nonsense), attempt: attempt{errors: maxConsecutive - 1}, force: true}, decision{act: wait, after: pollInvalid}},
		"after three of them":                         {situation{judged: judged(check.Nonsense), attempt: attempt{errors: maxConsecutive}, force: true}, decision{act: trigger, refresh: true}},
		"after its POST":                              {situation{judged: judged(check.Ready), state: ready, force: true, attempt: attempt{posted: true}, uptime: jobGrace}, decision{act: confirm}},
		"a follower finds no job":                     {situation{judged: judged(check.Idle), follow: true, gate: once, quiet: time.Hour}, decision{act: wait, after: pollQuiet}},
		"a follower finds a job":                      {situation{judged: judged(check.Pending), follow: true}, decision{act: wait, after: pollQuiet}},
		"a follower finds a failed job":               {situation{judged: judged(check.Failed), follow: true, gate: once, quiet: jobGrace - 1}, decision{act: wait, after: pollQuiet}},
		"and it is not repeated":                      {situation{judged: judged(check.Failed), follow: true, gate: once, quiet: jobGrace}, decision{act: shut, why: check.Failed}},
		"a follower finds the models":                 {situation{judged: judged(check.Ready), follow: true}, decision{act: confirm}},
	} {
		if got := decide(c.s); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func judged(s check.State) check.Judgement { return check.Judgement{State: s} }

func inconsistent(differed int, sees, saw bool) situation {
	return situation{
		judged: judged(check.Inconsistent), state: facts.ModelsState{InProgress: sees}, gate: once,
		attempt: attempt{differed: differed, busy: saw},
	}
}

// stale is a ready look some time after our POST, and what was seen before that.
func stale(now facts.ModelsState, before *float64, passed time.Duration) situation {
	return situation{
		judged: judged(check.Ready), state: now, uptime: time.Hour + passed,
		attempt: attempt{posted: true, postedAt: time.Hour, before: facts.ModelsState{HasStartedAt: true, StartedAt: before}},
	}
}

var once = config.Gate{RefreshAttempts: 1}
