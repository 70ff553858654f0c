// SPDX-License-Identifier: Apache-2.0

package check

import (
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Unmask is the command that undoes the mask of a unit: systemctl removes only the kind of mask
// that it is told to.
func Unmask(u facts.Unit) diag.Command {
	if u.Service.FileState == "masked-runtime" {
		return diag.Run("systemctl", "unmask", "--runtime", "--", u.Name)
	}
	return diag.Run("systemctl", "unmask", "--", u.Name)
}
