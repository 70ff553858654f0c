// SPDX-License-Identifier: Apache-2.0

package unit

import (
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Rivals judges what starts instances or replaces their template besides our
// units. What is not enabled can only be started by hand, and is no more than a
// notice: it was retired.
func Rivals(found []facts.Rival) []diag.Problem {
	var problems []diag.Problem
	for _, r := range found {
		p := diag.Problem{
			Code: diag.UnitRival, Subject: r.Path, Message: "it " + r.Does + " besides the gated units",
			Seen: "in " + diag.Clean(r.By) + ", disabled", Expected: "nothing but justnews.target starts the instances",
			Severity: diag.Notice, Fix: Retire(r),
		}
		if r.Active {
			p.Severity, p.Seen = diag.Error, "in "+diag.Clean(r.By)+", enabled"
		}
		if r.Active && r.Gated {
			p.Severity = diag.Warning
		}
		problems = append(problems, p)
	}
	return problems
}

// Retire is how a rival is taken out of service.
func Retire(r facts.Rival) diag.Fix {
	if commands := diag.Retire(r.Units(), r.Template()); len(commands) > 0 {
		return diag.Do(commands...)
	}
	return diag.Advise("remove the lines that do so from "+diag.Quote(r.Path), diag.Run("justnews-gate", "preflight"))
}
