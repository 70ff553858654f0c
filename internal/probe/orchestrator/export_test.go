// SPDX-License-Identifier: Apache-2.0

package orchestrator

import "time"

// WithLookTimeout replaces LookTimeout.
func WithLookTimeout(d time.Duration) Option { return func(l *link) { l.look = d } }
