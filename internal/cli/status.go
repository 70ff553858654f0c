// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	checkhost "justnews/internal/check/host"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/report"
	"justnews/internal/requirement"
	"justnews/internal/status"
)

type statusCommand struct {
	Watch bool `name:"watch" help:"Refresh every 2 seconds, in place on a terminal; q or ^C quits."`
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

// glance looks as far as the configuration allows. Without one it shows the units that
// systemd has loaded. GPUs that nothing needs are looked at if gpus is true.
func (a *app) glance(ctx context.Context, gpus bool) (*status.Host, *config.Config) {
	g := status.New()
	conn := a.openSystemd(ctx)
	defer conn.Close()
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
	w, more := requirement.ForHost(cfg, a.lookup(cfg, ""), requirement.Flags{})
	w.RequireMPS = cfg.UsesMPS()
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
	if conn != nil && a.ConfigFile == "" && a.Root == "" {
		g.Problems = append(g.Problems, status.Unlisted(ctx, cfg, conn)...)
	}
	return g, cfg
}

func (a *app) printGPUs(g *status.Host) {
	if g.GPU.State == status.New().GPU.State {
		return
	}
	bad := slices.ContainsFunc(g.Problems, func(p diag.Problem) bool {
		return p.Severity == diag.Error && strings.HasPrefix(string(p.Code), "GPU-")
	})
	const indent = 14
	t, state := plain, g.GPU.State
	switch {
	case bad || g.GPUNeeded && !g.GPUThere:
		t = wrong
	case g.GPUThere:
		t = good
	default:
		state += ", and none is needed"
	}
	fmt.Fprintf(a.Stdout, "%-*s%s\n", indent, "gpu", a.tint(t, a.fit(state, indent)))
	for _, d := range g.GPU.Devices {
		fmt.Fprintf(a.Stdout, "%*s%s\n", indent, "", a.fit(gpuRow(d), indent))
	}
}

// gpuRow is one GPU on one line; unknown values are omitted.
func gpuRow(d report.GPU) string {
	parts := []string{strings.TrimSpace(fmt.Sprintf("%d %s", d.Index, d.Name))}
	if d.Lost != "" {
		return parts[0] + ", LOST: " + d.Lost
	}
	if d.MemoryTotal != nil && d.MemoryFree != nil {
		const gib = 1 << 30
		parts = append(parts, fmt.Sprintf("%.1f of %.1f GiB free", float64(*d.MemoryFree)/gib, float64(*d.MemoryTotal)/gib))
	}
	if d.ComputeMode != "" {
		parts = append(parts, d.ComputeMode)
	}
	if d.MIG != nil && *d.MIG {
		parts = append(parts, "MIG")
	}
	if d.MPSProcesses != nil {
		parts = append(parts, fmt.Sprintf("%d by MPS", *d.MPSProcesses))
	}
	return strings.Join(append(parts, gpuFaults(d)...), ", ")
}

// gpuFaults is what the driver reports about faults of a GPU that still answers.
func gpuFaults(d report.GPU) []string {
	var faults []string
	if d.Unfit != "" {
		faults = append(faults, "UNFIT: "+d.Unfit)
	} else if d.RecoveryAction != "" && d.RecoveryAction != facts.RecoveryNone {
		faults = append(faults, "recovery action "+d.RecoveryAction)
	}
	if d.RowsPending != nil && *d.RowsPending {
		faults = append(faults, "row remapping pending")
	}
	if d.Fabric != "" && d.Fabric != facts.FabricCompleted {
		faults = append(faults, "fabric "+d.Fabric)
	}
	return faults
}
