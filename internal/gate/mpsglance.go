// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"slices"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/mps"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// MPSGlance is what one look at NVIDIA MPS found.
type MPSGlance struct {
	MPSResult
	Look     facts.MPS
	Unit     *facts.Unit // of the daemon, nil: no unit of this host, or nobody to ask
	Problems []diag.Problem
	// Partitions are the static partitions of the daemon, MLOPart the parts of GPUs
	// that it shows as devices; both in its own words.
	Partitions, MLOPart []string
}

// GlanceMPS looks at MPS and climbs as far as mps.require asks, once. It starts
// nothing. A question that another console broke off is asked again, a few
// times.
func GlanceMPS(ctx context.Context, w requirement.Run, world World) MPSGlance {
	began := time.Now()
	res := Result{}
	m := newMPSRunner(&runner{req: w, world: world, began: began, until: began.Add(proofLimit), res: &res})
	g := MPSGlance{}
	if m.want.Unit != "" && world.Units != nil {
		if unit, err := world.Units.Unit(ctx, m.want.Unit); err == nil {
			m.unit, m.known, g.Unit = unit, true, &unit
			g.Problems = append(g.Problems, m.glanceUnit()...)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, proofLimit)
	defer cancel()
	for range glanceTries {
		if m.res.MPS.Reached = m.climb(ctx); m.res.MPS.Reached >= m.res.MPS.Required || !brokenOff(m.problems) || !pause(ctx, m.jitter(pollMPS)) {
			break
		}
	}
	g.Look, g.MPSResult = world.MPS.Look(), res.MPS
	if g.Reached >= mps.RungControl && g.Look.Daemon != nil && g.Look.Daemon.Static() {
		g.Partitions = mps.Named(world.MPS.Ask(ctx, mps.AskPartitions), "")
	}
	if g.Server > 0 {
		g.MLOPart = mps.Named(world.MPS.Ask(ctx, mps.AskDevices), "MLOPart")
	}
	g.Problems = append(g.Problems, m.problems...)
	g.Problems = append(g.Problems, Opinion(ctx, w, world, g.Reached)...)
	return g
}

// Opinion reports where the orchestrator thinks otherwise of MPS than what was
// proven.
func Opinion(ctx context.Context, w requirement.Run, world World, reached mps.Rung) []diag.Problem {
	if world.Adviser == nil {
		return nil
	}
	if p := mps.Opinion(world.Adviser.MPS(ctx), reached, w.Orchestrator.URL); p != nil {
		return []diag.Problem{*p}
	}
	return nil
}

const glanceTries = 3

// glanceUnit judges the unit without waiting for it. A unit that is inactive is
// named by the daemon that is missing, if that is so.
func (m *mpsRunner) glanceUnit() []diag.Problem {
	j := mps.Unit(m.unit)
	switch j.State {
	case check.Ready:
		m.want.UnitActive, m.want.MainPID = true, m.unit.MainPID
	case check.Failed:
		return []diag.Problem{mps.UnitProblem(m.unit, j, m.want)}
	}
	return nil
}

// brokenOff reports whether another console was in the way.
func brokenOff(problems []diag.Problem) bool {
	return slices.ContainsFunc(problems, func(p diag.Problem) bool { return p.Code == diag.MPSBusy || p.Code == diag.MPSEmpty })
}
