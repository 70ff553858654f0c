// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"

	"justnews/internal/facts"
	"justnews/internal/strictjson"
)

// metric is the orchestrator's own gauge of MPS: 1 or 0.
const metric = "gpu_orchestrator_mps_enabled"

// MPS asks for the orchestrator's view of NVIDIA MPS: GET /gpu/info and, if
// that has none (newer servers always answer 500 there), GET /metrics. It is
// only a second opinion, based on the existence of a path and on a process name
// that is never found.
func (c *Client) MPS(ctx context.Context) facts.MPSOpinion {
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
