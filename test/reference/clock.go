// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"time"

	"golang.org/x/sys/unix"
)

// Monotonic is CLOCK_MONOTONIC in nanoseconds: the same in every process of a
// host, so that a test can compare its own moment with one of the server's.
func Monotonic() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
		return 0
	}
	return ts.Nano()
}

// wallSeconds is Python's time.time().
func wallSeconds() *float64 {
	s := float64(time.Now().UnixMicro()) / 1e6
	return &s
}
