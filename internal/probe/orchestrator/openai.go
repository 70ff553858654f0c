// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"context"

	"justnews/internal/facts"
)

// openAI is a server with OpenAI's API and nothing else. Its list of models is that of
// its configuration: it loads them by itself, and only a canary shows that it did.
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
	if a := v.health(ctx, l); a.Kind != facts.Answered {
		return nil, a
	}
	return v.openAI.list(ctx, l, fresh)
}
