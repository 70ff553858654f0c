// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"context"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"
)

// Loaded returns when systemd had loaded its units at this boot, on the kernel's
// monotonic clock: the moment at which the jobs of the boot are queued. A later
// daemon-reload does not change it.
func (c *Conn) Loaded(ctx context.Context) (time.Duration, error) {
	const property = "UnitsLoadFinishTimestampMonotonic"
	var v dbus.Variant
	if err := c.call(ctx, managerPath, "org.freedesktop.DBus.Properties.Get", &v, managerIface, property); err != nil {
		return 0, fmt.Errorf("cannot ask for the time of the boot: %w", err)
	}
	usec, ok := v.Value().(uint64)
	if !ok {
		return 0, fmt.Errorf("cannot read property %s: type %s", property, v.Signature())
	}
	return timespan(usec), nil
}
