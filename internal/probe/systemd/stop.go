// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"context"
	"fmt"
	"time"

	"justnews/internal/facts"
)

// Stop asks systemd to stop a unit and follows the job, as Start does.
func (c *Conn) Stop(ctx context.Context, name string) (facts.Start, error) {
	began := time.Now()
	s, err := c.change(ctx, name, "StopUnit")
	s.Elapsed = time.Since(began)
	if err != nil {
		return s, fmt.Errorf("cannot stop unit %s: %w", name, err)
	}
	return s, nil
}
