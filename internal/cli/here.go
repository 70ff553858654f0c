// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"slices"

	"justnews/internal/diag"
	"justnews/internal/report"
)

// here returns problems with fixes that can be followed on this machine: where
// there is no systemd, as in a container, none names a command that needs it.
func (a *app) here(problems []diag.Problem) []diag.Problem {
	if !a.NoSystemd {
		return problems
	}
	problems = slices.Clone(problems)
	for i := range problems {
		problems[i].Fix = withoutSystemd(problems[i].Fix)
	}
	return problems
}

func withoutSystemd(f diag.Fix) diag.Fix {
	needs := func(c diag.Command) bool {
		return len(c) > 1 && (slices.Contains([]string{"systemctl", "journalctl", "systemd-tmpfiles"}, c[0]) || c.String() == diag.Retry().String())
	}
	left := diag.Fix{
		Advice: f.Advice, Look: slices.DeleteFunc(slices.Clone(f.Look), needs), Commands: slices.DeleteFunc(slices.Clone(f.Commands), needs),
	}
	if left.Empty() && !f.Empty() {
		left.Advice = "start it again, as this machine does without systemd"
	}
	return left
}

// problemLines are problems as lines for a person.
func (a *app) problemLines(problems []diag.Problem) []report.Line {
	return report.ProblemLines(a.here(problems))
}

// clean are problems for a machine.
func (a *app) clean(problems []diag.Problem) []diag.Problem {
	return report.Clean(a.here(problems))
}
