// SPDX-License-Identifier: Apache-2.0

package safefile

import (
	"context"
	"time"
)

// grace is how long a call that observes ctx itself has to return its result.
const grace = 100 * time.Millisecond

// Do calls f and returns its result. If ctx ends first, f gets a moment to
// notice, and then Do returns ctx's cause without waiting any longer. A system
// call on a file system that never responds cannot be interrupted: its
// goroutine and thread are left behind, and what f still writes to must not be
// used. So f must share nothing with its caller except its result.
func Do[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-late.C:
		var none T
		return none, context.Cause(ctx)
	}
}
