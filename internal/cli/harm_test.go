// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// harm returns what in a text could control a terminal, split a log line or flood a
// journal, or "".
func harm(text string) string {
	if !utf8.ValidString(text) {
		return "not UTF-8"
	}
	for i, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029') {
			return fmt.Sprintf("%U at byte %d", r, i)
		}
	}
	for line := range strings.Lines(text) {
		if len(line) > 8192 {
			return fmt.Sprintf("a line of %d bytes", len(line))
		}
	}
	return ""
}
