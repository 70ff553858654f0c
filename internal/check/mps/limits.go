// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// AskMemoryLimit is the question to which MPSDefaults reads the answer: the
// default memory limit of device 0, the one that limits name. No line at all
// means that none is set.
const AskMemoryLimit = "get_default_device_pinned_mem_limit 0"

// sameLimit compares two limits as MPS reads them: a number, or a size for each
// device, in any order and unit.
func sameLimit(a, b string) bool {
	if a == b {
		return true
	}
	x, ok := limitsOf(a)
	y, also := limitsOf(b)
	return ok && also && maps.Equal(x, y)
}

// limitsOf reads "0=4G,1=512M": sizes by device. A value without a device has "".
func limitsOf(s string) (map[string]float64, bool) {
	all := map[string]float64{}
	for part := range strings.SplitSeq(s, ",") {
		device, size, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found {
			device, size = "", device
		}
		size = strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(size)), "B")
		unit := 1.0
		if at := strings.IndexAny(size, "KMGT"); at >= 0 && at == len(size)-1 {
			unit = float64(uint64(1) << (10 * (1 + strings.IndexByte("KMGT", size[at]))))
			size = size[:at]
		}
		n, err := strconv.ParseFloat(size, 64)
		if err != nil {
			return nil, false
		}
		all[strings.TrimSpace(device)] = n * unit
	}
	return all, true
}

// LimitsWanted reports whether the daemon has to be given default limits.
func LimitsWanted(c config.MPS) bool { return c.DefaultMemory != "" || c.DefaultThreads > 0 }

// Defaults compares what the daemon says of its default limits with the
// configuration, nil where they are the same or none is asked for. A value that
// the daemon rejected has silently removed the limit.
func Defaults(a facts.MPSAnswer, w Wanted) *diag.Problem {
	var seen, expected []string
	if w.DefaultMemory != "" {
		got := strings.TrimSpace(strings.Join(a.Lines, " "))
		if !sameLimit(got, w.DefaultMemory) {
			expected = append(expected, "memory limit "+w.DefaultMemory)
			if got == "" {
				got = "none"
			}
			seen = append(seen, "memory limit "+diag.Clean(got))
		}
	}
	if w.DefaultThreads > 0 && a.Percentage != float64(w.DefaultThreads) {
		seen = append(seen, "thread percentage "+strconv.FormatFloat(a.Percentage, 'g', -1, 64))
		expected = append(expected, fmt.Sprintf("thread percentage %d", w.DefaultThreads))
	}
	if len(seen) == 0 {
		return nil
	}
	return &diag.Problem{
		Code: diag.MPSLimit, Subject: w.PipeDirectory, Message: "the default limits of the MPS control daemon differ from the configuration",
		Seen: strings.Join(seen, ", "), Expected: strings.Join(expected, ", "), Fix: diag.Do(w.restart()...),
	}
}
