// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"justnews/internal/facts"
)

// Memory returns the kernel's memory figures, and those of a unit's control
// group (its ControlGroup=, "" for none), in the unified hierarchy or that of
// the memory controller.
func (h Host) Memory(group string) facts.Memory {
	m := facts.Memory{GroupKills: -1, GroupLimit: -1}
	info := h.table("/proc/meminfo")
	m.Total, m.Available = kib(info, "MemTotal:"), kib(info, "MemAvailable:")
	m.SwapTotal, m.SwapFree = kib(info, "SwapTotal:"), kib(info, "SwapFree:")
	m.Kills = value(h.table("/proc/vmstat"), "oom_kill")
	if group == "" || strings.Contains(group, "..") {
		return m
	}
	for _, at := range []struct{ dir, events, kills, limit string }{
		{"/sys/fs/cgroup", "memory.events", "oom_kill", "memory.max"},
		{"/sys/fs/cgroup/memory", "memory.oom_control", "oom_kill", "memory.limit_in_bytes"},
	} {
		if m.GroupKills < 0 {
			m.GroupKills = value(h.table(at.dir+group+"/"+at.events), at.kills)
		}
		if m.GroupLimit < 0 {
			m.GroupLimit = h.limit(at.dir + group + "/" + at.limit)
		}
	}
	return m
}

// CPUPressure returns in how much of the last 10 s a process waited for a CPU, in
// percent (PSI's some avg10), or -1 if the kernel does not measure it.
func (h Host) CPUPressure() float64 {
	share := -1.0
	if text, err := os.ReadFile(h.path("/proc/pressure/cpu")); err == nil {
		_, _ = fmt.Sscanf(string(text), "some avg10=%f", &share)
	}
	return share
}

// table reads a file of lines that begin with a name and a number.
func (h Host) table(path string) map[string]int64 {
	text, err := os.ReadFile(h.path(path))
	if err != nil {
		return nil
	}
	found := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) >= 2 {
			if n, err := strconv.ParseInt(words[1], 10, 64); err == nil {
				found[words[0]] = n
			}
		}
	}
	return found
}

func value(table map[string]int64, name string) int64 {
	if n, ok := table[name]; ok {
		return n
	}
	return -1
}

func kib(table map[string]int64, name string) int64 {
	return max(value(table, name)*1024, -1)
}

// noLimit is the older controller's value for no limit: close to the largest
// number.
const noLimit = 1 << 60

func (h Host) limit(path string) int64 {
	text, err := os.ReadFile(h.path(path))
	if err != nil {
		return -1
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || n >= noLimit {
		return -1 // "max"
	}
	return n
}
