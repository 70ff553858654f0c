// SPDX-License-Identifier: Apache-2.0

// Package busy takes the load of the machine out of a measured time, so that a limit
// holds on a busy machine as on a quiet one. It asks the kernel for the time in which
// processes waited for a processor or a disk that others had
// (Documentation/accounting/psi.rst); a kernel that does not count it has none.
package busy

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"
)

// Mark is a moment.
type Mark struct {
	at     time.Time
	waited time.Duration
}

// Now returns the present moment.
func Now() Mark { return Mark{time.Now(), waited()} }

// Waited returns for how long since the mark some process of the machine waited: at
// most so long can any of them have been delayed by the others.
func (m Mark) Waited() time.Duration {
	return min(waited()-m.waited, time.Since(m.at))
}

// Less returns what is left of a measured time that lies after the mark.
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
