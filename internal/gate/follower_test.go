// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"testing"
	"time"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// saves is a record that counts what is written to it.
type saves struct {
	History
	err error
	n   int
}

func (s *saves) Load() (History, error) { return s.History, s.err }

func (s *saves) Save(h History) error {
	s.History, s.n = h, s.n+1
	return nil
}

func moment(seconds float64) *float64 { return &seconds }

// look is an answer with a job that was started at a time.
func look(started *float64) facts.ModelsLook {
	return facts.ModelsLook{Answer: facts.Answer{Kind: facts.Answered, Status: 200}, State: facts.ModelsState{HasStartedAt: true, StartedAt: started}}
}

func followerOf(m Memory) *follower {
	return &follower{runner: &runner{res: &Result{}, world: World{Memory: m, Uptime: func() time.Duration { return time.Hour }}}}
}

func TestFollower_NoJobIsWhatAnAnswerSays(t *testing.T) {
	old := look(nil)
	old.State.HasStartedAt = false
	refused := look(nil)
	refused.Kind = facts.Refused
	for name, c := range map[string]struct {
		look facts.ModelsLook
		want bool
	}{
		"a job": {look(moment(1)), false}, "none": {look(nil), true}, "a server that tells no times": {old, false}, "no answer": {refused, false},
	} {
		if got := noJob(c.look); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestFollower_KeepsTheJobOfItsPOST(t *testing.T) {
	other := look(moment(2))
	other.Kind = facts.Refused
	for name, c := range map[string]struct {
		look    facts.ModelsLook
		history History
		posted  bool
		want    *float64
	}{
		"a new job":           {look(moment(2)), History{LastPost: 1}, true, moment(2)},
		"the job before":      {look(moment(1)), History{LastPost: 1}, true, nil},
		"another run's POST":  {look(moment(2)), History{LastPost: 1}, false, nil},
		"nobody's POST":       {look(moment(2)), History{}, true, nil},
		"no job yet":          {look(nil), History{LastPost: 1}, true, nil},
		"no answer":           {other, History{LastPost: 1}, true, nil},
		"a job that is known": {look(moment(2)), History{LastPost: 1, Job: moment(3)}, true, moment(3)},
		"a job after none":    {look(moment(2)), History{LastPost: 1}, true, moment(2)},
	} {
		m := &saves{}
		f := followerOf(m)
		f.look, f.history, f.attempt.posted = c.look, c.history, c.posted
		f.attempt.before.StartedAt = moment(1)
		if name == "a job after none" {
			f.attempt.before.StartedAt = nil
		}
		f.keepJob()
		if !sameJob(f.history.Job, c.want) || (m.n > 0) != (c.want != nil && c.history.Job == nil) {
			t.Errorf("%s: job %v, %d saves", name, f.history.Job, m.n)
		}
	}
}

// Followers are told of progress, and the record is not written without any.
func TestFollower_LeaderRecordsProgress(t *testing.T) {
	for name, c := range map[string]struct {
		led     bool
		history History
		saves   int
	}{
		"progress":       {true, History{Text: "2 of 4", Done: 2}, 1},
		"another text":   {true, History{Text: "x", Done: 3}, 1},
		"another count":  {true, History{Text: "3 of 4", Done: 2}, 1},
		"no progress":    {true, History{Text: "3 of 4", Done: 3}, 0},
		"not the leader": {false, History{Text: "2 of 4", Done: 2}, 0},
		"a follower's":   {false, History{Text: "3 of 4", Done: 3}, 0},
	} {
		m := &saves{}
		f := followerOf(m)
		f.led, f.history, f.judged = c.led, c.history, check.Judgement{Reason: "3 of 4", Done: 3, Total: 4}
		if f.record(); m.n != c.saves || m.n > 0 && (m.Text != "3 of 4" || m.Done != 3 || m.Total != 4) {
			t.Errorf("%s: %d saves, %+v", name, m.n, m.History)
		}
	}
}

// A leader that opens deletes the record that limits the next attempts.
func TestFollower_OpeningEndsTheCountOfAttempts(t *testing.T) {
	for name, c := range map[string]struct {
		led     bool
		history History
		cleared bool
	}{
		"a trigger":         {true, History{Invocation: "i", Triggers: 1, Canary: []string{"a"}, Text: "x"}, true},
		"a refresh":         {true, History{Invocation: "i", Refreshes: 1, Canary: []string{"a"}}, true},
		"nothing was asked": {true, History{Invocation: "i"}, false},
		"not the leader":    {false, History{Invocation: "i", Triggers: 1}, false},
	} {
		m := &saves{}
		f := followerOf(m)
		f.led, f.history, f.look, f.judged.Total, f.judged.Done = c.led, c.history, look(moment(7)), 2, 2
		out := f.open()
		if !out.passed || out.detail != "2 of 2 models" || len(out.problems) > 0 || (m.n > 0) != c.cleared {
			t.Errorf("%s: %+v, %d saves", name, out, m.n)
		}
		if h := m.History; c.cleared && (h.Triggers+h.Refreshes > 0 || h.Text != "" || h.Invocation != "i" || len(h.Canary) != 1 || !sameJob(h.Job, moment(7))) {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

// The Model Store that a job met is recorded where its POST did not.
func TestFollower_RefusalRecordsTheStoreOfTheJob(t *testing.T) {
	for name, c := range map[string]struct {
		led     bool
		store   string
		history History
		want    string
	}{
		"a POST of an instance": {true, "s", History{LastPost: 1}, "s"},
		"not the leader":        {false, "s", History{LastPost: 1}, ""},
		"no POST":               {true, "s", History{}, ""},
		"nothing was seen":      {true, "", History{LastPost: 1}, ""},
		"it is known":           {true, "s", History{LastPost: 1, Store: "r"}, "r"},
	} {
		m := &saves{}
		f := followerOf(m)
		f.led, f.store, f.history = c.led, c.store, c.history
		f.refuse()
		if f.history.Store != c.want || (m.n > 0) != (c.history.Store != c.want) {
			t.Errorf("%s: %q, %d saves", name, f.history.Store, m.n)
		}
	}
}

// An empty preload counts where there is no map, after this run's own POST, or where
// systemd knows that the preload passed.
func TestFollower_AcceptsAnEmptyPreloadOnlyWithProof(t *testing.T) {
	empty := look(moment(5))
	full := look(moment(5))
	full.State.Total = 3
	silent := look(moment(5))
	silent.Kind = facts.Refused
	passed := vouched(10*time.Second, 20*time.Second)
	for name, c := range map[string]struct {
		look          facts.ModelsLook
		expected      int
		own           *float64
		units         Units
		unit          string
		accept, empty bool
	}{
		"no map":                        {empty, -1, nil, nil, "o.service", true, false},
		"a map of no models":            {empty, 0, nil, nil, "o.service", true, false},
		"a map, and no proof":           {empty, 3, nil, nil, "o.service", false, false},
		"its own POST":                  {empty, 3, moment(5), nil, "o.service", true, true},
		"its own POST of another job":   {empty, 3, moment(4), nil, "o.service", false, false},
		"systemd knows":                 {empty, 3, nil, passed, "o.service", true, true},
		"systemd knows of no unit":      {empty, 3, nil, passed, "", false, false},
		"systemd fails":                 {empty, 3, nil, unitFunc(func(string) (facts.Unit, error) { return facts.Unit{}, errors.New("x") }), "o.service", false, false},
		"systemd fails for the preload": {empty, 3, nil, failing1(passed, "justnews-preload.service"), "o.service", false, false},
		"systemd fails for the server":  {empty, 3, nil, failing1(passed, "o.service"), "o.service", false, false},
		"a job with models":             {full, 3, nil, nil, "o.service", true, false},
		"no answer":                     {silent, 3, nil, nil, "o.service", true, false},
	} {
		f := followerOf(nil)
		f.req.AcceptEmpty, f.req.Expected, f.req.Orchestrator.Unit, f.world.Units, f.empty = true, c.expected, c.unit, c.units, c.own
		if got := f.required(t.Context(), c.look); got.AcceptEmpty != c.accept || got.Empty != c.empty {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// failing1 is a systemd that fails for one unit.
func failing1(of unitFunc, unit string) unitFunc {
	return func(name string) (facts.Unit, error) {
		u, err := of(name)
		if name == unit {
			err = errors.New("x")
		}
		return u, err
	}
}

func TestWorld_RequiredUsesTheRecordOfTheJob(t *testing.T) {
	for name, c := range map[string]struct {
		memory Memory
		want   bool
	}{
		"no record":       {nil, false},
		"the same job":    {&saves{History: History{Empty: true, Job: moment(5)}}, true},
		"another job":     {&saves{History: History{Empty: true, Job: moment(4)}}, false},
		"a broken record": {&saves{History: History{Empty: true, Job: moment(5)}, err: errors.New("x")}, false},
	} {
		if got := (World{Memory: c.memory}).Required(requirement.Preload{Expected: 3}, look(moment(5))); got.Empty != c.want || got.Expected != 3 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// At the deadline the cause is what led to the POST, what a second look saw, or what
// could not be proven.
func TestFollower_DeadlineNamesTheLastLookThatCounts(t *testing.T) {
	ready, failed := check.Judgement{State: check.Ready}, check.Judgement{State: check.Failed, Errors: []facts.ModelError{{Agent: "a", Model: "b"}}}
	idle := check.Judgement{State: check.Idle}
	silent := &diag.Problem{Code: diag.ServerUnproven, Message: "m"}
	for name, c := range map[string]struct {
		prepare func(*follower)
		want    diag.Code
	}{
		"the last look":                      {func(f *follower) { f.judged = idle }, diag.PreloadTimeout},
		"ready, and not confirmed":           {func(f *follower) { f.judged, f.unconfirmed = ready, &seenLook{judged: failed} }, diag.ModelFailed},
		"ready":                              {func(f *follower) { f.judged = ready }, diag.ModelsTimeout},
		"ready, and not proven":              {func(f *follower) { f.judged, f.silent = ready, silent }, diag.ServerUnproven},
		"not ready any more, and not proven": {func(f *follower) { f.judged, f.silent = idle, silent }, diag.PreloadTimeout},
		"not confirmed before, and idle now": {func(f *follower) { f.judged, f.unconfirmed = idle, &seenLook{judged: failed} }, diag.PreloadTimeout},
		"a POST that shows":                  {func(f *follower) { f.judged, f.asked = idle, &seenLook{judged: failed} }, diag.PreloadTimeout},
		"a POST that does not show yet": {func(f *follower) {
			f.judged, f.asked, f.look = idle, &seenLook{judged: failed}, look(moment(5))
			f.attempt.posted, f.attempt.postedAt, f.attempt.before = true, time.Hour, f.look.State
		}, diag.ModelFailed},
	} {
		f := followerOf(nil)
		c.prepare(f)
		if out := f.late(); out.passed || len(out.problems) == 0 || out.problems[0].Code != c.want {
			t.Errorf("%s: %+v, want %s", name, out, c.want)
		}
	}
}

func TestFollower_RefusedPOSTOfAServerThatNamesItsModels(t *testing.T) {
	failed := &seenLook{judged: check.Judgement{State: check.Failed, Errors: []facts.ModelError{{Model: "b"}}}}
	for name, c := range map[string]struct {
		loaded string
		asked  *seenLook
		want   []diag.Code
	}{
		"a model had failed":       {"with the status loaded", failed, []diag.Code{diag.ModelFailed, diag.PreloadRefused}},
		"none had":                 {"with the status loaded", &seenLook{judged: check.Judgement{State: check.Idle}}, []diag.Code{diag.PreloadRefused}},
		"nothing was asked":        {"with the status loaded", nil, []diag.Code{diag.PreloadRefused}},
		"a server that counts its": {"", failed, []diag.Code{diag.PreloadRefused}},
	} {
		f := followerOf(nil)
		f.world.Protocol.Loaded, f.asked, f.refused = c.loaded, c.asked, &facts.ModelsLook{}
		var got []diag.Code
		for _, p := range f.refusal() {
			got = append(got, p.Code)
		}
		if len(got) != len(c.want) || got[0] != c.want[0] {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestFollower_ContradictionsAreNamedOnceTheyDoNotStop(t *testing.T) {
	for name, c := range map[string]struct {
		differed    int
		busy        bool
		unconfirmed *seenLook
		want        string // "": still ready
	}{
		"twice":             {maxConsecutive - 1, false, nil, ""},
		"three times":       {maxConsecutive, false, nil, "successive answers contradict each other"},
		"and it is known":   {maxConsecutive, false, &seenLook{what: "started_at was 1, then 2"}, "successive answers contradict each other: started_at was 1, then 2"},
		"and it is not":     {maxConsecutive, false, &seenLook{}, "successive answers contradict each other"},
		"while one is busy": {maxConsecutive, true, nil, ""},
	} {
		f := followerOf(nil)
		f.judged, f.attempt.differed, f.attempt.busy, f.unconfirmed = check.Judgement{State: check.Ready}, c.differed, c.busy, c.unconfirmed
		if got := f.effective(); (got.State == check.Ready) != (c.want == "") || got.Reason != c.want {
			t.Errorf("%s: %+v, want %q", name, got, c.want)
		}
	}
}

// lookers answers the looks over a connection in turn, then always with the last answer.
type lookers struct {
	*server
	looks []facts.ModelsLook
	asked int
	end   context.CancelFunc
}

func (l *lookers) Models(context.Context, bool) facts.ModelsLook {
	l.asked++
	at := min(l.asked, len(l.looks)) - 1
	if l.looks[at].Kind == facts.NoAnswer {
		l.end()
	}
	return l.looks[at]
}

// Two more looks have to agree; one without an answer is repeated three times.
func TestFollower_ConfirmsWithTwoMoreLooks(t *testing.T) {
	good := look(moment(1))
	good.State.AllReady, good.State.Total, good.State.Done = true, 2, 2
	other := good
	other.State.StartedAt = moment(2)
	lost := facts.ModelsLook{Answer: facts.Answer{Kind: facts.Refused}}
	for name, c := range map[string]struct {
		looks    []facts.ModelsLook
		want     bool
		asked    int
		differed int
	}{
		"both agree":             {[]facts.ModelsLook{good}, true, 2, 0},
		"the first is lost":      {[]facts.ModelsLook{lost, good}, true, 3, 0},
		"three are lost":         {[]facts.ModelsLook{lost, lost, lost, good}, true, 5, 0},
		"all are lost":           {[]facts.ModelsLook{lost}, false, 4, 1},
		"the second one differs": {[]facts.ModelsLook{good, other}, false, 2, 2},
		"the run ends":           {[]facts.ModelsLook{good, {}}, false, 2, 1},
	} {
		ctx, end := context.WithCancel(t.Context())
		l := &lookers{looks: c.looks, end: end}
		f := followerOf(nil)
		f.world.Orchestrator, f.look, f.attempt.differed = l, good, 1
		if got := f.confirmed(ctx); got != c.want || l.asked != c.asked || f.attempt.differed != c.differed {
			t.Errorf("%s: %t after %d looks, %d differed", name, got, l.asked, f.attempt.differed)
		}
		end()
	}
}
