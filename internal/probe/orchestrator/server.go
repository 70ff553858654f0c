// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"context"
	"fmt"

	"justnews/internal/facts"
)

// Kind is the kind of program that loads the models.
type Kind string

// JustNews is JustNews' own GPU Orchestrator.
const JustNews Kind = "justnews"

// Server queries one server that loads models. It is safe for concurrent use.
// The requests and answers of each kind of server are in a separate file; the
// results are the same for all.
type Server interface {
	Protocol() facts.Protocol
	Health(ctx context.Context) facts.Health
	Ready(ctx context.Context) facts.Readiness
	Models(ctx context.Context, fresh bool) facts.ModelsLook
	Preload(ctx context.Context, refresh bool) facts.ModelsLook
	MPS(ctx context.Context) facts.MPSOpinion
	VLLM(ctx context.Context) facts.VLLM
	Close()
}

// Open returns a client of the server at base, which must have the form
// http://HOST:PORT. It opens no connection yet.
func Open(kind Kind, base string, options ...Option) (Server, error) {
	l, err := newLink(base, options)
	if err != nil {
		return nil, fmt.Errorf("cannot use %q as the orchestrator's URL: %w", base, err)
	}
	switch kind {
	case JustNews:
		return &justNews{l}, nil
	default:
		return nil, fmt.Errorf("cannot ask an orchestrator of the kind %q", kind)
	}
}
