// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"slices"
	"strings"

	"justnews/internal/check/gpu"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/report"
	"justnews/internal/requirement"
)

// lookAtGPUs keeps what was found. A glance says what is wrong: recommendations,
// and that a host which needs no GPU has none, are preflight's.
func lookAtGPUs(g *glance, look facts.GPULook, want requirement.GPU) {
	g.GPU, g.gpuNeeded, g.gpuThere = *report.GPUsOf(&look), want.Needed, look.Kind == facts.GPUAnswered
	problems := gpu.Judge(look, want)
	g.Problems = append(g.Problems, slices.DeleteFunc(problems, func(p diag.Problem) bool { return p.Severity == diag.Notice })...)
}

// printGPUs prints one row for the driver and one for each GPU.
func (a *app) printGPUs(g glance) {
	if g.GPU.State == nothingSeen().GPU.State {
		return
	}
	bad := slices.ContainsFunc(g.Problems, func(p diag.Problem) bool {
		return p.Severity == diag.Error && strings.HasPrefix(string(p.Code), "GPU-")
	})
	const indent = 14
	t, state := plain, g.GPU.State
	switch {
	case bad || g.gpuNeeded && !g.gpuThere:
		t = wrong
	case g.gpuThere:
		t = good
	default:
		state += ", and none is needed"
	}
	fmt.Fprintf(a.Stdout, "%-*s%s\n", indent, "gpu", a.tint(t, a.fit(state, indent)))
	for _, d := range g.GPU.Devices {
		fmt.Fprintf(a.Stdout, "%*s%s\n", indent, "", a.fit(gpuRow(d), indent))
	}
}

// gpuRow is one GPU on one line; what is not known is left out.
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
	return strings.Join(parts, ", ")
}
