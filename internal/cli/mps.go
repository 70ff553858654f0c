// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/probe/systemd"
	"justnews/internal/requirement"
)

type mpsCommand struct {
	Status mpsStatusCommand `cmd:"" help:"Show the control daemon, its server and how far MPS is verified."`
	Start  mpsStartCommand  `cmd:"" help:"Start the NVIDIA MPS unit, and verify that it works."`
	Wait   mpsWaitCommand   `cmd:"" help:"Set the daemon's default limits, and wait until it is verified; does not start it."`
	Serve  mpsServeCommand  `cmd:"" hidden:"" help:"Start the NVIDIA MPS unit on request over D-Bus; for justnews-mps-start.service."`
}

type mpsStartCommand struct{ timeoutFlag }

// Run starts the unit of NVIDIA MPS where it does not run, and proves the
// daemon.
func (c *mpsStartCommand) Run(a *app) error {
	return a.waitFor(a.mpsRun("mps start", c.timeoutFlag, gate.StartMPS))
}

type mpsWaitCommand struct{ timeoutFlag }

// Run is ExecStartPost= of justnews-mps.service: active then means proven.
func (c *mpsWaitCommand) Run(a *app) error {
	return a.waitFor(a.mpsRun("mps wait", c.timeoutFlag, gate.ProveMPS))
}

type mpsServeCommand struct{}

// Run is ExecStart= of justnews-mps-start.service. Its log says for whom it
// starts what.
func (c *mpsServeCommand) Run(a *app) error {
	a.release() // the last calls are answered, for as long as the unit has
	err := systemd.Serve(a.ctx, func(line string) { fmt.Fprintln(a.Stderr, line) })
	if err == nil {
		return nil
	}
	return a.refuse(unit.NotServed(err.Error()))
}

func (a *app) mpsRun(name string, flags timeoutFlag, run func(context.Context, requirement.Run, gate.World) gate.Result) waitingRun {
	return waitingRun{
		name: name, timeout: flags.Timeout.duration(), run: run,
		require: func(cfg *config.Config) (requirement.Run, []diag.Problem) {
			return requirement.ForMPS(cfg, a.Lookup, requirement.Flags{Timeout: flags.Timeout.duration()})
		},
	}
}
