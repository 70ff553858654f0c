// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/requirement"
)

type readyCommand struct {
	Unit    string `arg:"" optional:"" help:"The unit that serves the models; default: the unit that runs this command, or the configured one."`
	Trigger bool   `name:"trigger" help:"Request a preload if none is running, instead of only waiting for one."`
	Timeout *span  `name:"timeout" placeholder:"TIME" help:"Timeout of the whole run: 300, 300s, 5min. Overrides the configuration."`
}

// Run is the readiness of a model server's own unit: it is up once its models are
// ready, by its own account.
func (c *readyCommand) Run(a *app) error {
	unit := cmp.Or(c.Unit, a.ownService())
	if unit != "" && !config.ServiceName(unit) {
		return a.misuse("ready needs the full name of a service, such as vllm.service, or none for the configured one", diag.Run("justnews-gate", "ready"))
	}
	flags := requirement.Flags{Timeout: c.Timeout.duration()}
	return a.waitFor(waitingRun{
		name: "ready", instance: unit, unit: unit, guard: true, timeout: flags.Timeout, mayBeOff: a.inUnit(), run: gate.Run,
		require: func(cfg *config.Config) (w requirement.Run, problems []diag.Problem) {
			if _, guarded := cfg.Guard(unit); guarded {
				w, problems = requirement.ForGuard(cfg, unit, true, flags)
			} else {
				w, problems = requirement.ForServer(cfg, unit, flags)
			}
			w.Follow = w.Follow && !c.Trigger
			return w, problems
		},
	})
}
