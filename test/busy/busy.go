// SPDX-License-Identifier: Apache-2.0

// Package busy subtracts the effect of the machine's load from a measured time, so that a
// limit also holds on a busy machine. It reads from the kernel how long processes waited for
// a processor or a disk that others used (Documentation/accounting/psi.rst); if the kernel
// does not count that, it is 0.
package busy

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"
)

// Mark is a point in time.
type Mark struct {
	at     time.Time
	waited time.Duration
}

// Now returns the current time.
func Now() Mark { return Mark{time.Now(), waited()} }

// Waited returns for how long since the mark some process of the machine waited, which is the
// longest that any of them can have been delayed by others.
func (m Mark) Waited() time.Duration {
	return min(waited()-m.waited, time.Since(m.at))
}

// Less returns a measured time after the mark, minus the time waited.
func (m Mark) Less(took time.Duration) time.Duration { return max(took-m.Waited(), 0) }

// total is the sum of a pressure file, in microseconds.
var total = regexp.MustCompile(`(?m)^some .* total=(\d+)$`)

func waited() time.Duration {
	var sum time.Duration
	for _, resource := range []string{"cpu", "io"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/pressure/%s", resource))
		if found := total.FindSubmatch(text); err == nil && found != nil {
			usec, _ := strconv.ParseInt(string(found[1]), 10, 64) // digits, by the expression
			sum += time.Duration(usec) * time.Microsecond
		}
	}
	return sum
}
