// SPDX-License-Identifier: Apache-2.0

package check

import (
	"cmp"
	"fmt"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// again starts everything again. reset-failed comes first: a unit that reached
// its start limit refuses to start until then.
const again = `systemctl reset-failed "justnews*"; systemctl start justnews.target`

// refresh runs the preload again before: a job that failed is not run again by
// a mere start for a while (30 s, doubling up to 10 min).
const refresh = `justnews-gate preload --refresh --wait && ` + again

// mend says what has to be done before a command.
func mend(command, format string, args ...any) string {
	return diag.Clean(fmt.Sprintf(format, args...)) + ", then: " + command
}

// evidence describes an answer that was none.
func evidence(a facts.Answer) string {
	return diag.Clean(cmp.Or(a.Detail, "no answer"))
}

func quote(s string) string { return `"` + diag.Clean(s) + `"` }
