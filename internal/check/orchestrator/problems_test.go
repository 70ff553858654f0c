// SPDX-License-Identifier: Apache-2.0

package orchestrator_test

import (
	"strings"
	"testing"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/orchestrator"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/modelmap"
	"justnews/internal/requirement"
	"justnews/test/findings"
)

func subject(t *testing.T) orchestrator.Subject {
	t.Helper()
	m, problems := modelmap.Parse([]byte(`{"scout":["google/bert_uncased_L-2_H-128_A-2","roberta-base"],"critic":["unitary/toxic-bert"]}`))
	if m == nil {
		t.Fatal(problems)
	}
	return orchestrator.Subject{
		URL: "http://127.0.0.1:8014", Unit: "justnews@gpu_orchestrator.service", Timeout: 3 * time.Minute,
		Map: "/etc/justnews/AGENT_MODEL_MAP.json", Expected: 3, Models: m,
	}
}

func TestProblems_EveryStateThatIsNotReadyHasAnError(t *testing.T) {
	states := []check.State{check.Unknown, check.Unreachable, check.Nonsense, check.Pending, check.Idle, check.Failed, check.Inconsistent, check.Ready, check.State(99)}
	for name, problems := range map[string]func(check.Judgement) []diag.Problem{
		"refused": func(j check.Judgement) []diag.Problem { return orchestrator.Refused(j, facts.ModelsLook{}, subject(t)) },
		"late": func(j check.Judgement) []diag.Problem {
			return orchestrator.Late(j, facts.ModelsLook{}, orchestrator.Subject{URL: "u"})
		},
	} {
		for _, s := range states {
			got := problems(check.Judgement{State: s, Reason: "r"})
			if len(diag.Errors(got)) == 0 {
				t.Errorf("%s %s: no error", name, s)
			}
			for _, p := range got {
				findings.Sound(t, p)
			}
		}
	}
}

func TestProblems_EachStateHasItsCode(t *testing.T) {
	look := answered(facts.ModelsState{AllReady: true, Total: 8, Done: 9})
	refused := map[check.State]diag.Code{
		check.Failed: diag.ModelFailed, check.Idle: diag.ModelsIncomplete, check.Inconsistent: diag.ModelsInconsistent,
		check.Nonsense: diag.OrchestratorNonsense, check.Unreachable: diag.OrchestratorUnreachable, check.Pending: diag.Internal,
	}
	late := map[check.State]diag.Code{
		check.Pending: diag.ModelsTimeout, check.Ready: diag.ModelsTimeout, check.Idle: diag.PreloadTimeout,
		check.Unknown: diag.OrchestratorUnreachable, check.Failed: diag.ModelFailed, check.Inconsistent: diag.ModelsInconsistent,
		check.Nonsense: diag.OrchestratorNonsense, check.Unreachable: diag.OrchestratorUnreachable,
	}
	for s, want := range refused {
		if got := orchestrator.Refused(check.Judgement{State: s}, look, subject(t)); got[0].Code != want {
			t.Errorf("refused %s: %s, want %s", s, got[0].Code, want)
		}
	}
	for s, want := range late {
		if got := orchestrator.Late(check.Judgement{State: s}, look, subject(t)); got[0].Code != want {
			t.Errorf("late %s: %s, want %s", s, got[0].Code, want)
		}
	}
	seen := orchestrator.Refused(check.Judgement{State: check.Inconsistent}, look, subject(t))[0].Seen
	if want := "all_ready true, in_progress false, total 8, done 9, failed 0"; !strings.HasPrefix(seen, want) {
		t.Errorf("seen %q, want %q", seen, want)
	}
}

