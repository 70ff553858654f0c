// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"os"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/preflight"
	"justnews/internal/probe/systemd"
	"justnews/internal/requirement"
)

type preflightCommand struct {
	Timeout *span `name:"timeout" placeholder:"TIME" help:"How long to wait until everything is ready: 300, 300s, 5min. Overrides GATE_TIMEOUT."`
	Stop    bool  `name:"stop" help:"First stop the instances that use the configured ports. Other programs that use them are only reported."`
}

// Run makes every check of this host and reports every finding.
func (c *preflightCommand) Run(a *app) error {
	var cfg *config.Config
	return a.waitFor(waitingRun{
		name: "preflight", timeout: c.Timeout.duration(), survey: true,
		require: func(loaded *config.Config) (requirement.Run, []diag.Problem) {
			cfg = loaded
			w, problems := preflight.Require(loaded, a.lookup(loaded, ""), requirement.Flags{Timeout: c.Timeout.duration()})
			return w, append(problems, config.Ignored(a.source())...)
		},
		run: func(ctx context.Context, w requirement.Run, x gate.World) gate.Result {
			job := preflight.Job{Config: cfg, Host: a.host(), Marks: a.marks(cfg), Stop: c.Stop}
			if conn, ok := x.Starter.(*systemd.Conn); ok {
				job.Units = conn
			}
			if a.ConfigFile == "" && a.Root == "" { // else the generator reads another configuration
				job.Generated = func(env []facts.EnvFile) facts.Generated {
					return preflight.Generated(cfg, env, os.Getenv)
				}
			}
			return preflight.Run(ctx, job, w, x)
		},
	})
}

func (a *app) host() preflight.Host {
	if a.Host != nil {
		return *a.Host
	}
	return preflight.Real(string(a.Root), a.inUnit())
}
