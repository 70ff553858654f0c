// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"strings"

	"justnews/internal/diag"
)

// Program is the name before every message.
const Program = "justnews-generator"

const reload = "systemctl daemon-reload"

// Line returns a problem as one line: the program, the level unless it is an
// error, where, what, and in brackets what mends it.
func Line(p diag.Problem) string {
	parts := make([]string, 0, 5)
	parts = append(parts, Program)
	if p.Severity != diag.Error {
		parts = append(parts, p.Severity.String())
	}
	if p.Position != nil && p.Position.File != "" {
		parts = append(parts, p.Position.String())
	}
	if p.Subject != "" {
		parts = append(parts, p.Subject)
	}
	line := strings.Join(append(parts, p.Message), ": ")
	if fix := fixOf(p); fix != "" {
		line += " (" + fix + ")"
	}
	return diag.Clean(line)
}

// fixOf ends the fix of an error in the reload without which nothing changes.
func fixOf(p diag.Problem) string {
	if p.Hint == "" || p.Severity != diag.Error || strings.Contains(p.Hint, reload) {
		return p.Hint
	}
	if strings.Contains(p.Hint, "then: ") {
		return p.Hint + "; " + reload
	}
	return p.Hint + ", then: " + reload
}
