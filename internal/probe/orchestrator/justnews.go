// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"justnews/internal/facts"
	"justnews/internal/strictjson"
)

// justNews queries JustNews' own GPU Orchestrator, with its endpoints and the
// format of its answers.
type justNews struct{ link }

// Protocol describes the requests to this server.
func (c *justNews) Protocol() facts.Protocol {
	return facts.Protocol{
		Ready:   `{"ready": true} from /ready`,
		Models:  "an answer to GET /health and GET /models/status",
		Preload: "200, or 503 with the state under detail, to POST /models/preload",
	}
}

// Health asks GET /health.
func (c *justNews) Health(ctx context.Context) facts.Health {
	r := c.get(ctx, "/health", false)
	h := facts.Health{}
	h.Answer = r.read(func(o strictjson.Object) (err error) {
		h.SafeMode, err = health(o)
		return err
	})
	return h
}

// Ready asks GET /ready. The body decides, not the status.
func (c *justNews) Ready(ctx context.Context) facts.Readiness {
	r := c.get(ctx, "/ready", false)
	ready := facts.Readiness{}
	ready.Answer = r.read(func(o strictjson.Object) (err error) {
		ready.Ready, err = o.Bool("ready")
		return err
	})
	return ready
}

// Models asks GET /models/status. Fresh uses a new connection, which another
// worker process may answer.
func (c *justNews) Models(ctx context.Context, fresh bool) facts.ModelsLook {
	return c.get(ctx, "/models/status", fresh).models(statusShape)
}

// Preload sends POST /models/preload without agents, since old servers load
// nothing otherwise. It waits for the answer until ctx ends, since an old
// server loads during the request.
//
// The request uses a new connection and has no GetBody: net/http only repeats a
// request by itself on a reused connection, so this one is sent at most once.
func (c *justNews) Preload(ctx context.Context, refresh bool) facts.ModelsLook {
	body := strings.NewReader(fmt.Sprintf(`{"refresh": %t}`, refresh))
	return c.exchange(ctx, c.fresh, http.MethodPost, "/models/preload", body).models(preloadShape)
}

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

// VLLM asks GET /vllm/status, which only newer servers have.
func (c *justNews) VLLM(ctx context.Context) facts.VLLM {
	v := facts.VLLM{}
	v.Answer = c.get(ctx, "/vllm/status", true).read(func(o strictjson.Object) (err error) {
		if v.Enabled, err = o.Bool("enabled"); err != nil {
			return err
		}
		v.Running, err = o.Bool("running")
		return err
	})
	return v
}

// metric is the orchestrator's own gauge of MPS: 1 or 0.
const metric = "gpu_orchestrator_mps_enabled"

// MPS asks for the orchestrator's view of NVIDIA MPS: GET /gpu/info and, if
// that has none (newer servers always answer 500 there), GET /metrics. It is
// only a second opinion, based on the existence of a path and on a process name
// that is never found.
func (c *justNews) MPS(ctx context.Context) facts.MPSOpinion {
	o := facts.MPSOpinion{}
	info := c.get(ctx, "/gpu/info", true)
	answer := info.read(func(object strictjson.Object) (err error) {
		o.Enabled, err = object.Bool("mps_enabled")
		return err
	})
	if answer.Kind == facts.Answered {
		o.Known, o.Source = true, "/gpu/info: mps_enabled"
		return o
	}
	o = facts.MPSOpinion{Detail: answer.Detail}
	page := c.get(ctx, "/metrics", true)
	if page.failed != nil || page.large || page.status != http.StatusOK {
		return o
	}
	if value, found := gauge(page.body, metric); found {
		o.Known, o.Enabled, o.Source = true, value > 0, "/metrics: "+metric
	}
	return o
}

// gauge finds the value of a metric without labels in the text format of
// Prometheus, one "name value" per line.
func gauge(text []byte, name string) (float64, bool) {
	for line := range bytes.Lines(text) {
		f := strings.Fields(string(line))
		if len(f) < 2 || f[0] != name {
			continue
		}
		value, err := strconv.ParseFloat(f[1], 64)
		return value, err == nil
	}
	return 0, false
}
