// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"justnews/internal/facts"
	"justnews/internal/safefile"
)

// Space returns the free space where a path is, or would be created.
func (h Host) Space(path string) facts.Space {
	s := facts.Space{Path: path, At: filepath.Clean(path)}
	var fs unix.Statfs_t
	for {
		err := unix.Statfs(h.path(s.At), &fs)
		if err == nil {
			break
		}
		if s.At == "/" || err != unix.ENOENT && err != unix.ENOTDIR {
			s.Err = reason(err)
			return s
		}
		s.At = filepath.Dir(s.At)
	}
	s.Free = fs.Bavail * uint64(fs.Bsize) //nolint:gosec // a block's size
	s.Inodes, s.NoInodes = fs.Ffree, fs.Files == 0
	info, err := safefile.Stat(h.path(s.At))
	if err != nil {
		s.Err = reason(err)
		return s
	}
	s.Device = info.Dev
	return s
}

// Limits reads the limits of all processes of this host.
func (h Host) Limits() facts.Limits {
	var l facts.Limits
	if swap := kib(h.table("/proc/meminfo"), "SwapTotal:"); swap >= 0 {
		l.Swap, l.SwapKnown = uint64(swap), true
	}
	if text, err := os.ReadFile(h.path("/proc/sys/fs/nr_open")); err == nil {
		l.OpenMax, _ = strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(h.path("/tmp"), &fs); err == nil {
		l.TmpNoexec = fs.Flags&unix.ST_NOEXEC != 0
	}
	l.RemoveIPC = h.removeIPC()
	return l
}

// configs are where systemd's programs look for their configuration, the first
// one first.
var configs = []string{"/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"}

// removeIPC reads RemoveIPC= as logind does: from the first logind.conf, then
// from the drop-ins by name. Without one of them the default holds, which is yes
// unless the distribution's own file shows another one in a comment.
func (h Host) removeIPC() bool {
	if _, err := os.Stat(h.path("/usr/lib/systemd/systemd-logind")); err != nil {
		return false
	}
	on := true
	read := func(path, comment string) bool {
		text, err := os.ReadFile(h.path(path))
		if err != nil {
			return false
		}
		for line := range strings.Lines(string(text)) {
			if value, ok := strings.CutPrefix(strings.TrimSpace(line), comment+"RemoveIPC="); ok {
				on = !slices.Contains([]string{"no", "n", "false", "f", "off", "0"}, strings.ToLower(strings.TrimSpace(value)))
			}
		}
		return true
	}
	read("/usr/lib/systemd/logind.conf", "#")
	read("/etc/systemd/logind.conf", "#")
	for _, dir := range configs {
		if read(filepath.Join(dir, "logind.conf"), "") {
			break
		}
	}
	dropIns := map[string]string{}
	for _, dir := range slices.Backward(configs) {
		entries, _ := os.ReadDir(h.path(filepath.Join(dir, "logind.conf.d")))
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".conf") {
				dropIns[e.Name()] = filepath.Join(dir, "logind.conf.d", e.Name())
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(dropIns)) {
		read(dropIns[name], "")
	}
	return on
}

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

// CPUWait returns for how long the threads of this process were ready to run and had no CPU,
// together; 0 if the kernel does not measure it (Documentation/scheduler/sched-stats).
func CPUWait() (waited time.Duration) {
	threads, _ := filepath.Glob("/proc/self/task/*/schedstat")
	for _, name := range threads {
		var ran, wait int64 // nanoseconds
		if text, err := os.ReadFile(name); err == nil {
			_, _ = fmt.Sscan(string(text), &ran, &wait)
		}
		waited += time.Duration(wait)
	}
	return waited
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
