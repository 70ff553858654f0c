// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"time"

	checkhost "justnews/internal/check/host"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/report"
	"justnews/internal/requirement"
	"justnews/internal/status"
)

type statusCommand struct {
	Watch bool `name:"watch" help:"Refresh every 2 seconds, in place on a terminal; q or ^C ends it."`
}

// statusTimeout bounds one look at the servers and units, a few requests
// of at most 3 s each; mpsTimeout is what a glance at NVIDIA MPS has besides.
const (
	statusTimeout = 10 * time.Second
	mpsTimeout    = 10 * time.Second
)

// Run looks at everything and prints what it found, once or repeatedly.
func (c *statusCommand) Run(a *app) error {
	if c.Watch {
		return a.watchStatus()
	}
	a.limited("status", statusTimeout+mpsTimeout)
	ctx, cancel := context.WithTimeout(a.ctx, statusTimeout+mpsTimeout)
	defer cancel()
	return a.printStatus(a.glanceOnce(ctx))
}

// glanceOnce is a glance with its exit status.
func (a *app) glanceOnce(ctx context.Context) *status.Host {
	g, _ := a.glance(ctx, true)
	g.Problems = a.here(g.Problems)
	g.Settle()
	g.Problems = report.Clean(g.Problems)
	return g
}

func (a *app) printStatus(g *status.Host) error {
	return a.printed(g.HostStatus, diag.Status(g.Status), func() { a.printGlance(g) })
}

// glance gets as far as the configuration lets it. Without one it shows the
// units that systemd knows of. GPUs that nothing needs are looked at if gpus is true.
func (a *app) glance(ctx context.Context, gpus bool) (*status.Host, *config.Config) {
	g := status.New()
	conn := a.openSystemd(ctx)
	if conn != nil {
		defer conn.Close()
	}
	cfg, problems := config.Load(a.source())
	if g.Problems = problems; cfg == nil {
		if conn != nil && a.ConfigFile == "" && a.Root == "" { // else it is not this host's
			g.LookAtLoaded(ctx, conn)
		}
		return g, nil
	}
	if cfg.Empty() {
		g.Unconfigured, g.Problems = true, append(g.Problems, checkhost.NoInstance(cfg)...)
		return g, cfg
	}
	w, more := requirement.ForHost(cfg, a.Lookup, requirement.Flags{})
	w.RequireMPS = len(requirement.MPSInstances(cfg)) > 0 || cfg.AnyGuard(func(g config.Guard) bool { return g.RequireMPS })
	w.Orchestrator.Here = servedHere(ctx, w.Orchestrator)
	g.Problems = append(append(g.Problems, more...), w.Remote()...)
	x, wrong := a.openWorld(w, cfg, conn, nil)
	if g.Problems = append(g.Problems, wrong...); wrong != nil {
		return g, cfg
	}
	defer x.shut()
	if !gpus && !w.GPU.Needed {
		x.GPU = noGPU{}
	}
	g.Look(ctx, cfg, w, x.World, a.marks(cfg))
	return g, cfg
}