func TestProblems_NameThatTheServerListsInsteadIsShown(t *testing.T) {
	for _, tc := range []struct {
		others []string
		seen   string
		named  bool
	}{
		{nil, `0 of 1 models loaded, not "qwen/Qwen2.5"`, false},
		{[]string{"Qwen/Qwen2.5"}, `; the server lists "Qwen/Qwen2.5"`, true},
		{[]string{"Qwen/Qwen2.5", "a", "b"}, `; the server lists "Qwen/Qwen2.5" and 2 more`, true},
		{[]string{"a", "b", "Qwen/Qwen2.5"}, `; the server lists "Qwen/Qwen2.5" and 2 more`, true},
		{[]string{strings.Repeat("x", 5000)}, "xx…\"", true},
	} {
		look := answered(facts.ModelsState{InProgress: true, Total: 1, Missing: []string{"qwen/Qwen2.5"}, Others: tc.others})
		j := orchestrator.Models(look, requirement.Preload{})
		s := subject(t)
		p := orchestrator.Late(j, look, s)[0]
		findings.Sound(t, p)
		look.State.InProgress, s.Protocol.Loaded = false, "listed"
		idle := orchestrator.Late(orchestrator.Models(look, requirement.Preload{}), look, s)[0]
		for code, p := range map[diag.Code]diag.Problem{diag.ModelsTimeout: p, diag.PreloadTimeout: idle} {
			if p.Code != code || !strings.HasSuffix(p.Seen, tc.seen) || strings.Contains(p.Fix.String(), "models.expected") != tc.named {
				t.Errorf("%q: %+v", tc.others, p)
			}
		}
	}
}

func TestProblems_FailedModelHasTheFixForItsMessage(t *testing.T) {
	for _, tc := range []struct {
		e              facts.ModelError
		message        string
		seen, expected string
	}{
		{
			facts.ModelError{Agent: "scout", Model: "roberta-base", Error: "STRICT_MODEL_STORE=1 but adapter path missing for agent=scout"},
			"STRICT_MODEL_STORE=1 but adapter path missing for agent=scout", "not verified", "a snapshot of the model",
		},
		{
			facts.ModelError{Agent: "scout", Model: "roberta-base", Error: "[Errno 13] Permission denied: '/opt/justnews/models/scout'"},
			"Permission denied", "permission", "can read",
		},
		{facts.ModelError{Agent: "scout", Model: "roberta-base", Error: "CUDA out of memory. Tried to allocate"}, "CUDA", "memory", "enough memory"},
		{facts.ModelError{Agent: "scout", Model: "roberta-base", Error: "We couldn't connect to 'https://huggingface.co' to load this file, file not found"}, "huggingface", "download", "complete snapshot"},
		{facts.ModelError{Agent: "scout", Model: "roberta-base", Error: "transformers is required to load adapters"}, "transformers", "Python package", "packages"},
		{facts.ModelError{Agent: "scout", Model: "roberta-base", Error: "SafetensorError: HeaderTooLarge"}, "Safetensor", "corrupt", "manifest"},
		{facts.ModelError{Agent: "scout", Model: "roberta-base", Error: "something else"}, "something else", "", "a model that loads"},
		{facts.ModelError{Agent: "scout", Model: "roberta-base"}, "gives no reason", "", "a model that loads"},
		{facts.ModelError{Agent: "scuot", Model: "x", Error: "e"}, "e", `lists no agent with the name "scuot", the nearest is "scout"`, "agents and models of"},
		{facts.ModelError{Agent: "scout", Model: "roberta-bsae", Error: "e"}, "e", `lists no model of scout with the name "roberta-bsae", the nearest is "roberta-base"`, "agents and models of"},
		{facts.ModelError{Agent: "zzz", Model: "x", Error: "e"}, "e", `lists no agent with the name "zzz"`, "agents and models of"},
	} {
		problems := orchestrator.Refused(check.Judgement{State: check.Failed, Errors: []facts.ModelError{tc.e}}, facts.ModelsLook{}, subject(t))
		if len(problems) != 1 {
			t.Fatalf("%+v: %v", tc.e, problems)
		}
		p := problems[0]
		findings.Sound(t, p)
		if p.Code != diag.ModelFailed || !strings.HasPrefix(p.Subject, tc.e.Agent+": "+tc.e.Model) || !strings.Contains(p.Message, tc.message) ||
			!strings.Contains(p.Seen, tc.seen) || !strings.Contains(p.Expected, tc.expected) {
			t.Errorf("%+v\ngot %+v", tc.e, p)
		}
	}
}

