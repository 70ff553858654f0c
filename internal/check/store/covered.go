// SPDX-License-Identifier: Apache-2.0

package store

import (
	"slices"

	"justnews/internal/check/host"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// outOfSight lists the faults that a hidden path has from inside the unit.
var outOfSight = []facts.FaultKind{facts.Absent, facts.Dangling, facts.Denied, facts.Unreadable, facts.NoModel, facts.NoAdapter, facts.PartMissing}

// covered returns the setting of the unit that hides a path or the target of its
// links: the store may exist on the host but not be visible in the unit.
func (j *judge) covered(f facts.StoreFault, p diag.Problem) diag.Problem {
	if j.want.Unit == nil || !slices.Contains(outOfSight, f.Kind) {
		return p
	}
	at := host.Place{What: diag.Clean(f.Path), Path: f.Path, Leads: f.Leads}
	if setting := host.Hidden(j.want.Unit.Sandbox, at.Path, at.Leads); setting != "" {
		host.Cover(&p, j.want.Unit.Name, at, setting)
	}
	return p
}
