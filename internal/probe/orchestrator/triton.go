// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"cmp"
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
// version that the index has of it, or as NAME:VERSION.
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
	if len(r.body) > 0 && r.body[0] == '[' {
		r.body = fmt.Appendf(nil, `{"models":%s}`, r.body)
	}
	models := map[string]model{}
	a := r.read(func(o strictjson.Object) error {
		if len(o.Members()) != 1 { // what follows the list would be a member of the object
			return errors.New("bytes after the list")
		}
		return namedList(o, "models", "name", func(name string, entry strictjson.Object) error {
			version, m, err := tritonModel(entry)
			all, known := models[name]
			if !known {
				all = model{loaded: true}
			}
			models[name] = model{loaded: all.loaded && m.loaded, loading: all.loading || m.loading, failed: cmp.Or(all.failed, m.failed)}
			models[name+":"+version] = m
			return err
		})
	})
	return models, a
}

// tritonModel: a model that was never loaded has neither version nor state.
func tritonModel(entry strictjson.Object) (version string, m model, err error) {
	text := func(key string) string {
		v, found, e := entry.Optional(key)
		if e != nil || !found {
			err = cmp.Or(err, e)
			return ""
		}
		s, e := v.Text()
		err = cmp.Or(err, e)
		return s
	}
	version = text("version")
	state, reason := text("state"), text("reason")
	m = model{loaded: state == "READY", loading: state == "LOADING"}
	if state == "UNAVAILABLE" && reason != "unloaded" {
		m.failed = reason
	}
	return version, m, err
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
	a := l.get(ctx, path, true).read(func(o strictjson.Object) error {
		return namedList(o, "inputs", "name", func(input string, entry strictjson.Object) error {
			i, err := zeros(input, entry)
			inputs = append(inputs, i)
			return err
		})
	})
	if a.Kind != facts.Answered {
		return a
	}
	return l.post(ctx, path+"/infer", object{"inputs": inputs}).read(func(o strictjson.Object) error {
		_, err := o.List("outputs")
		return err
	})
}

// maxZeros bounds the canary of a model with a large fixed input, in elements.
const maxZeros = 1 << 22

func zeros(name string, entry strictjson.Object) (object, error) {
	datatype, err := entry.Text("datatype")
	if err != nil {
		return nil, err
	}
	dims, err := entry.List("shape")
	if err != nil {
		return nil, err
	}
	shape, count := []int{}, 1
	for _, d := range dims {
		n, err := d.Int(-1, math.MaxInt32)
		if err != nil {
			return nil, err
		}
		n = max(n, 1) // -1: any
		shape = append(shape, n)
		if count *= n; count > maxZeros {
			return nil, fmt.Errorf("the input %s has more than %d elements", name, maxZeros)
		}
	}
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
	return object{"name": name, "datatype": datatype, "shape": shape, "data": data}, nil
}