func TestProblems_ServerTextIsCleaned(t *testing.T) {
	evil := "a\x1b]0;x\a\n<0>b\u202e"
	e := facts.ModelError{Agent: evil, Model: evil, Error: evil}
	a := facts.Answer{Kind: facts.Nonsense, Status: 200, Detail: evil}
	problems := orchestrator.Refused(check.Judgement{State: check.Failed, Errors: []facts.ModelError{e}}, facts.ModelsLook{}, subject(t))
	problems = append(problems, orchestrator.InvalidAnswer(subject(t), a), orchestrator.PreloadRefused(subject(t), facts.ModelsLook{Answer: a}))
	problems = append(problems, orchestrator.Bus("u", "", facts.BusHealth{Answer: a})...)
	problems = append(problems, orchestrator.Bus("u", "", facts.BusHealth{Answer: facts.Answer{Kind: facts.Answered}, State: evil})...)
	for _, p := range problems {
		for _, s := range []string{p.Subject, p.Message, p.Seen, p.Expected, p.Fix.String()} {
			if s != diag.Clean(s) {
				t.Errorf("%s: %q", p.Code, s)
			}
		}
		if strings.Contains(p.Fix.String(), "<0>") {
			t.Errorf("the server's words stand in a line to paste: %s", p.Fix.String())
		}
	}
}

func TestProblems_DiagnosisOverridesTheMessage(t *testing.T) {
	s := subject(t)
	s.Diagnose = func(e facts.ModelError) (orchestrator.Diagnosis, bool) {
		return orchestrator.Diagnosis{Code: "MODEL-MISSING", Seen: "no snapshot below " + e.Agent}, e.Agent == "scout"
	}
	problems := orchestrator.Refused(check.Judgement{State: check.Failed, Errors: []facts.ModelError{
		{Agent: "scout", Model: "roberta-base", Error: "out of memory"}, {Agent: "critic", Model: "unitary/toxic-bert", Error: "out of memory"},
	}}, facts.ModelsLook{}, s)
	if p := problems[0]; p.Code != "MODEL-MISSING" || p.Seen != "no snapshot below scout" || p.Expected != "enough memory to load the model" || p.Fix.String() == "" {
		t.Errorf("%+v", p)
	}
	if p := problems[1]; p.Code != diag.ModelFailed {
		t.Errorf("%+v", p)
	}
}

func TestProblems_ManyFailuresAreCountedNotListed(t *testing.T) {
	errors := make([]facts.ModelError, 1000)
	for i := range errors {
		errors[i] = facts.ModelError{Agent: "scout", Model: "roberta-base", Error: "x"}
	}
	problems := orchestrator.Refused(check.Judgement{State: check.Failed, Errors: errors}, facts.ModelsLook{}, subject(t))
	if len(problems) != 51 || problems[50].Message != "950 more failed" {
		t.Errorf("%d problems, the last %q", len(problems), problems[len(problems)-1].Message)
	}
	if problems = orchestrator.Refused(check.Judgement{State: check.Failed, Errors: errors[:50]}, facts.ModelsLook{}, subject(t)); len(problems) != 50 {
		t.Errorf("%d problems, the last %q", len(problems), problems[len(problems)-1].Message)
	}
}

