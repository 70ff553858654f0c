// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/strictjson"
)

// ollama is Ollama (docs/api.md of ollama). Its /api/tags lists the models on disk, loaded or
// not.
type ollama struct{ completes }

// stays is how long a model has to stay loaded without being used. Ollama unloads it
// after 5 minutes by default; keep_alive = -1 keeps it for centuries.
const stays = 24 * time.Hour

func (ollama) protocol() facts.Protocol {
	return facts.Protocol{
		Loads:   true,
		Placed:  true,
		Ready:   "200 to GET /api/version",
		Models:  "an answer to GET /api/version and GET /api/ps",
		Preload: `200 to POST /api/generate with "keep_alive": -1`,
		Loaded:  "listed by GET /api/ps, with expires_at more than a day ahead (keep_alive -1)",
	}
}

func (ollama) health(ctx context.Context, l *link) facts.Answer {
	return l.get(ctx, "/api/version", false).read(func(f fields) { f.text("version") })
}

// list asks twice: Ollama also lists models that it is still loading. Their expires_at
// is not set yet, so that it answers the present time plus keep_alive, another time in
// each answer (PsHandler in server/routes.go, loadedModels in server/sched.go).
func (o ollama) list(ctx context.Context, l *link, fresh bool) (map[string]model, facts.Answer) {
	first, before := o.running(ctx, l, fresh)
	if before.Kind != facts.Answered || len(first) == 0 {
		return nil, before
	}
	second, a := o.running(ctx, l, fresh)
	models := map[string]model{}
	for name, r := range second {
		m := model{loading: !r.expires.Equal(first[name].expires), cpu: r.cpu}
		// One that will be unloaded soon is not loaded, so that a request with another
		// keep_alive follows.
		m.loaded = !m.loading && time.Until(r.expires) > stays
		models[name] = m
		if short, latest := strings.CutSuffix(name, ":latest"); latest {
			models[short] = m
		}
	}
	return models, a
}

// runner is one entry of /api/ps.
type runner struct {
	cpu     bool // a part of it, or all of it, is not in the memory of a GPU
	expires time.Time
}

func (ollama) running(ctx context.Context, l *link, fresh bool) (map[string]runner, facts.Answer) {
	runners := map[string]runner{}
	a := l.get(ctx, "/api/ps", fresh).read(func(f fields) {
		for name, entry := range f.named("models", "name") {
			size, vram := required(entry, "size", strictjson.Value.Float), required(entry, "size_vram", strictjson.Value.Float)
			r := runner{cpu: vram < size || vram <= 0}
			text := entry.text("expires_at")
			var err error
			if r.expires, err = time.Parse(time.RFC3339, text); err != nil {
				f.fail(fmt.Errorf("expires_at is no time as in RFC 3339: %q", diag.Clip(text, maxName)))
			}
			// After a new version was pulled, the old one is listed by the same name.
			if other, twice := runners[name]; twice {
				r.cpu = r.cpu || other.cpu
				if other.expires.Before(r.expires) {
					r.expires = other.expires
				}
			}
			runners[name] = r
		}
	})
	return runners, a
}

// load: an empty prompt loads a model and generates nothing. A model for embeddings is
// loaded by an embedding.
func (ollama) load(ctx context.Context, l *link, name string) reply {
	r := l.post(ctx, "/api/generate", object{"model": name, "keep_alive": -1, "stream": false})
	if r.failed == nil && r.status == http.StatusBadRequest {
		return l.post(ctx, "/api/embed", object{"model": name, "input": "a", "keep_alive": -1})
	}
	return r
}
