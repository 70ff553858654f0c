// SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"strings"

	"justnews/internal/diag"
)

// MPSWish is what MPS has to be.
type MPSWish struct {
	PipeDirectory string
	Unit          string // mps.unit, "" where it is no unit of this host
	UnitActive    bool   // systemd says that it is active, or starting its proof
	MainPID       int    // of the unit, 0 where it is not known
	OwnUnit       bool   // this process is a part of the unit: without a MainPID its daemon has ended
	UID           *int   // whom the agents run as, nil: not known
	PrivateTmp    bool   // this process has a /tmp of its own
}

func (w MPSWish) name() string {
	if w.Unit == "" {
		return "the MPS control daemon"
	}
	return w.Unit
}

// start begins MPS again. Where it is no unit of this host the runbook's line
// does.
func (w MPSWish) start() string {
	if w.Unit == "" {
		return w.byHand() + "; " + again
	}
	return w.reset() + "; systemctl start " + w.Unit + "; systemctl start justnews.target"
}

// StartMPS begins MPS again after a command.
func StartMPS(command string, w MPSWish) string {
	return w.reset() + "; " + command + "; " + strings.TrimPrefix(w.start(), w.reset()+"; ")
}

func (w MPSWish) restart() string {
	if w.Unit == "" {
		return fmt.Sprintf("echo quit | CUDA_MPS_PIPE_DIRECTORY=%s %s; ", shellWord(w.PipeDirectory), control) + w.start()
	}
	return w.reset() + "; systemctl restart " + w.Unit + "; systemctl start justnews.target"
}

func (w MPSWish) kill(pid int) string {
	if w.Unit == "" || !w.UnitActive {
		return end("kill -KILL", pid) + w.start()
	}
	return "systemctl kill -s SIGKILL " + w.Unit + "; " + w.restart()
}

// end ends a process by its number. The number of one in another PID namespace
// is not known, and 0 would be the group of the shell that runs this; the [n]
// keeps that shell alive.
func end(command string, pid int) string {
	if pid > 0 {
		return fmt.Sprintf("%s %d; ", command, pid)
	}
	return "p" + command + " -f '[n]vidia-cuda-mps-control'; "
}

// reset forgets failed starts, also those of a unit that is not named justnews*.
func (w MPSWish) reset() string {
	if strings.HasPrefix(w.Unit, "justnews") {
		return `systemctl reset-failed "justnews*"`
	}
	return `systemctl reset-failed "justnews*" ` + w.Unit
}

func (w MPSWish) byHand() string {
	return fmt.Sprintf("CUDA_MPS_PIPE_DIRECTORY=%s %s -d", shellWord(w.PipeDirectory), control)
}

// shellWord quotes a path for a shell where it needs it.
func shellWord(s string) string {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/._-+:@%,", r) {
			return "'" + strings.ReplaceAll(diag.Clean(s), "'", `'\''`) + "'"
		}
	}
	return s
}