func TestProblems_DeadlineNamesWhatWasMissing(t *testing.T) {
	answer := facts.Answer{Kind: facts.Answered}
	for _, tc := range []struct {
		h    facts.Health
		r    facts.Readiness
		want diag.Code
	}{
		{facts.Health{}, facts.Readiness{}, diag.OrchestratorUnreachable},
		{facts.Health{Answer: facts.Answer{Kind: facts.Refused, Detail: "connection refused"}}, facts.Readiness{}, diag.OrchestratorUnreachable},
		{facts.Health{Answer: facts.Answer{Kind: facts.Nonsense}}, facts.Readiness{}, diag.OrchestratorNonsense},
		{facts.Health{Answer: answer}, facts.Readiness{Answer: answer}, diag.OrchestratorNotReady},
		{facts.Health{Answer: answer}, facts.Readiness{}, diag.OrchestratorUnreachable},
		{facts.Health{Answer: answer}, facts.Readiness{Answer: facts.Answer{Kind: facts.ServerError}}, diag.OrchestratorUnreachable},
		{facts.Health{Answer: answer}, facts.Readiness{Answer: facts.Answer{Kind: facts.Nonsense}}, diag.OrchestratorNonsense},
	} {
		problems := orchestrator.Silent(subject(t), tc.h, tc.r)
		if len(problems) != 1 || problems[0].Code != tc.want || problems[0].Severity != diag.Error {
			t.Errorf("%+v %+v: %v, want %s", tc.h, tc.r, problems, tc.want)
			continue
		}
		findings.Sound(t, problems[0])
	}
}

func TestProblems_DegradedBusIsAWarning(t *testing.T) {
	answer := facts.Answer{Kind: facts.Answered, Status: 200}
	for state, warned := range map[string]bool{"ok": false, "healthy": false, "degraded": true, "unhealthy": true, "": true} {
		problems := orchestrator.Bus("http://127.0.0.1:8000", "justnews@mcp_bus.service", facts.BusHealth{Answer: answer, State: state})
		if warned != (len(problems) == 1 && problems[0].Severity == diag.Warning && problems[0].Code == diag.BusDegraded) || !warned && len(problems) > 0 {
			t.Errorf("%q: %v", state, problems)
		}
	}
	for kind, want := range map[facts.AnswerKind]diag.Code{facts.NoAnswer: diag.BusUnreachable, facts.Refused: diag.BusUnreachable, facts.NotServed: diag.BusNonsense, facts.Nonsense: diag.BusNonsense} {
		problems := orchestrator.Bus("http://127.0.0.1:8000", "justnews@mcp_bus.service", facts.BusHealth{Answer: facts.Answer{Kind: kind, Detail: "x"}})
		if len(diag.Errors(problems)) != 1 || problems[0].Code != want {
			t.Errorf("kind %d: %v", kind, problems)
		}
		fix := problems[0].Fix.String() // to restart a bus that answers nonsense is no help
		if restarts := strings.Contains(fix, "systemctl restart -- justnews@mcp_bus.service") && strings.Contains(fix, "journalctl -b -u justnews@mcp_bus.service"); restarts != (want == diag.BusUnreachable) {
			t.Errorf("kind %d: %s", kind, fix)
		}
	}
}

func TestProblems_ChangedMapNeedsARestart(t *testing.T) {
	s := subject(t)
	u := facts.Unit{MainPID: 7, Times: facts.UnitTimes{ExecMainStart: time.Minute}}
	s.Stale = orchestrator.Stale(s.Map, 2*time.Minute, u)
	const restart = "systemctl restart -- justnews@gpu_orchestrator.service"
	for name, j := range map[string]check.Judgement{
		"an agent that was added":        {State: check.Idle, Reason: "2 models loaded, the map lists 3"},
		"a model that was corrected":     {State: check.Failed, Errors: []facts.ModelError{{Agent: "scout", Model: "roberta-base", Error: "failed to load model: no such file"}}},
		"an agent that no longer exists": {State: check.Failed, Errors: []facts.ModelError{{Agent: "newone", Model: "x", Error: "no snapshot"}}},
	} {
		p := orchestrator.Refused(j, facts.ModelsLook{}, s)[0]
		findings.Sound(t, p)
		if !strings.Contains(p.Seen, "AGENT_MODEL_MAP.json was changed 60 s after the orchestrator was started") || !strings.Contains(p.Fix.String(), restart) || strings.Contains(p.Fix.String(), "copy") {
			t.Errorf("%s: %q\n%s", name, p.Seen, p.Fix)
		}
	}
	for name, text := range map[string]string{
		"changed before":       orchestrator.Stale(s.Map, 30*time.Second, u),
		"not known when":       orchestrator.Stale(s.Map, 0, u),
		"changed at the start": orchestrator.Stale(s.Map, time.Minute, u),
		"not known since when": orchestrator.Stale(s.Map, 2*time.Minute, facts.Unit{MainPID: 7}),
		"not running":          orchestrator.Stale(s.Map, 2*time.Minute, facts.Unit{Times: u.Times}),
		"no unit of this host": orchestrator.Stale(s.Map, 2*time.Minute, facts.Unit{}),
	} {
		if text != "" {
			t.Errorf("%s: %q", name, text)
		}
	}
	// What the disk shows is the cause, whatever the map was.
	s.Diagnose = func(facts.ModelError) (orchestrator.Diagnosis, bool) {
		return orchestrator.Diagnosis{Code: diag.StoreSnapshot, Seen: "no snapshot", Fix: diag.Advise("copy it")}, true
	}
	if p := orchestrator.Refused(check.Judgement{State: check.Failed, Errors: []facts.ModelError{{Agent: "scout", Model: "roberta-base"}}}, facts.ModelsLook{}, s)[0]; p.Code != diag.StoreSnapshot || !strings.Contains(p.Fix.String(), "copy it") {
		t.Errorf("%+v", p)
	}
}

