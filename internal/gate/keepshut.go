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
	was := r.Status
	if r.Status = Shut(was, own); r.Status == was {
		return
	}
	r.Problems = append(r.Problems, diag.Problem{
		Code: diag.StatusOpens, Severity: diag.Warning, Subject: own.Name,
		Message:  fmt.Sprintf("SuccessExitStatus= lists %d, which would open the gate: it exits with %d instead", was, r.Status),
		Seen:     fmt.Sprintf("SuccessExitStatus=%v", own.SuccessExitStatus),
		Expected: "no exit status of justnews-gate",
		Fix:      diag.Advise(fmt.Sprintf("take %d out of SuccessExitStatus=", was), diag.Run("systemctl", "edit", "--", own.Name), diag.Reload()),
	})
}

// Shut returns the status to exit with: the refusal's own, or the first from 70
// on that the unit does not take for success.
func Shut(refusal diag.Status, own *facts.Unit) diag.Status {
	if own == nil || refusal == diag.StatusReady || !slices.Contains(own.SuccessExitStatus, int(refusal)) {
		return refusal
	}
	for i := range 254 {
		s := (int(diag.StatusInternal)-1+i)%254 + 1
		if !slices.Contains(own.SuccessExitStatus, s) {
			return diag.Status(s)
		}
	}
	return refusal // every status is success: nothing that exits can keep this gate shut
}
