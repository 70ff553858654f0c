// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"context"
	"fmt"

	"justnews/internal/facts"
)

// JustNews is the kind of JustNews' own GPU Orchestrator, as in orchestrator.kind.
const JustNews = "justnews"

// dialects are the other kinds, whose models the configuration names.
var dialects = map[string]dialect{"llamacpp": llamaCpp{}, "ollama": ollama{}, "openai": openAI{}, "triton": triton{}, "vllm": vLLM{}}

// Server queries one server that loads models. It is safe for concurrent use.
// The requests and answers of each kind of server are in a separate file; the
// results are the same for all.
type Server interface {
	Protocol() facts.Protocol
	Health(ctx context.Context) facts.Health
	Ready(ctx context.Context) facts.Readiness
	Models(ctx context.Context, fresh bool) facts.ModelsLook
	Preload(ctx context.Context) facts.ModelsLook
	Close()
}

// Open returns a client of the server at base, which must have the form
// http://HOST:PORT. Expected are the names of the models that it has to load; JustNews'
// orchestrator has a map of its own. It opens no connection yet.
func Open(kind, base string, expected []string, options ...Option) (Server, error) {
	l, err := newLink(base, options)
	if err != nil {
		return nil, fmt.Errorf("cannot use %q as the orchestrator's URL: %w", base, err)
	}
	if kind == JustNews {
		return &justNews{l}, nil
	}
	d, ok := dialects[kind]
	if !ok {
		return nil, fmt.Errorf("cannot ask an orchestrator of the kind %q", kind)
	}
	return &expecting{link: l, dialect: d, expected: expected}, nil
}
