// SPDX-License-Identifier: Apache-2.0

// Package orchestrator judges the GPU Orchestrator, its preload and the MCP bus:
// what they answer, whose socket answers, and why a model did not load. It mirrors
// internal/probe/orchestrator.
package orchestrator

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/requirement"
	"justnews/internal/spell"
)

// Models judges one look at the preload.
//
// Ready takes every condition at once: all_ready, nothing in progress, nothing
// failed, no errors, done == total, total > 0, a job that really ran, and at
// least as many models as the map lists. Where several other states would fit,
// the first of these is returned:
//
//	Unreachable, Nonsense   there is nothing to judge
//	Inconsistent            two claims exclude each other, running job or not:
//	                        no later look at the same job can be trusted. The
//	                        caller must not POST while one runs.
//	Failed                  errors, once the job is over, or at once with FailFast
//	Pending                 in progress
//	Idle                    no job ran, or it loaded fewer models than the map lists
func Models(look facts.ModelsLook, w requirement.Preload) check.Judgement {
	if reach := check.Reach(look.Answer); reach != check.Ready {
		return check.Judgement{State: reach, Reason: evidence(look.Answer)}
	}
	s := look.State
	j := check.Judgement{Errors: s.Errors, Done: s.Done, Total: s.Total}
	if why := contradiction(look, w); why != "" {
		return j.As(check.Inconsistent, why)
	}
	if w.OnlyAgent != "" {
		j.Errors = of(s.Errors, w.OnlyAgent)
	}
	if s.InProgress {
		return running(s, j, w)
	}
	return over(s, j, w)
}

// contradiction returns what in an answer cannot be true together, "" for
// nothing.
func contradiction(look facts.ModelsLook, w requirement.Preload) string {
	s := look.State
	never := s.HasStartedAt && s.StartedAt == nil
	switch {
	case s.Total < 0 || s.Done < 0 || s.Failed < 0:
		return "a negative count"
	case s.Done > s.Total:
		return fmt.Sprintf("%s loaded of only %d", diag.Count(s.Done, "model"), s.Total)
	case s.Failed > s.Total:
		return fmt.Sprintf("%s failed of only %d", diag.Count(s.Failed, "model"), s.Total)
	case s.Done+s.Failed > s.Total:
		return fmt.Sprintf("%s loaded and %d failed of only %d", diag.Count(s.Done, "model"), s.Failed, s.Total)
	case s.AllReady && s.InProgress:
		// Upstream computes all_ready with "not in_progress".
		return "all_ready while a job is in progress"
	case s.InProgress:
		return "" // errors may be an earlier job's until the first model is counted
	case s.AllReady && s.Failed > 0:
		return fmt.Sprintf("all_ready although %s failed", diag.Count(s.Failed, "model"))
	case s.AllReady && len(s.Errors) > 0:
		return fmt.Sprintf("all_ready although %s", errorsListed(len(s.Errors)))
	case s.AllReady && s.Done != s.Total:
		return fmt.Sprintf("all_ready although only %d of %d models are loaded", s.Done, s.Total)
	case s.AllReady && look.Status == http.StatusServiceUnavailable:
		return "all_ready in an answer with status 503"
	case never && (s.Total > 0 || len(s.Errors) > 0):
		return "models are counted although no job ever ran"
	case !s.AllReady && s.Total > 0 && s.Failed == 0 && len(s.Errors) == 0 && len(s.Missing) == 0:
		return fmt.Sprintf("the job finished with %d of %d models loaded, none failed, and all_ready is false", s.Done, s.Total)
	default:
		return ownContradiction(s, w)
	}
}

// running judges a job in progress. Right after a refresh the errors list still
// holds the errors of the job before, while the counters are fresh: only an
// error that is counted too belongs to this job.
func running(s facts.ModelsState, j check.Judgement, w requirement.Preload) check.Judgement {
	if w.FailFast && s.Failed > 0 && len(j.Errors) > 0 {
		return j.As(check.Failed, failures(s))
	}
	j.Errors = nil
	return j.As(check.Pending, progress(s))
}