func TestProblems_ErrorOfARemovedAgentIsStale(t *testing.T) {
	s := subject(t)
	at := 1.0
	of := func(errors ...facts.ModelError) (check.Judgement, facts.ModelsLook) {
		look := answered(facts.ModelsState{AllReady: true, HasStartedAt: true, StartedAt: &at, Total: 3, Done: 3, Errors: errors})
		return orchestrator.Models(look, requirement.Preload{Expected: 3}), look
	}
	gone := facts.ModelError{Agent: "newone", Model: "org/x", Error: "no snapshot"}
	for name, e := range map[string]facts.ModelError{
		"an agent": gone, "a model": {Agent: "scout", Model: "org/y", Error: "no snapshot"}, "an agent without a model": {Agent: "newone", Error: "no snapshot"},
	} {
		j, look := of(e)
		p := orchestrator.Refused(j, look, s)[0]
		findings.Sound(t, p)
		if p.Code != diag.ModelsInconsistent || !strings.Contains(p.Message, e.Agent) || !strings.Contains(p.Message, "a leftover error") ||
			!strings.Contains(p.Fix.String(), "systemctl restart") || strings.Contains(p.Fix.String(), "worker") {
			t.Errorf("%s: %s\n%s", name, p.Message, p.Fix)
		}
	}
	j, look := of(gone, facts.ModelError{Agent: "critic", Model: "unitary/toxic-bert", Error: "x"})
	if p := orchestrator.Refused(j, look, s)[0]; strings.Contains(p.Message, "leftover") {
		t.Errorf("an error of a listed model: %s", p.Message)
	}
}

// A leftover error explains only an answer that has nothing else wrong.
func TestProblems_LeftoverErrorIsNotTheCauseOfAnotherContradiction(t *testing.T) {
	gone := []facts.ModelError{{Agent: "newone", Model: "org/x", Error: "no snapshot"}}
	for name, s := range map[string]facts.ModelsState{
		"not ready":   {Total: 3, Done: 3, Errors: gone},
		"a failure":   {AllReady: true, Total: 3, Done: 2, Failed: 1, Errors: gone},
		"in progress": {AllReady: true, InProgress: true, Total: 3, Done: 3, Errors: gone},
		"no error":    {AllReady: true, Total: 3, Done: 2},
	} {
		p := orchestrator.Refused(check.Judgement{State: check.Inconsistent, Reason: "r"}, answered(s), subject(t))[0]
		if strings.Contains(p.Message, "leftover") || !strings.HasSuffix(p.Message, ": r") {
			t.Errorf("%s: %s", name, p.Message)
		}
	}
}

