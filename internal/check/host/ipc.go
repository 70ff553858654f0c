// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// RemovesIPC judges whether a logout takes the shared memory of a running unit
// away.
func RemovesIPC(u facts.Unit, a facts.Account, l facts.Limits) []diag.Problem {
	if !l.RemoveIPC || a.KeepsIPC {
		return nil
	}
	return []diag.Problem{{
		Code: diag.IPCRemoved, Severity: diag.Warning, Subject: u.Name,
		Message:  "when the last session of its user ends, logind removes what it keeps in shared memory",
		Seen:     fmt.Sprintf("User=%s with the UID %d, and RemoveIPC=yes", diag.Clean(a.User), a.UID),
		Expected: "a system user, a user who lingers, or RemoveIPC=no in /etc/systemd/logind.conf",
		Fix:      diag.Do(diag.Run("loginctl", "enable-linger", "--", a.User)),
	}}
}
