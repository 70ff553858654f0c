// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"context"
	"net/http"

	"justnews/internal/facts"
	"justnews/internal/strictjson"
)

// openAI is a server with only OpenAI's API. It lists the models in its configuration, whether
// they are loaded or not: only a canary shows that they are.
type openAI struct{ completes }

func (openAI) protocol() facts.Protocol {
	return facts.Protocol{
		Ready: "200 to GET /v1/models", Models: "an answer to GET /v1/models",
		Loaded: "listed by GET /v1/models",
	}
}

func (openAI) health(ctx context.Context, l *link) facts.Answer {
	return l.get(ctx, "/v1/models", false).alive()
}

func (openAI) list(ctx context.Context, l *link, fresh bool) (map[string]model, facts.Answer) {
	models := map[string]model{}
	a := l.get(ctx, "/v1/models", fresh).read(func(f fields) {
		for name := range f.named("data", "id") {
			models[name] = model{loaded: true}
		}
	})
	return models, a
}

func (openAI) load(context.Context, *link, string) reply { return reply{} }

// vLLM is vLLM's OpenAI-compatible server. It listens once its model is loaded, and
// /health is 503 after its engine has died; that it hangs shows only in a canary.
type vLLM struct{ openAI }

func (vLLM) protocol() facts.Protocol {
	return facts.Protocol{
		Ready: "200 to GET /health", Models: "an answer to GET /health and GET /v1/models",
		Loaded: "listed by GET /v1/models",
	}
}

// health needs no API key, even where one is set.
func (vLLM) health(ctx context.Context, l *link) facts.Answer {
	return l.get(ctx, "/health", false).alive()
}

func (v vLLM) list(ctx context.Context, l *link, fresh bool) (map[string]model, facts.Answer) {
	health := v.health(ctx, l)
	if health.Kind != facts.Answered {
		return nil, health
	}
	return v.openAI.list(ctx, l, fresh)
}

// llamaCpp is llama.cpp's llama-server, with one model or as a router of several
// (tools/server/README.md of llama.cpp; observed with Debian's 0.7.0).
type llamaCpp struct{ completes }

func (llamaCpp) protocol() facts.Protocol {
	return facts.Protocol{
		Loads:   true,
		Ready:   "200 to GET /health",
		Models:  "an answer to GET /health and GET /models",
		Preload: `200 to POST /models/load`,
		Loaded:  `listed by GET /models, in a router with "status": {"value": "loaded"}`,
	}
}

// health: a server that loads its only model answers 503 with an object, and is up.
func (llamaCpp) health(ctx context.Context, l *link) facts.Answer {
	r := l.get(ctx, "/health", false)
	if r.loading() {
		return r.answer(facts.Answered, "the model is loading")
	}
	return r.alive()
}

// loading reports whether this is llama-server's answer while it loads:
// {"error": {"code": 503, "message": "Loading model", …}}.
func (r reply) loading() bool {
	if r.failed != nil || r.status != http.StatusServiceUnavailable {
		return false
	}
	o, err := r.object()
	return err == nil && readFields(o, func(f fields) { f.object("error").text("message") }) == nil
}

// list: the entry of a server with one model has no status, and is listed while the
// model is still loading.
func (llamaCpp) list(ctx context.Context, l *link, fresh bool) (map[string]model, facts.Answer) {
	health := l.get(ctx, "/health", fresh)
	loading := health.loading()
	if a := health.alive(); a.Kind != facts.Answered && !loading {
		return nil, a
	}
	r := l.get(ctx, "/models", fresh)
	if loading && r.loading() {
		return nil, r.answer(facts.ServerError, "the model is loading")
	}
	models := listing{}
	a := r.read(func(f fields) {
		for name, entry := range f.named("data", "id") {
			m := llamaModel(entry, loading)
			models.add(name, m)
			others, _ := optional(entry, "aliases", strictjson.Value.List)
			for _, alias := range others {
				models.add(as(f, alias, nil, strictjson.Value.Text), m)
			}
		}
	})
	return models, a
}

func llamaModel(f fields, loading bool) model {
	object, router := optional(f, "status", strictjson.Value.Object)
	if !router {
		return model{loaded: !loading, loading: loading}
	}
	status := fields{object, f.err}
	value := status.text("value")
	m := model{loaded: value == "loaded", loading: value == "loading" || value == "downloading"}
	// "failed" alone was also seen on models that were never loaded.
	if code, ended, _ := status.Optional("exit_code"); ended && value == "unloaded" {
		if n, err := code.Number(); err == nil && n != "0" {
			m.failed = "the process that loads the model ended with exit status " + n + "; its log is the server's"
		}
	}
	return m
}

// load: 400 is the answer about a model that is loaded, loading or asleep. A request
// wakes one that sleeps.
func (llamaCpp) load(ctx context.Context, l *link, name string) reply {
	r := l.post(ctx, "/models/load", object{"model": name})
	if r.failed == nil && r.status == http.StatusBadRequest {
		return l.post(ctx, completions[0].path, object{"model": name, "prompt": "a", "max_tokens": 1})
	}
	return r
}
