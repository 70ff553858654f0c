// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"math"

	"justnews/internal/facts"
	"justnews/internal/strictjson"
)

// shape is which of the two forms of a preload's state is read.
type shape int

const (
	statusShape  shape = iota // GET /models/status: errors is always there
	preloadShape              // POST /models/preload: errors only after a finished job
)

// What is kept of one entry of the errors list, in bytes. The number of entries
// is bounded by maxBody, so their count is kept.
const (
	maxName  = 256
	maxError = 4096
)

// health reads /health: status must be there, safe_mode may be.
func health(o strictjson.Object) (safeMode bool, err error) {
	if _, err := o.Text("status"); err != nil {
		return false, err
	}
	v, ok, err := o.Optional("safe_mode")
	if err != nil || !ok {
		return false, err
	}
	return v.Bool()
}

// busState reads the bus's /health: overall_status (new) or status (old).
func busState(o strictjson.Object) (string, error) {
	v, ok, err := o.Optional("overall_status")
	if err != nil {
		return "", err
	}
	if !ok {
		v, err = o.Value("status")
		if err != nil {
			return "", err
		}
	}
	s, err := v.Text()
	return clip(s, maxName), err
}

// modelsState reads the state of a preload. Every field that is not known to be
// missing on some server is required, with its type.
func modelsState(o strictjson.Object, s shape) (facts.ModelsState, error) {
	var state facts.ModelsState
	var err error
	if state.AllReady, err = o.Bool("all_ready"); err != nil {
		return state, err
	}
	if state.InProgress, err = o.Bool("in_progress"); err != nil {
		return state, err
	}
	if err := counters(o, &state); err != nil {
		return state, err
	}
	if state.Errors, err = modelErrors(o, s); err != nil {
		return state, err
	}
	if state.StartedAt, state.HasStartedAt, err = moment(o, "started_at"); err != nil {
		return state, err
	}
	if state.CompletedAt, _, err = moment(o, "completed_at"); err != nil {
		return state, err
	}
	state.PerAgent, err = perAgent(o)
	return state, err
}

func counters(o strictjson.Object, state *facts.ModelsState) error {
	summary, err := o.Object("summary")
	if err != nil {
		return err
	}
	if state.Total, err = summary.Int("total", 0, math.MaxInt32); err != nil {
		return err
	}
	if state.Done, err = summary.Int("done", 0, math.MaxInt32); err != nil {
		return err
	}
	state.Failed, err = summary.Int("failed", 0, math.MaxInt32)
	return err
}

func modelErrors(o strictjson.Object, s shape) ([]facts.ModelError, error) {
	v, ok, err := o.Optional("errors")
	if err != nil || !ok && s == preloadShape {
		return nil, err
	}
	if !ok {
		v, err = o.Value("errors")
		if err != nil {
			return nil, err
		}
	}
	items, err := v.List()
	if err != nil {
		return nil, err
	}
	var list []facts.ModelError
	for _, item := range items {
		e, err := modelError(item)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

func modelError(v strictjson.Value) (facts.ModelError, error) {
	o, err := v.Object()
	if err != nil {
		return facts.ModelError{}, err
	}
	agent, err := o.Text("agent")
	if err != nil {
		return facts.ModelError{}, err
	}
	model, err := o.Text("model")
	if err != nil {
		return facts.ModelError{}, err
	}
	message, err := o.Text("error")
	return facts.ModelError{Agent: clip(agent, maxName), Model: clip(model, maxName), Error: clip(message, maxError)}, err
}

// moment reads a time in seconds that may be null or missing.
func moment(o strictjson.Object, key string) (at *float64, has bool, err error) {
	v, has, err := o.Optional(key)
	if err != nil || !has || v.IsNull() {
		return nil, has, err
	}
	seconds, err := v.Float()
	if err != nil {
		return nil, true, err
	}
	return &seconds, true, nil
}

// perAgent reads per_agent[agent][model], or per_agent[agent] itself on old
// servers, whose only, unnamed model gets the key "".
func perAgent(o strictjson.Object) (map[string]map[string]facts.ModelLoad, error) {
	v, ok, err := o.Optional("per_agent")
	if err != nil || !ok {
		return nil, err
	}
	agents, err := v.Object()
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]facts.ModelLoad{}
	for _, a := range agents.Members() {
		models, err := a.Value.Object()
		if err != nil {
			return nil, err
		}
		if all[a.Key], err = loads(models); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func loads(models strictjson.Object) (map[string]facts.ModelLoad, error) {
	if status, ok, _ := models.Optional("status"); ok && !status.IsObject() {
		one, err := load(models)
		return map[string]facts.ModelLoad{"": one}, err
	}
	all := map[string]facts.ModelLoad{}
	for _, m := range models.Members() {
		o, err := m.Value.Object()
		if err != nil {
			return nil, err
		}
		if all[m.Key], err = load(o); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func load(o strictjson.Object) (facts.ModelLoad, error) {
	status, err := o.Text("status")
	if err != nil {
		return facts.ModelLoad{}, err
	}
	l := facts.ModelLoad{Status: clip(status, maxName)}
	v, ok, err := o.Optional("error")
	if err != nil || !ok || v.IsNull() {
		return l, err
	}
	message, err := v.Text()
	l.Error = clip(message, maxError)
	return l, err
}
