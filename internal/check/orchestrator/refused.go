// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/modelmap"
)

// Subject is what the problems of a preload are about.
type Subject struct {
	URL      string        // of the orchestrator
	Unit     string        // of the orchestrator, "" if it is not a unit of this host
	Timeout  time.Duration // of the whole run
	Map      string        // path of AGENT_MODEL_MAP.json
	Expected int           // models that it lists, -1: not known
	Models   *modelmap.Map // what it lists, nil: not known; for names near a wrong one
	Protocol facts.Protocol
	// Stale is why the orchestrator may have read another map than Map has now,
	// "" if it has not: upstream's loaders read theirs once.
	Stale    string
	Error    facts.Answer // the answer to the last request to load, if it had none or no state
	Empty    bool         // the orchestrator loads no models by itself (requirement.Preload)
	Diagnose Diagnose     // looks deeper into a model's error, nil: only its message counts
}

// Refused returns the problems of a preload that cannot become ready. It
// always returns an error among them.
func Refused(j check.Judgement, look facts.ModelsLook, s Subject) []diag.Problem {
	switch j.State {
	case check.Failed:
		return modelProblems(j, s)
	case check.Idle:
		return []diag.Problem{incomplete(j, look.State, s)}
	case check.Inconsistent:
		return []diag.Problem{inconsistent(j, look, s)}
	case check.Nonsense:
		return []diag.Problem{InvalidAnswer(s, look.Answer)}
	case check.Unreachable:
		return []diag.Problem{unreachable(s, look.Answer)}
	default:
		return []diag.Problem{diag.Found(diag.Internal, s.URL, "the preload was refused without a reason: "+j.State.String(),
			j.Reason, "", diag.Advise("report this as a bug, with the output of: justnews-gate -v --json"))}
	}
}

// Late returns the problems of a preload that was not ready at the deadline,
// made from the last look. It always returns an error among them.
func Late(j check.Judgement, look facts.ModelsLook, s Subject) []diag.Problem {
	switch j.State {
	case check.Pending, check.Ready:
		fix := "if the models need longer than that, raise gate.timeout in /etc/justnews/justnews.toml"
		if len(look.State.Others) > 0 {
			fix = "if the server has another name for a model, correct it in models.expected; " + fix
		}
		return []diag.Problem{diag.Found(diag.ModelsTimeout, s.URL, fmt.Sprintf("the models were not ready within %s", check.Span(s.Timeout)),
			j.Reason, expectation(s), diag.Advise(fix, diag.Reload()))}
	case check.Unknown: // the first look was not over
		return []diag.Problem{unreachable(s, look.Answer)}
	case check.Idle:
		fix := diag.Do(diag.Retry())
		if len(look.State.Others) > 0 {
			fix = refusedFix(s)
		}
		return []diag.Problem{diag.Found(diag.PreloadTimeout, s.URL, fmt.Sprintf("no preload started within %s", check.Span(s.Timeout)),
			j.Reason+s.errored(), expectation(s), fix)}
	default:
		return Refused(j, look, s)
	}
}

// PreloadRefused returns the problem of a POST that was answered with an error
// that has no state.
func PreloadRefused(s Subject, look facts.ModelsLook) diag.Problem {
	p := diag.Found(diag.PreloadRefused, s.URL, "the orchestrator refused to preload",
		statusOf(look.Answer)+evidence(look.Answer), s.Protocol.Preload, refusedFix(s))
	if keyRejected(look.Answer) {
		p.Expected, p.Fix = keyWanted()
	}
	return p
}

func refusedFix(s Subject) diag.Fix {
	if s.Protocol.Loaded != "" {
		return diag.Advise("make the model available to the server, or correct its name in models.expected", diag.Reload(), diag.Retry()).Looking(diag.LogOf(s.Unit))
	}
	return diag.Advise(fmt.Sprintf("make sure that the orchestrator serves %s", diag.Quote(s.URL)), diag.Retry())
}

// errored is the evidence of a request to load that got an error, or no answer.
func (s Subject) errored() string {
	if s.Error.Kind == facts.NoAnswer {
		return ""
	}
	return "; the request to load the models: " + evidence(s.Error)
}

func incomplete(j check.Judgement, st facts.ModelsState, s Subject) diag.Problem {
	p := diag.Found(diag.ModelsIncomplete, s.URL, "the orchestrator loaded fewer models than it should",
		j.Reason+s.errored(), expectation(s), diag.Advise(fmt.Sprintf("give the orchestrator the same AGENT_MODEL_MAP.json as %s", diag.Quote(s.Map)), diag.Retry()))
	switch {
	case s.Protocol.Loaded != "":
		p.Fix = refusedFix(s)
	case st.HasStartedAt && st.StartedAt == nil:
		p.Message = "the orchestrator started no preload when it was requested"
		p.Fix = diag.Advise("fix the error in the orchestrator's log", diag.Restart(s.Unit)...).Looking(diag.LogOf(s.Unit))
	case s.Empty:
		return empty(s)
	case s.Stale != "":
		p.Seen, p.Fix = p.Seen+"; "+s.Stale, readAgain(s)
	}
	return p
}

