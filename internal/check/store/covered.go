// SPDX-License-Identifier: Apache-2.0

package store

import (
	"path/filepath"
	"slices"

	"justnews/internal/check/host"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// missing are the faults of what is not where it should be.
var missing = []facts.FaultKind{facts.Absent, facts.Dangling, facts.NoModel, facts.NoAdapter, facts.PartMissing}

// covered names the setting of the unit that hides what is missing, or what a
// link leads to: a store may be on the host and not in the unit's view.
func (j *judge) covered(f facts.StoreFault, p diag.Problem) diag.Problem {
	if j.want.Unit == nil || !slices.Contains(missing, f.Kind) {
		return p
	}
	for _, path := range []string{f.Path, leadsTo(f)} {
		if setting := host.Hidden(j.want.Unit.Sandbox, path); path != "" && setting != "" {
			host.Cover(&p, j.want.Unit.Name, host.Place{What: diag.Clean(path), Path: path}, setting)
			break
		}
	}
	return p
}

// leadsTo is where a link leads, "" for anything else.
func leadsTo(f facts.StoreFault) string {
	switch {
	case f.Target == "":
		return ""
	case filepath.IsAbs(f.Target):
		return f.Target
	}
	return filepath.Join(filepath.Dir(f.Path), f.Target)
}
