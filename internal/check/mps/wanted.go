// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"strconv"

	"justnews/internal/config"
	"justnews/internal/diag"
)

// Wanted is what MPS has to be.
type Wanted struct {
	config.MPS

	UnitActive bool // systemd says that it is active, or starting its proof
	MainPID    int  // of the unit, 0 where it is not known
	OwnUnit    bool // this process is a part of the unit: without a MainPID its daemon has ended
	UID        *int // whom the agents run as, nil: not known
	PrivateTmp bool // this process has a /tmp of its own
}

func (w Wanted) name() string {
	if w.Unit == "" {
		return "the MPS control daemon"
	}
	return w.Unit
}

// start starts MPS again: if it is not a unit of this host, with the runbook's line
// does.
func (w Wanted) start() []diag.Command {
	if w.Unit == "" {
		return []diag.Command{w.byHand(), diag.Retry()}
	}
	return []diag.Command{diag.Retry()}
}

func (w Wanted) restart() []diag.Command {
	if w.Unit == "" {
		return append([]diag.Command{quit(w.PipeDirectory)}, w.start()...)
	}
	return diag.Restart(w.Unit)
}

func (w Wanted) kill(pid int) []diag.Command {
	if w.Unit == "" || !w.UnitActive {
		return append([]diag.Command{end("KILL", pid)}, w.start()...)
	}
	return append([]diag.Command{diag.Run("systemctl", "kill", "-s", "SIGKILL", "--", w.Unit)}, w.restart()...)
}

// quit ends the daemon of a pipe directory as its manual says.
func quit(dir string) diag.Command {
	return diag.Run("sh", "-c", `echo quit | CUDA_MPS_PIPE_DIRECTORY="$1" `+control, "sh", dir)
}

// end ends a process by its number. The number of one in another PID namespace
// is not known, and 0 would be the group of the shell that runs this; the [n]
// keeps that shell alive.
func end(signal string, pid int) diag.Command {
	if pid > 0 {
		return diag.Run("kill", "-"+signal, strconv.Itoa(pid))
	}
	return diag.Run("pkill", "-"+signal, "-f", "[n]vidia-cuda-mps-control")
}

func (w Wanted) byHand() diag.Command {
	return diag.Run("env", "CUDA_MPS_PIPE_DIRECTORY="+w.PipeDirectory, control, "-d")
}
