// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// slow is the cause of a look that reached its own deadline.
type slow struct{ after time.Duration }

func (s slow) Error() string { return fmt.Sprintf("no answer within %s", span(s.after)) }

// span writes a duration as systemd does: 3 s, 250 ms.
func span(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	return fmt.Sprintf("%d ms", d/time.Millisecond)
}

// broken turns an error of the exchange into an answer: Refused for what a
// server causes that is starting, stopping or hanging; Nonsense for an answer
// that is not HTTP. An unknown error is Nonsense, which ends a wait soonest.
func broken(ctx context.Context, err error, inBody bool) *facts.Answer {
	if detail, ok := network(ctx, err, inBody); ok {
		return &facts.Answer{Kind: facts.Refused, Detail: detail}
	}
	return &facts.Answer{Kind: facts.Nonsense, Detail: diag.Clean(diag.Clip(err.Error(), excerptBytes))}
}

// network returns the text of a network error or a timeout.
func network(ctx context.Context, err error, inBody bool) (string, bool) {
	when := "before answering"
	if inBody {
		when = "in the middle of the answer"
	}
	switch {
	case ctx.Err() != nil:
		return expired(ctx), true
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused", true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset the connection " + when, true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed the connection " + when, true
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return "cannot resolve " + diag.Clean(e.Name), true
	}
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return e.Error(), true
	}
	if e, ok := errors.AsType[net.Error](err); ok {
		return diag.Clean(e.Error()), true
	}
	return "", false
}

// expired returns which deadline was reached: the look's, or that of the whole
// wait.
func expired(ctx context.Context) string {
	if own, ok := errors.AsType[slow](context.Cause(ctx)); ok {
		return own.Error()
	}
	return "the wait ended before an answer came"
}