// over judges when nothing is in progress.
func over(s facts.ModelsState, j check.Judgement, w requirement.Preload) check.Judgement {
	never := s.HasStartedAt && s.StartedAt == nil
	broken := s.Failed > 0 || len(s.Errors) > 0
	switch {
	case broken && w.OnlyAgent != "" && len(j.Errors) == 0 && s.Failed == len(s.Errors) && s.Done+s.Failed == s.Total:
		return ownOnly(s, j, w)
	case broken:
		if len(j.Errors) == 0 {
			j.Errors = s.Errors // failures that no name explains are everybody's
		}
		return j.As(check.Failed, failures(s))
	case len(s.Missing) > 0:
		return j.As(check.Idle, progress(s))
	case never:
		return j.As(check.Idle, "no preload has run since the orchestrator started")
	case s.Total == 0 && s.AllReady && w.AcceptEmpty && (w.Empty || w.Expected <= 0):
		return j.As(check.Ready, "no model is loaded, as models.accept_empty allows")
	case s.Total == 0 && w.Empty:
		return j.As(check.Idle, loadsNothing)
	case s.Total == 0:
		return j.As(check.Idle, "the last preload loaded no models at all")
	case s.Total < w.Expected:
		return j.As(check.Idle, short(s, w))
	case s.AllReady && s.Done == s.Total:
		return j.As(check.Ready, fmt.Sprintf("%d of %d models loaded", s.Done, s.Total))
	default:
		return j.As(check.Inconsistent, "the answer does not match any known state")
	}
}

func progress(s facts.ModelsState) string {
	switch {
	case len(s.Missing) > 0:
		return fmt.Sprintf("%d of %d models loaded, not %s", s.Done, s.Total, listed(s.Missing)) + others(s)
	case s.Total == 0:
		return "the preload has begun"
	case s.Failed > 0:
		return fmt.Sprintf("%d of %d models loaded, %d failed", s.Done, s.Total, s.Failed)
	default:
		return fmt.Sprintf("%d of %d models loaded", s.Done, s.Total)
	}
}

const (
	maxNear  = 1000 // names that are compared with a missing one, at each look
	maxOther = 100  // bytes of a name of the server's
)

