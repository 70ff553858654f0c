// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"justnews/internal/check/host"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// OutOfReach judges the daemon's own unit: a pipe directory in a file system that
// only this unit sees is of no use to its clients, however well the daemon works.
// nil: its clients see the directory.
func OutOfReach(own facts.Unit, w Wanted) *diag.Problem {
	by := host.Hidden(own.Sandbox, w.PipeDirectory)
	if by == "" {
		return nil
	}
	return &diag.Problem{
		Code: diag.MPSEnvironment, Subject: w.PipeDirectory,
		Message:  "the pipe directory is the daemon's own: " + setting(by) + " of the unit hides that of the host, so no instance would find the daemon",
		Seen:     w.PipeDirectory + " and " + by + " of " + diag.Clean(own.Name),
		Expected: "a pipe directory that the daemon and the instances see",
		Fix: diag.Advise("remove CUDA_MPS_PIPE_DIRECTORY from /etc/justnews/global.env and from drop-ins of the unit, and set mps.pipe_directory in /etc/justnews/justnews.toml instead", diag.Reload()).
			Looking(diag.CatUnit(own.Name)),
	}
}
