// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"bytes"
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"

	"justnews/internal/diag"
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
	h := facts.Health{}
	h.Answer = c.get(ctx, "/health", false).read(func(f fields) {
		f.text("status")
		h.SafeMode, _ = optional(f, "safe_mode", strictjson.Value.Bool)
	})
	return h
}

// Ready asks GET /ready. The body decides, not the status.
func (c *justNews) Ready(ctx context.Context) facts.Readiness {
	ready := facts.Readiness{}
	ready.Answer = c.get(ctx, "/ready", false).read(func(f fields) { ready.Ready = f.bool("ready") })
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
// request itself on a reused connection, so this one is sent at most once.
func (c *justNews) Preload(ctx context.Context) facts.ModelsLook {
	return c.proven(ctx, c.exchange(ctx, c.fresh, http.MethodPost, "/models/preload", strings.NewReader(`{"refresh": true}`))).models(preloadShape)
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

// modelsState reads the state of a preload. Every field that is not known to be
// missing on some server is required, with its type.
func modelsState(f fields, s shape) facts.ModelsState {
	state := facts.ModelsState{AllReady: f.bool("all_ready"), InProgress: f.bool("in_progress")}
	summary := f.object("summary")
	state.Total, state.Done, state.Failed = summary.count("total"), summary.count("done"), summary.count("failed")
	_, finished, err := f.Optional("errors")
	f.fail(err)
	if finished || s == statusShape {
		for e := range f.list("errors") {
			state.Errors = append(state.Errors, facts.ModelError{
				Agent: diag.Clip(e.text("agent"), maxName), Model: diag.Clip(e.text("model"), maxName), Error: diag.Clip(e.text("error"), maxError),
			})
		}
	}
	state.StartedAt, state.HasStartedAt = moment(f, "started_at")
	state.CompletedAt, _ = moment(f, "completed_at")
	state.PerAgent = perAgent(f)
	return state
}

func (f fields) count(key string) int {
	return required(f, key, func(v strictjson.Value) (int, error) { return v.Int(0, math.MaxInt32) })
}

// moment reads a time in seconds that may be null or missing.
func moment(f fields, key string) (at *float64, has bool) {
	return optional(f, key, func(v strictjson.Value) (*float64, error) {
		if v.IsNull() {
			return nil, nil
		}
		seconds, err := v.Float()
		return &seconds, err
	})
}

// perAgent reads per_agent[agent][model], or per_agent[agent] itself on old
// servers, whose only, unnamed model gets the key "".
func perAgent(f fields) map[string]map[string]string {
	agents, found := optional(f, "per_agent", strictjson.Value.Object)
	if !found {
		return nil
	}
	all := map[string]map[string]string{}
	for name, models := range (fields{agents, f.err}).members() {
		all[name] = map[string]string{}
		if status, found, _ := models.Optional("status"); found && !status.IsObject() {
			all[name][""] = diag.Clip(models.text("status"), maxName)
			continue
		}
		for model, one := range models.members() {
			all[name][model] = diag.Clip(one.text("status"), maxName)
		}
	}
	return all
}

// VLLM asks GET /vllm/status, which only newer servers have.
func (c *justNews) VLLM(ctx context.Context) facts.VLLM {
	v := facts.VLLM{}
	v.Answer = c.get(ctx, "/vllm/status", true).read(func(f fields) { v.Enabled, v.Running = f.bool("enabled"), f.bool("running") })
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
	answer := c.get(ctx, "/gpu/info", true).read(func(f fields) { o.Enabled = f.bool("mps_enabled") })
	if answer.Kind == facts.Answered {
		o.Known, o.Source = true, "/gpu/info: mps_enabled"
		return o
	}
	o = facts.MPSOpinion{}
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