// others is the evidence that a name is another one for the server: the nearest of those
// that it lists.
func others(s facts.ModelsState) string {
	if len(s.Others) == 0 {
		return ""
	}
	name := s.Others[0]
	if near, ok := spell.Nearest(s.Missing[0], s.Others[:min(len(s.Others), maxNear)]); ok {
		name = near
	}
	text := "; the server lists " + diag.Quote(diag.Clip(name, maxOther))
	if more := len(s.Others) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func failures(s facts.ModelsState) string {
	if s.Failed == 0 {
		return errorsListed(len(s.Errors))
	}
	return fmt.Sprintf("%d of %d models failed", s.Failed, s.Total)
}

func short(s facts.ModelsState, w requirement.Preload) string {
	return fmt.Sprintf("%s loaded, the map lists %d", diag.Count(s.Done, "model"), w.Expected)
}

// listed names at most maxListed of these models.
func listed(names []string) string {
	return strings.Join(lists.Map(names[:min(len(names), maxListed)], diag.Quote), ", ")
}

func errorsListed(n int) string {
	if n == 1 {
		return "1 error is listed"
	}
	return fmt.Sprintf("%d errors are listed", n)
}

// Same reports whether two looks show the same state of the same job, and what
// differs first. Two worker processes behind one port hold two states: what
// differs between two looks is not ready. per_agent is left out, since only
// answers to a POST have it.
func Same(a, b facts.ModelsState) (bool, string) {
	for _, pair := range []struct{ what, a, b string }{
		{"started_at", moment(a.HasStartedAt, a.StartedAt), moment(b.HasStartedAt, b.StartedAt)},
		{"completed_at", moment(true, a.CompletedAt), moment(true, b.CompletedAt)},
		{"all_ready", strconv.FormatBool(a.AllReady), strconv.FormatBool(b.AllReady)},
		{"in_progress", strconv.FormatBool(a.InProgress), strconv.FormatBool(b.InProgress)},
		{"summary.total", strconv.Itoa(a.Total), strconv.Itoa(b.Total)},
		{"summary.done", strconv.Itoa(a.Done), strconv.Itoa(b.Done)},
		{"summary.failed", strconv.Itoa(a.Failed), strconv.Itoa(b.Failed)},
		{"the number of errors", strconv.Itoa(len(a.Errors)), strconv.Itoa(len(b.Errors))},
	} {
		if pair.a != pair.b {
			return false, fmt.Sprintf("%s was %s, then %s", pair.what, pair.a, pair.b)
		}
	}
	return true, ""
}

func moment(has bool, at *float64) string {
	switch {
	case !has:
		return "absent"
	case at == nil:
		return "null"
	default:
		return strconv.FormatFloat(*at, 'f', -1, 64)
	}
}

// of returns the errors of one agent, and those that name none, which may be its.
func of(errors []facts.ModelError, agent string) []facts.ModelError {
	return lists.Filter(errors, func(e facts.ModelError) bool { return e.Agent == agent || e.Agent == "" })
}

// ownOnly judges a finished job with errors of other agents only (scope = "own"): each
// failure is named, and none is ours. The status does not list single agents' models, so
// the whole map must have been tried before the lack of an error means that ours are
// loaded.
func ownOnly(s facts.ModelsState, j check.Judgement, w requirement.Preload) check.Judgement {
	if s.Total < w.Expected {
		return j.As(check.Idle, short(s, w))
	}
	return j.As(check.Ready, fmt.Sprintf("the models of %s are loaded, %d of other agents failed", w.OnlyAgent, s.Failed))
}

// ownContradiction compares our models in per_agent, if the answer has it, with an answer
// that lists no error of ours.
func ownContradiction(s facts.ModelsState, w requirement.Preload) string {
	if w.OnlyAgent == "" || len(of(s.Errors, w.OnlyAgent)) > 0 {
		return ""
	}
	models := s.PerAgent[w.OnlyAgent]
	for _, model := range slices.Sorted(maps.Keys(models)) {
		if status := models[model]; status != "ok" && status != "success" {
			return fmt.Sprintf("no error of %s is listed, yet its model %s is %s", w.OnlyAgent, diag.Quote(model), diag.Quote(status))
		}
	}
	return ""
}

// Canary judges the answer of one model to the smallest request that there is. The
// second result is true where the next answer may be another.
func Canary(s Subject, model string, a facts.Answer) (problem *diag.Problem, again bool) {
	switch {
	case a.Kind == facts.Answered:
		return nil, false
	case a.Kind == facts.Foreign, keyRejected(a):
		return new(InvalidAnswer(s, a)), false
	}
	return new(diag.Found(diag.ModelCanary, diag.Clean(model), "the server lists the model as loaded, but the model does not answer a request",
		statusOf(a)+evidence(a), "an answer to a request for one token",
		diag.Advise("fix the error in the server's log", diag.Restart(s.Unit)...).Looking(diag.LogOf(s.Unit)))), check.Reach(a) == check.Unreachable
}

// OnGPU judges where the models are: according to the server, or by the GPU memory that
// processes of its unit hold. Pids are those processes. The second result is true if it is
// not known, or may change.
func OnGPU(s Subject, state facts.ModelsState, pids []int, l facts.GPULook) (problem *diag.Problem, again bool) {
	p := new(diag.Found(diag.ModelsOnCPU, s.URL, "the models are not in GPU memory",
		"", `processes of the server's unit that hold GPU memory, as models.device = "gpu" asks for`,
		diag.Advise("find out in the server's log why it does not use the GPU", diag.Restart(s.Unit)...).Looking(diag.LogOf(s.Unit), diag.Run("nvidia-smi"))))
	switch {
	case s.Protocol.Placed && len(state.OnCPU) > 0:
		p.Seen = fmt.Sprintf("size_vram is 0 or smaller than size: %s", listed(state.OnCPU))
		p.Expected = "size_vram equal to size, and not 0, for every expected model"
		return p, false
	case s.Protocol.Placed:
		return nil, false
	case l.Kind != facts.GPUAnswered || l.NVML == nil:
		p.Seen = "NVML does not answer: " + diag.Clean(l.Detail)
		return p, true
	case len(pids) == 0:
		p.Seen = "no process of " + s.Unit + " was found"
		return p, true
	}
	held, silent := uint64(0), false
	for _, g := range l.NVML.GPUs {
		for _, clients := range []*facts.GPUClients{g.Processes, g.MPSProcesses} {
			if clients == nil {
				silent = true
				continue
			}
			for _, c := range *clients {
				switch {
				case !slices.Contains(pids, c.PID):
				case c.Memory == nil:
					silent = true
				default:
					held += *c.Memory
				}
			}
		}
	}
	switch {
	case held > 0:
		return nil, false
	case silent:
		p.Seen = fmt.Sprintf("the driver does not report the GPU memory of the %s of %s", diag.Count(len(pids), "process"), s.Unit)
	default:
		p.Seen = fmt.Sprintf("none of the %s of %s holds GPU memory", diag.Count(len(pids), "process"), s.Unit)
	}
	return p, silent
}
