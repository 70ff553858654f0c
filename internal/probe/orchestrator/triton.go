// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strings"

	"justnews/internal/facts"
	"justnews/internal/strictjson"
)

// triton is NVIDIA's Triton Inference Server: the KServe v2 protocol with the extension
// for model repositories (docs/protocol/extension_model_repository.md of
// triton-inference-server). /v2/health/ready is true over no models and false while any
// model loads, so that only the index counts. A model is expected as NAME, with every
// version that the index has of it and Triton has not unloaded, or as NAME:VERSION.
type triton struct{}

func (triton) protocol() facts.Protocol {
	return facts.Protocol{
		Loads:   true,
		Ready:   "200 to GET /v2/health/live",
		Models:  "an answer to GET /v2/health/live and POST /v2/repository/index",
		Preload: "200 to POST /v2/repository/models/NAME/load, which needs --model-control-mode=explicit",
		Loaded:  `"state": "READY" in POST /v2/repository/index`,
	}
}

func (triton) health(ctx context.Context, l *link) facts.Answer {
	return l.get(ctx, "/v2/health/live", false).alive()
}

// list: the index is a list, the only answer of any kind that is not an object.
func (triton) list(ctx context.Context, l *link, _ bool) (map[string]model, facts.Answer) {
	own, cancel := context.WithTimeoutCause(ctx, l.look, slow{l.look})
	defer cancel()
	r := l.post(own, "/v2/repository/index", object{})
	list := len(r.body) > 0 && r.body[0] == '['
	if list {
		r.body = fmt.Appendf(nil, `{"models":%s}`, r.body)
	}
	models := listing{}
	a := r.read(func(f fields) {
		if !list {
			f.fail(errors.New("expected a list, found an object"))
		}
		if len(f.Members()) != 1 { // what follows the list would be a member of the object
			f.fail(errors.New("bytes after the list"))
		}
		for name, entry := range f.named("models", "name") {
			version, m, unloaded := tritonModel(entry)
			if !unloaded { // a version that was replaced stays in the index
				models.add(name, m)
			}
			models.add(name+":"+version, m)
		}
	})
	return models, a
}

// tritonModel: a model that was never loaded has neither version nor state.
func tritonModel(f fields) (version string, m model, unloaded bool) {
	version, _ = optional(f, "version", strictjson.Value.Text)
	state, _ := optional(f, "state", strictjson.Value.Text)
	reason, _ := optional(f, "reason", strictjson.Value.Text)
	m = model{loaded: state == "READY", loading: state == "LOADING"}
	unloaded = state == "UNAVAILABLE" && reason == "unloaded"
	if state == "UNAVAILABLE" && !unloaded {
		m.failed = reason
	}
	return version, m, unloaded
}

func (triton) load(ctx context.Context, l *link, name string) reply {
	name, _, _ = strings.Cut(name, ":")
	return l.post(ctx, "/v2/repository/models/"+url.PathEscape(name)+"/load", object{})
}

// canary sends zeros in the shape that the model's own description asks for.
func (triton) canary(ctx context.Context, l *link, name string) facts.Answer {
	name, version, pinned := strings.Cut(name, ":")
	path := "/v2/models/" + url.PathEscape(name)
	if pinned {
		path += "/versions/" + url.PathEscape(version)
	}
	var inputs []object
	room := maxZeros
	a := l.get(ctx, path, true).read(func(f fields) {
		for input, entry := range f.named("inputs", "name") {
			inputs = append(inputs, zeros(input, entry, &room))
		}
	})
	if a.Kind != facts.Answered {
		return a
	}
	return l.post(ctx, path+"/infer", object{"inputs": inputs}).read(func(f fields) {
		required(f, "outputs", strictjson.Value.List)
	})
}

// maxZeros bounds the canary of a model with large fixed inputs, in elements of all of them.
const maxZeros = 1 << 22

// zeros is one input of a canary. It takes its elements from room.
func zeros(name string, f fields, room *int) object {
	datatype := f.text("datatype")
	shape, count := []int{}, 1
	for _, d := range required(f, "shape", strictjson.Value.List) {
		n := max(1, as(f, d, nil, func(v strictjson.Value) (int, error) { return v.Int(-1, math.MaxInt32) })) // -1: any
		shape = append(shape, n)
		if count *= n; count > *room {
			f.fail(fmt.Errorf("the inputs up to %s have more than %d elements", name, maxZeros))
			return nil
		}
	}
	*room -= count
	data := make([]any, count)
	for i := range data {
		switch datatype {
		case "BYTES":
			data[i] = ""
		case "BOOL":
			data[i] = false
		default:
			data[i] = 0
		}
	}
	return object{"name": name, "datatype": datatype, "shape": shape, "data": data}
}
