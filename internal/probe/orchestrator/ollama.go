// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"justnews/internal/facts"
	"justnews/internal/strictjson"
)

// ollama is Ollama (docs/api.md of ollama). Its /api/tags lists what is on the disk and
// says nothing about what is loaded.
type ollama struct{}

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
	return l.get(ctx, "/api/version", false).read(func(o strictjson.Object) error {
		_, err := o.Text("version")
		return err
	})
}

func (ollama) list(ctx context.Context, l *link, fresh bool) (map[string]model, facts.Answer) {
	models := map[string]model{}
	a := l.get(ctx, "/api/ps", fresh).read(func(o strictjson.Object) error {
		return namedList(o, "models", "name", func(name string, entry strictjson.Object) error {
			m, err := ollamaModel(entry)
			models[name] = m
			if short, latest := strings.CutSuffix(name, ":latest"); latest {
				models[short] = m
			}
			return err
		})
	})
	return models, a
}

// ollamaModel: a model that will be unloaded soon is not loaded, so that a request with
// another keep_alive follows.
func ollamaModel(entry strictjson.Object) (model, error) {
	size, err := number(entry, "size")
	if err != nil {
		return model{}, err
	}
	vram, err := number(entry, "size_vram")
	if err != nil {
		return model{}, err
	}
	text, err := entry.Text("expires_at")
	if err != nil {
		return model{}, err
	}
	expires, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return model{}, fmt.Errorf("expires_at is not a time: %w", err)
	}
	return model{loaded: time.Until(expires) > stays, cpu: vram < size}, nil
}

// number reads a number of bytes.
func number(o strictjson.Object, key string) (float64, error) {
	v, err := o.Value(key)
	if err != nil {
		return 0, err
	}
	return v.Float()
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

func (ollama) canary(ctx context.Context, l *link, name string) facts.Answer {
	return complete(ctx, l, name)
}
