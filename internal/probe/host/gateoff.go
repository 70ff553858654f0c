// SPDX-License-Identifier: Apache-2.0

package host

import (
	"io/fs"
	"os"
	"path/filepath"

	"justnews/internal/kernelcmdline"
	"justnews/internal/safefile"
)

// generatorDir is where generators write: owned by root, and emptied before
// each run of the generators.
const generatorDir = "/run/systemd/generator"

// GateOff reports whether justnews.gate=off is on the command line that this
// system was booted with, and in which file. $SYSTEMD_PROC_CMDLINE is ignored:
// an environment file could set it, and must not open a gate.
//
// Outside containers that is /proc/cmdline. In a container that file is the
// host's, and PID 1's arguments count instead; if they are hidden
// (ProtectProc=), the marker file of the generator, which runs as root, counts.
// What cannot be read leaves the gate shut.
func (h Host) GateOff() (source string, off bool) {
	if _, container := h.Container(); !container {
		return "/proc/cmdline", kernelcmdline.GateOff(kernelcmdline.Service(h.Root))
	}
	if readable(h.path("/proc/1/cmdline")) {
		return "/proc/1/cmdline", kernelcmdline.GateOff(kernelcmdline.Service(h.Root))
	}
	marker := filepath.Join(generatorDir, kernelcmdline.Marker)
	return marker, rootsOwn(h.path(generatorDir), fs.ModeDir) && rootsOwn(h.path(marker), 0)
}

func readable(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	_ = f.Close()
	return true
}

// owner is the required owner of the marker; a test without root can only
// create its own files.
var owner int

// rootsOwn reports whether path itself, not what it links to, is of the given kind,
// owned by root and not writable by others.
func rootsOwn(path string, kind fs.FileMode) bool {
	info, err := safefile.Lstat(path)
	return err == nil && info.Mode.Type() == kind && info.Trust(owner) == nil
}
