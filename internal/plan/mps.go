// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strconv"
	"strings"
	"time"

	"justnews/internal/config"
	"justnews/internal/timespan"
	"justnews/internal/unitfile"
	"justnews/internal/unitname"
)

// mpsTimeout is the timeout of the check in ExecStartPost= of the packaged
// unit: all attempts together take at most 10 s.
const mpsTimeout = 30 * time.Second

// Directories of the packaged unit, which systemd creates for the daemon.
const (
	packagedPipe = "/run/nvidia-mps"
	packagedLog  = "/var/log/nvidia-mps"
)

// mps runs the control daemon as the user of its clients: a server of one user
// makes the clients of another wait without a message.
func (s *shared) mps() DropIn {
	as := firstService(s.Config, func(i config.Instance) bool { return i.MPS.Enabled })
	lines := []unitfile.Line{
		unitfile.Plain("User", as.User),
		unitfile.Plain("Group", as.Group),
		unitfile.Assignment("CUDA_MPS_PIPE_DIRECTORY", s.MPS.PipeDirectory),
		unitfile.Assignment("CUDA_MPS_LOG_DIRECTORY", s.MPS.LogDirectory),
		unitfile.Assignment("GATE_TIMEOUT", timespan.Plain(mpsTimeout)),
	}
	if s.machine.Systemd >= stepsSince { // else the packaged pause applies
		lines = paced(lines, s.machine, time.Second)
	}
	if s.MPS.DefaultThreads > 0 { // memory has no such variable: justnews-gate mps wait sets it
		lines = append(lines, unitfile.Assignment("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", strconv.Itoa(s.MPS.DefaultThreads)))
	}
	lines = append(lines, s.deviceOrder()...)
	if len(s.MPS.Devices) > 0 {
		lines = append(lines, unitfile.Assignment("CUDA_VISIBLE_DEVICES", strings.Join(s.MPS.Devices, ",")))
	}
	lines = append(lines, unitfile.ListedPath("ReadWritePaths", s.MPS.LogDirectory, true))
	if s.MPS.LogDirectory != packagedLog {
		lines = append(lines, unitfile.Reset("LogsDirectory"))
		if name, ok := ours("/var/log/", s.MPS.LogDirectory); ok {
			lines = append(lines, unitfile.Plain("LogsDirectory", name))
		}
	}
	if private(s.MPS.PipeDirectory) {
		// The daemon creates the directory itself, where its clients can see
		// it.
		lines = append(lines,
			unitfile.Verbatim("PrivateTmp", "no"),
			unitfile.Verbatim("ReadWritePaths", "/tmp /var/tmp"))
	} else {
		lines = append(lines, unitfile.ListedPath("ReadWritePaths", s.MPS.PipeDirectory, true))
	}
	if s.MPS.PipeDirectory != packagedPipe {
		lines = append(lines, unitfile.Reset("RuntimeDirectory"))
		if name, ok := ours("/run/", s.MPS.PipeDirectory); ok {
			lines = append(lines, unitfile.Plain("RuntimeDirectory", name))
		}
	}
	return file(unitname.MPS+".d", "60-justnews-mps.conf", s.source, lines)
}

// ours returns the name with which systemd creates a directory below root for a
// unit; other directories are created by the operator. ":" in the name would
// create a link, a space two directories.
func ours(root, path string) (name string, ok bool) {
	name, ok = strings.CutPrefix(path, root)
	return name, ok && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/") == ""
}