// loadsNothing is the evidence that a server itself loads no models.
const loadsNothing = "it answered the request to load its models with a finished job of 0 models"

// empty is the problem of a server that itself loads no models.
func empty(s Subject) diag.Problem {
	return diag.Found(diag.PreloadEmpty, s.URL, "the orchestrator loads no models: its preload finishes as soon as it is requested",
		loadsNothing, expectation(s),
		diag.Advise("run a release of the orchestrator that loads models (those of JustNewsAgent from 24 September 2025 on only simulate it); or, to open the gates when the Model Store, the orchestrator and the bus are in order, although no model is loaded, set models.accept_empty = true in /etc/justnews/justnews.toml",
			diag.Reload(), diag.Retry()))
}

// AcceptedEmpty is the warning of a gate that opened although no model is loaded.
func AcceptedEmpty(s Subject) diag.Problem {
	return diag.Found(diag.PreloadEmpty, s.URL, "the gate opened although the orchestrator has loaded no models",
		"a preload of 0 models, and models.accept_empty = true", expectation(s),
		diag.Advise("run a release of the orchestrator that loads models, and set models.accept_empty = false", diag.Reload())).As(diag.Warning)
}

func readAgain(s Subject) diag.Fix {
	return diag.Advise("restart the orchestrator, so that it reads the map again", diag.Restart(s.Unit)...)
}

// Stale returns evidence that the map was changed after the orchestrator was started, "" if
// it was not or that is not known. Changed is when, since boot.
func Stale(path string, changed time.Duration, u facts.Unit) string {
	if started := u.Times.ExecMainStart; u.MainPID == 0 || started <= 0 || changed <= started {
		return ""
	}
	return fmt.Sprintf("%s was changed %s after the orchestrator was started", path, check.Span((changed - u.Times.ExecMainStart).Round(time.Second)))
}

func inconsistent(j check.Judgement, look facts.ModelsLook, s Subject) diag.Problem {
	st := look.State
	p := diag.Found(diag.ModelsInconsistent, s.URL, "the orchestrator's status of its models is contradictory: "+j.Reason,
		fmt.Sprintf("all_ready %t, in_progress %t, total %d, done %d, failed %d, %s, started_at %s",
			st.AllReady, st.InProgress, st.Total, st.Done, st.Failed, errorsListed(len(st.Errors)), moment(st.HasStartedAt, st.StartedAt)), expectation(s),
		diag.Advise("run the orchestrator with one worker process", diag.Restart(s.Unit)...))
	if st.AllReady && st.Failed == 0 && !st.InProgress && leftover(st.Errors, s) {
		p.Message = fmt.Sprintf("the orchestrator reports a leftover error of an earlier job, about %s: %s does not list it", diag.Clean(pair(st.Errors[0])), s.Map)
		p.Seen += "; " + diag.Clean(strings.TrimSpace(st.Errors[0].Error))
		p.Fix = diag.Advise("restart the orchestrator, which clears that error", diag.Restart(s.Unit)...)
	}
	return p
}

// leftover reports whether every error is about a model that the map does not
// list: upstream keeps them when an agent is taken out of the map.
func leftover(errors []facts.ModelError, s Subject) bool {
	return s.Models != nil && len(errors) > 0 && !slices.ContainsFunc(errors, func(e facts.ModelError) bool {
		agent, ok := s.Models.Agent(e.Agent)
		_, listed := agent.Model(e.Model)
		return ok && (listed || e.Model == "")
	})
}

func expectation(s Subject) string {
	if s.Protocol.Loaded != "" {
		return "every expected model " + s.Protocol.Loaded
	}
	if s.Expected > 0 {
		return fmt.Sprintf("all_ready with at least the %s that %s lists", diag.Count(s.Expected, "model"), s.Map)
	}
	return "all_ready with at least one model, and no job in progress"
}

// Glance returns the problems of one look at the models, without a wait.
func Glance(j check.Judgement, look facts.ModelsLook, s Subject) []diag.Problem {
	switch j.State {
	case check.Ready, check.Pending:
		return nil
	case check.Idle, check.Unknown:
		if s.Empty {
			return []diag.Problem{empty(s)}
		}
		return []diag.Problem{diag.Found(diag.ModelsIncomplete, s.URL, "the models are not loaded, and no preload is running",
			j.Reason, expectation(s), diag.Do(diag.Run("justnews-gate", "preload", "--wait")))}
	default:
		return Refused(j, look, s)
	}
}
