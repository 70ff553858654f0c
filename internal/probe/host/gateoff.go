// SPDX-License-Identifier: Apache-2.0

package host

import (
	"io/fs"
	"os"
	"path/filepath"

	"justnews/internal/kernelcmdline"
	"justnews/internal/safefile"
)

// generatorDir is where systemd lets generators write: root's, empty before
// each run of the generators.
const generatorDir = "/run/systemd/generator"

// GateOff reports whether justnews.gate=off is on the command line that this
// system was booted with, and which file says so. $SYSTEMD_PROC_CMDLINE is not
// looked at: an environment file could set it, and must not open a gate.
//
// On a machine of its own that is /proc/cmdline. In a container that one is
// the host's, and PID 1's arguments count instead; where they are hidden
// (ProtectProc=), the marker does which root's generator leaves behind. What
// can't be read leaves the gate shut.
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

// owner is whom the marker has to belong to; a test that is not root has files
// of nobody else.
var owner int

// rootsOwn reports whether path itself, no link, is of the given kind, belongs
// to root, and can be written by nobody else.
func rootsOwn(path string, kind fs.FileMode) bool {
	info, err := safefile.Lstat(path)
	return err == nil && info.Mode.Type() == kind && info.Trust(owner) == nil
}
