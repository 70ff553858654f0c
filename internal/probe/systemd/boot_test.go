// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

func TestTheMomentOfTheBootIsTheManagers(t *testing.T) {
	c, m, _ := connected(t)
	m.set(func() { m.loaded = dbus.MakeVariant(uint64(4_200_000)) })
	if got, err := c.Loaded(t.Context()); err != nil || got != 4200*time.Millisecond {
		t.Errorf("%v, %v", got, err)
	}
	m.set(func() { m.loaded = dbus.MakeVariant("soon") })
	if got, err := c.Loaded(t.Context()); err == nil || got != 0 {
		t.Errorf("of an answer that makes no sense: %v, %v", got, err)
	}
}