func TestProblems_FixesFollowTheKindOfServer(t *testing.T) {
	own, other := subject(t), subject(t)
	other.Protocol.Loaded = "with the status loaded"
	for name, c := range map[string]struct {
		s             orchestrator.Subject
		expected, fix string
	}{
		"JustNews' own": {own, "all_ready with at least the 3 models that /etc/justnews/AGENT_MODEL_MAP.json lists", "make sure that the orchestrator serves"},
		"another kind":  {other, "every expected model with the status loaded", "or correct its name in models.expected"},
	} {
		if p := orchestrator.PreloadRefused(c.s, facts.ModelsLook{}); !strings.Contains(p.Fix.String(), c.fix) {
			t.Errorf("%s: %s", name, p.Fix)
		}
		for _, status := range []int{401, 403} {
			if p := orchestrator.PreloadRefused(c.s, facts.ModelsLook{Answer: facts.Answer{Kind: facts.Nonsense, Status: status}}); !strings.Contains(p.Fix.String(), "API key") || !strings.Contains(p.Expected, "API key") {
				t.Errorf("%s: %+v", name, p)
			}
		}
		if p := orchestrator.Late(check.Judgement{State: check.Pending}, facts.ModelsLook{}, c.s)[0]; p.Expected != c.expected {
			t.Errorf("%s: %s", name, p.Expected)
		}
	}
	for _, n := range []int{-1, 0} {
		own.Expected = n
		if p := orchestrator.Late(check.Judgement{State: check.Pending}, facts.ModelsLook{}, own)[0]; !strings.HasPrefix(p.Expected, "all_ready with at least one model") {
			t.Errorf("%d: %s", n, p.Expected)
		}
	}
}

// The HTTP status says something where the body does not.
func TestProblems_StatusPrecedesWhatWasInvalid(t *testing.T) {
	for want, a := range map[string]facts.Answer{
		"HTTP status 200: not JSON": {Kind: facts.Nonsense, Status: 200, Detail: "not JSON"},
		"no header":                 {Kind: facts.Nonsense, Detail: "no header"},
		"302 Found":                 {Kind: facts.Redirected, Status: 302, Detail: "302 Found"},
	} {
		if p := orchestrator.InvalidAnswer(subject(t), a); p.Seen != want {
			t.Errorf("%q, want %q", p.Seen, want)
		}
	}
}

func TestProblems_StateOfTheBusIsItsStatusOrAnswer(t *testing.T) {
	for want, b := range map[string]facts.BusHealth{
		"degraded":           {Answer: facts.Answer{Kind: facts.Answered, Detail: "200"}, State: "degraded"},
		"connection refused": {Answer: facts.Answer{Kind: facts.Refused, Detail: "connection refused"}, State: "ok"},
		"no answer":          {},
	} {
		if got := orchestrator.BusState(b); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestProblems_PreloadThatWasNotStartedDiffersFromASmallOne(t *testing.T) {
	for want, state := range map[string]facts.ModelsState{
		"the orchestrator started no preload when it was requested":  {HasStartedAt: true},
		"the orchestrator loaded fewer models than it should":        {HasStartedAt: true, StartedAt: at(1)},
		"the orchestrator loaded fewer models than it should, older": {},
	} {
		p := orchestrator.Refused(check.Judgement{State: check.Idle}, facts.ModelsLook{State: state}, subject(t))[0]
		if want, _, _ = strings.Cut(want, ", older"); p.Message != want {
			t.Errorf("%+v: %q, want %q", state, p.Message, want)
		}
	}
}

func TestSilent_RestartDoesNotFixAName(t *testing.T) {
	a := facts.Answer{Kind: facts.Refused, Detail: "cannot resolve gpuhots", NoHost: true}
	for what, problems := range map[string][]diag.Problem{
		"orchestrator.url": orchestrator.Silent(subject(t), facts.Health{Answer: a}, facts.Readiness{}),
		"bus.url":          orchestrator.Bus("http://gpuhots:8000", "justnews@mcp_bus.service", facts.BusHealth{Answer: a}),
	} {
		if len(problems) != 1 || strings.Contains(problems[0].Fix.String(), "restart") || !strings.Contains(problems[0].Fix.Advice, "correct the host in "+what) {
			t.Errorf("%s: %+v", what, problems)
		}
	}
}
