// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"
)

// Boot returns two times of this boot on the kernel's monotonic clock: when
// systemd had loaded its units, which is when the jobs of the boot are queued,
// and when the last of those jobs had ended, or 0 if it has not. A later
// daemon-reload changes neither.
func (c *Conn) Boot(ctx context.Context) (loaded, finished time.Duration, err error) {
	if loaded, err = c.moment(ctx, "UnitsLoadFinishTimestampMonotonic"); err == nil {
		finished, err = c.moment(ctx, "FinishTimestampMonotonic")
	}
	return loaded, finished, err
}

func (c *Conn) moment(ctx context.Context, property string) (time.Duration, error) {
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

// Units returns the names of the loaded units that match a pattern, sorted.
func (c *Conn) Units(ctx context.Context, pattern string) ([]string, error) {
	var rows [][]any
	if err := c.call(ctx, managerPath, managerIface+".ListUnitsByPatterns", &rows, []string{}, []string{pattern}); err != nil {
		return nil, fmt.Errorf("cannot list the units %s: %w", pattern, err)
	}
	var names []string
	for _, row := range rows {
		if len(row) > 0 {
			if name, ok := row[0].(string); ok {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}
