// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/requirement"
)

type preloadCommand struct {
	Refresh bool `name:"refresh" help:"Load the models again even if a job has finished, which clears past failures."`
	Wait    bool `name:"wait" help:"Follow the preload until every model is ready."`
	timeoutFlag
}

// Run triggers a preload, and follows it with --wait.
func (c *preloadCommand) Run(a *app) error {
	e := waitingRun{
		name: "preload", timeout: c.Timeout.duration(), run: gate.Trigger,
		require: func(cfg *config.Config) (requirement.Run, []diag.Problem) {
			return requirement.ForHost(cfg, a.lookup(cfg, ""), requirement.Flags{Timeout: c.Timeout.duration(), Refresh: c.Refresh})
		},
	}
	if c.Wait {
		e.run = gate.Preload
		// Every instance waits for its unit, as for a gate: with the gates switched
		// off, it must not hold them up. Run by hand, it does wait.
		e.mayBeOff = a.inUnit()
	}
	return a.waitFor(e)
}
