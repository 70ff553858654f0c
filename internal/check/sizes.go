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

// Size writes a number of bytes for a person, everywhere in the same units: those
// of systemd's memory settings.
func Size[N int64 | uint64](n N) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d bytes", n)
	}
	v, unit := float64(n)/1024, 0
	for v >= 1024 && unit < len(units)-1 {
		v, unit = v/1024, unit+1
	}
	if units[unit] == 'K' || units[unit] == 'M' {
		return fmt.Sprintf("%.0f %ciB", v, units[unit])
	}
	return fmt.Sprintf("%.1f %ciB", v, units[unit])
}
