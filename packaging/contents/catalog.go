// SPDX-License-Identifier: Apache-2.0

package contents

import (
	"bytes"
	"fmt"
	"strings"

	"justnews/internal/catalogue"
	"justnews/internal/diag"
)

// journalCatalog is the catalogue of problems in the form of
// systemd.journal-fields(7)'s message catalog: journalctl -x prints an entry
// under the message that carries its MESSAGE_ID.
func journalCatalog(string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# SPDX-License-Identifier: Apache-2.0\n# Made from the catalogue of problems: justnews-problems(7).\n")
	for _, e := range catalogue.Entries() {
		fmt.Fprintf(&b, "\n-- %s\nSubject: %s: %s\nDefined-By: justnews\nDocumentation: man:justnews-problems(7)\n\n%s\n\nLook:\n    %s\n\nFix:\n    %s\n",
			e.MessageID, e.Code, e.Title, strings.Join(Fold(e.Cause, 76), "\n"), strings.Join(diag.Lines(e.Check), "\n    "), strings.Join(fixLines(e.Fix), "\n    "))
	}
	return b.Bytes(), nil
}

// Fold wraps a sentence at a width, in bytes. Commands, which are pasted, are not wrapped.
func Fold(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// fixLines returns the advice, if there is any, and each command on its own line.
func fixLines(f diag.Fix) []string {
	var lines []string
	if f.Advice != "" {
		lines = Fold(f.Advice, 72)
	}
	return append(lines, diag.Lines(f.Commands)...)
}
