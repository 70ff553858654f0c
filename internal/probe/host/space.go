// SPDX-License-Identifier: Apache-2.0

package host

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

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
