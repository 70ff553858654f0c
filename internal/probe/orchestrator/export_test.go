// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"context"
	"time"

	"justnews/internal/facts"
)

// Canary is a Server that can ask one model for the smallest answer that it can give.
type Canary interface {
	Canary(ctx context.Context, name string) facts.Answer
}

// Adviser is a Server that reports what it sees of other programs.
type Adviser interface {
	MPS(ctx context.Context) facts.MPSOpinion
	VLLM(ctx context.Context) facts.VLLM
}

// WithLookTimeout replaces LookTimeout.
func WithLookTimeout(d time.Duration) Option { return func(l *link) { l.look = d } }
