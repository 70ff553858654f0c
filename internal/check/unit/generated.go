// SPDX-License-Identifier: Apache-2.0

package unit

import (
	"fmt"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Generated compares what the generator left at the last reload with what it
// would write now. systemd says nothing where a generator fails.
func Generated(files []facts.Generated) []diag.Problem {
	var there, stale []string
	for _, f := range files {
		if f.There {
			there = append(there, f.Path)
		}
		if f.Denied || f.There == f.Wanted && f.Have == f.Want {
			continue
		}
		stale = append(stale, f.Path)
	}
	switch {
	case len(stale) == 0:
		return nil
	case len(there) == 0:
		return []diag.Problem{{
			Code: diag.GeneratorAbsent, Subject: "justnews-generator",
			Message: "the generator has written nothing: it is missing or masked, or crashed at the last reload",
			Seen:    "no file of ours in /run/systemd/generator", Expected: "/run/systemd/generator/justnews@.service.d/50-justnews-gate.conf",
			Fix: diag.Do(diag.Reload()).Looking(diag.Run("ls", "-l", "/usr/lib/systemd/system-generators/justnews-generator", "/etc/systemd/system-generators"), diag.Run("journalctl", "-b", "-t", "systemd", "-g", "generator")),
		}}
	}
	p := diag.Problem{
		Code: diag.GeneratorStale, Severity: diag.Warning, Subject: "justnews-generator",
		Message:  "the generator's files from the last reload are outdated",
		Seen:     diag.Clean(stale[0]),
		Expected: "files generated from the current configuration",
		Fix:      diag.Do(diag.Run("justnews-gate", "config", "check"), diag.Reload()),
	}
	if more := len(stale) - 1; more > 0 {
		p.Seen += fmt.Sprintf(", and %d more", more)
	}
	return []diag.Problem{p}
}
