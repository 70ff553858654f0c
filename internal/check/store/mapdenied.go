// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"fmt"
	"slices"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// MapDenied adds to the problem of an unreadable map the path to which access is
// denied, and the command that grants it.
func MapDenied(problems []diag.Problem, user string, d *facts.StoreDenial) []diag.Problem {
	if d == nil {
		return problems
	}
	problems = slices.Clone(problems)
	for i, p := range problems {
		if p.Code == diag.MapUnreadable {
			problems[i].Message = fmt.Sprintf("cannot read the model map: the user %s may not %s the %s %s", user, verb(*d), thing(*d), diag.Clean(d.Path))
			problems[i].Seen = modeOf(*d)
			problems[i].Fix = letIn(*d, user, "")
			if !d.Dir && !d.Allowed && !d.ACL { // beside it may stand what is nobody else's to read
				problems[i].Fix = diag.Do(diag.Run("chmod", cmp.Or(classes[d.Class], "o")+"+r", "--", d.Path), diag.Retry())
			}
		}
	}
	return problems
}
