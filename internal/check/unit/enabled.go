// SPDX-License-Identifier: Apache-2.0

package unit

import (
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Enabled judges whether a unit is started at boot if and only if it should be.
func Enabled(u facts.Unit, want bool) []diag.Problem {
	if u.LoadState != "loaded" {
		return nil
	}
	is := strings.HasPrefix(u.Service.FileState, "enabled")
	p := diag.Problem{
		Code: diag.UnitDisabled, Severity: diag.Warning, Subject: u.Name, Seen: diag.Quote(u.Service.FileState),
	}
	switch {
	case is == want, u.Service.FileState == "":
		return nil
	case want && strings.Contains(u.Name, "@"):
		p.Message, p.Expected = "justnews.target does not start this instance, although justnews.toml says that it is enabled", "enabled"
		p.Fix = diag.Do(diag.Reload())
	case want:
		p.Message, p.Expected = "nothing starts it at boot", "enabled"
		p.Fix = diag.Do(diag.Run("systemctl", "enable", "--", u.Name))
	default:
		p.Message, p.Expected = "it is started at boot, although justnews.toml says that it is not enabled", "disabled"
		p.Fix = diag.Do(diag.Run("systemctl", "disable", "--", u.Name))
	}
	return []diag.Problem{p}
}
