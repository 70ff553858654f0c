// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"slices"
	"strings"

	"justnews/internal/diag"
)

// Program is the prefix of every message.
const Program = "justnews-generator"

// Line returns a problem as one line: the program, the level unless it is an
// error, where, what, and in parentheses the fix.
func Line(p diag.Problem) string {
	return diag.Clean(Program + ": " + message(p))
}

// message is Line without the program, which is a field in the journal.
func message(p diag.Problem) string {
	parts := make([]string, 0, 4)
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
	if fix := fixOf(p).String(); fix != "" {
		line += " (" + fix + ")"
	}
	return diag.Clean(line)
}

// fixOf appends the reload to the fix of an error, without which it has no
// effect.
func fixOf(p diag.Problem) diag.Fix {
	fix := p.Fix
	reloads := slices.ContainsFunc(fix.Commands, func(c diag.Command) bool { return slices.Equal(c, diag.Reload()) })
	if !fix.Empty() && p.Severity == diag.Error && !reloads {
		fix.Commands = append(slices.Clone(fix.Commands), diag.Reload())
	}
	return fix
}
