// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"cmp"
	"slices"

	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/status"
)

// consequences is the group of the errors that follow from others.
const consequences = "consequences"

// followsIn returns what groups findings: by area, and those errors that only
// say what the others lead to by themselves. Where there are no others, none
// follows.
func followsIn(problems []diag.Problem) func(diag.Problem) string {
	follows := func(p diag.Problem) bool {
		return p.Severity == diag.Error && (p.Code == diag.UnitFailed || p.Code == diag.RestartLoop || status.Consequential(p.Code))
	}
	cause := slices.ContainsFunc(problems, func(p diag.Problem) bool { return p.Severity == diag.Error && !follows(p) })
	return func(p diag.Problem) string {
		if cause && follows(p) {
			return consequences
		}
		return p.Code.Area()
	}
}

// Settle groups the findings by what they are about, the area with the
// worst first, and in each the worst first; then it reduces the exit status to
// preflight's three: 0 nothing, 1 critical findings, 2 warnings only. A run that
// ended before its checks, on a broken configuration or environment, keeps its own,
// 78. Nothing starts on preflight's status, so its unit may count 2 as success.
func Settle(r *gate.Result) {
	first, worst := map[diag.Code]int{}, map[string]diag.Severity{}
	begun := map[string]int{}
	group := followsIn(r.Problems)
	for i, p := range r.Problems {
		area := group(p)
		if _, seen := first[p.Code]; !seen {
			first[p.Code] = i
		}
		if s, seen := worst[area]; !seen {
			worst[area], begun[area] = p.Severity, i
		} else {
			worst[area] = min(s, p.Severity)
		}
	}
	last := func(area string) int {
		if area == consequences {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(r.Problems, func(a, b diag.Problem) int {
		x, y := group(a), group(b)
		return cmp.Or(cmp.Compare(worst[x], worst[y]), cmp.Compare(last(x), last(y)), cmp.Compare(begun[x], begun[y]),
			cmp.Compare(a.Severity, b.Severity), cmp.Compare(first[a.Code], first[b.Code]))
	})
	r.Settle()
	warned := slices.ContainsFunc(r.Problems, func(p diag.Problem) bool { return p.Severity == diag.Warning })
	switch {
	case r.Refused:
	case len(diag.Errors(r.Problems)) > 0:
		r.Status = diag.StatusFailed
	case r.Passed() && warned:
		r.Status = diag.StatusWarnings
	}
}
