// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"slices"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

func TestBoot_TimeComesFromTheManager(t *testing.T) {
	c, m, _ := connected(t)
	m.set(func() { m.loaded = dbus.MakeVariant(uint64(4_200_000)) })
	if loaded, finished, err := c.Boot(t.Context()); err != nil || loaded != 4200*time.Millisecond || finished != 9*time.Second {
		t.Errorf("%v, %v, %v", loaded, finished, err)
	}
	m.set(func() { m.loaded = dbus.MakeVariant("soon") })
	if got, _, err := c.Boot(t.Context()); err == nil || got != 0 {
		t.Errorf("of an invalid answer: %v, %v", got, err)
	}
}

func TestUnits_ListsNames(t *testing.T) {
	c, _, _ := connected(t)
	got, err := c.Units(t.Context(), "justnews@*.service")
	if err != nil || !slices.Equal(got, []string{"justnews@memory.service", "justnews@scout.service"}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := c.Units(t.Context(), "*"); err == nil || got != nil {
		t.Errorf("of an error: %v, %v", got, err)
	}
}
