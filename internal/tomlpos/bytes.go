// SPDX-License-Identifier: Apache-2.0

package tomlpos

import "unicode/utf8"

// Bad is a byte that is not allowed in TOML.
type Bad struct {
	Offset  int
	Byte    byte
	Control bool // a control character; otherwise invalid UTF-8
}

// BadBytes returns the first limit bytes that are not allowed in TOML,
// including strings and comments: control characters other than tab and the
// line ends, a carriage return alone, and what is not UTF-8.
func BadBytes(text string, limit int) []Bad {
	var bad []Bad
	for i := 0; i < len(text) && len(bad) < limit; i++ {
		c := text[i]
		switch {
		case c >= ' ' && c < 0x7f, c == '\n', c == '\t':
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				bad = append(bad, Bad{Offset: i, Byte: c})
			}
			i += size - 1
		case c == '\r' && i+1 < len(text) && text[i+1] == '\n':
		default:
			bad = append(bad, Bad{Offset: i, Byte: c, Control: true})
		}
	}
	return bad
}
