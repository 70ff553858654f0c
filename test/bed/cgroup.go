// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"errors"
	"os"
	"strings"
)

// unifiedCgroup returns where cgroup2 is mounted: /sys/fs/cgroup, or
// /sys/fs/cgroup/unified on a host with the hybrid layout.
func unifiedCgroup() (string, error) {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(info)) {
		// "36 35 0:31 / /sys/fs/cgroup rw,… - cgroup2 cgroup2 rw"
		left, right, ok := strings.Cut(line, " - ")
		if f := strings.Fields(left); ok && strings.HasPrefix(right, "cgroup2 ") && len(f) > 4 && f[3] == "/" {
			return f[4], nil
		}
	}
	return "", errors.New("/proc/self/mountinfo lists none")
}
