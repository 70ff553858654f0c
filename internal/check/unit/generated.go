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
			Message: "the generator has written nothing: it is missing, masked, or it died at the last reload",
			Seen:    "no file of ours in /run/systemd/generator", Expected: "/run/systemd/generator/justnews@.service.d/50-justnews-gate.conf",
			Fix: diag.Do(diag.Reload()).Looking(diag.Run("ls", "-l", "/usr/lib/systemd/system-generators/justnews-generator", "/etc/systemd/system-generators"), diag.Run("journalctl", "-b", "-t", "systemd", "-g", "generator")),
		}}
	}
	p := diag.Problem{
		Code: diag.GeneratorStale, Severity: diag.Warning, Subject: "justnews-generator",
		Message:  "what the generator wrote at the last reload is not what it would write now",
		Seen:     diag.Clean(stale[0]),
		Expected: "files made from the configuration as it is",
		Fix:      diag.Do(diag.Run("justnews-gate", "config", "check"), diag.Reload()),
	}
	if more := len(stale) - 1; more > 0 {
		p.Seen += fmt.Sprintf(", and %d more", more)
	}
	return []diag.Problem{p}
}
