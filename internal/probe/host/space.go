// SPDX-License-Identifier: Apache-2.0

package host

import (
	"os"
	"path/filepath"
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
