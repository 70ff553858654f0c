// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/report"
	"justnews/internal/status"
)

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
