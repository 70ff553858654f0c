// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"context"
	"fmt"
	"time"

	"justnews/internal/facts"
)

// Restart asks systemd to restart a unit that is active, and follows the job, as
// Start does.
func (c *Conn) Restart(ctx context.Context, name string) (facts.Start, error) {
	began := time.Now()
	s, err := c.change(ctx, name, "TryRestartUnit")
	s.Elapsed = time.Since(began)
	if err != nil {
		return s, fmt.Errorf("cannot restart unit %s: %w", name, err)
	}
	return s, nil
}
