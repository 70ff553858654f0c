// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"slices"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// KeepShut changes a refusal's exit status where the unit takes that status
// for success: systemd would start the service after a gate that said no.
func KeepShut(r *Result, own *facts.Unit) {
	if own == nil || r.Passed() || !slices.Contains(own.SuccessExitStatus, int(r.Status)) {
		return
	}
	was := r.Status
	for s := diag.StatusInternal; ; s = s%254 + 1 {
		if !slices.Contains(own.SuccessExitStatus, int(s)) {
			r.Status = s
			break
		}
		if s == diag.StatusInternal-1 {
			break // every status is success: nothing that exits can keep this gate shut
		}
	}
	r.Problems = append(r.Problems, diag.Problem{
		Code: diag.StatusOpens, Severity: diag.Warning, Subject: own.Name,
		Message:  fmt.Sprintf("SuccessExitStatus= lists %d, which would open the gate: it exits with %d instead", was, r.Status),
		Seen:     fmt.Sprintf("SuccessExitStatus=%v", own.SuccessExitStatus),
		Expected: "no exit status of justnews-gate",
		Fix:      fmt.Sprintf("systemctl edit %s, and take %d out of SuccessExitStatus=; systemctl daemon-reload", own.Name, was),
	})
}
