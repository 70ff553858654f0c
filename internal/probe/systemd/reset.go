// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"context"
	"errors"
	"fmt"

	"github.com/godbus/dbus/v5"
)

// ResetFailed resets the failed state and the start counter of a unit.
func (c *Conn) ResetFailed(ctx context.Context, name string) error {
	if !isUnitName(name) {
		return errors.New("not a unit name")
	}
	l, err := c.link(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err = l.ask(ctx, managerPath, managerIface+".ResetFailedUnit", name).Err
	if _, answered := errors.AsType[dbus.Error](err); err != nil && !answered {
		err = c.unreachable(err)
	}
	if err != nil {
		return fmt.Errorf("cannot reset unit %s: %w", name, err)
	}
	return nil
}
