// SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"time"
)

// Span writes a timeout as the configuration takes it: 180s.
func Span(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	return d.String()
}

// Size prints a size as people say it.
func Size(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return fmt.Sprintf("%d bytes", n)
	}
	v, unit := float64(n), -1
	for v >= 1000 && unit < len(units)-1 {
		v, unit = v/1000, unit+1
	}
	return fmt.Sprintf("%.3g %cB", v, units[unit])
}
