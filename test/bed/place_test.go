// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Each machine that may run at a time has its own place; the next one gets the first place
// that is released.
func TestPlace_ExtraMachineWaits(t *testing.T) {
	t.Setenv("JUSTNEWS_TEST_MACHINES", "2")
	cache := t.TempDir()
	first, err := takePlace(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	second, err := takePlace(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = second.lock.Close() }()
	if first.scratches == second.scratches {
		t.Errorf("both have %s, which each sweeps", first.scratches)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if third, err := takePlace(ctx, cache); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a third place: %+v, %v", third, err)
	}
	if err := first.lock.Close(); err != nil {
		t.Fatal(err)
	}
	third, err := takePlace(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = third.lock.Close() }()
	if third.scratches != first.scratches {
		t.Errorf("the third has %s, want that of the first, %s", third.scratches, first.scratches)
	}
}

func TestPlace_InvalidNumberIsRefused(t *testing.T) {
	for _, n := range []string{"0", "-1", "two"} {
		t.Setenv("JUSTNEWS_TEST_MACHINES", n)
		if _, err := takePlace(t.Context(), t.TempDir()); err == nil {
			t.Errorf("JUSTNEWS_TEST_MACHINES=%s is taken", n)
		}
	}
}
