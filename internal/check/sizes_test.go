// SPDX-License-Identifier: Apache-2.0

package check_test

import (
	"math"
	"testing"

	"justnews/internal/check"
)

func TestSize_IsInBinaryUnits(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 bytes", 1023: "1023 bytes", 1500: "1 KiB", 512 << 20: "512 MiB", 4_290_000_000: "4.0 GiB", 24 << 30: "24.0 GiB", math.MaxUint64: "16.0 EiB",
	} {
		if got := check.Size(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	if got := check.Size(int64(-1)); got != "-1 bytes" {
		t.Errorf("-1: %q", got)
	}
}
