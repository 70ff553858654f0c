// SPDX-License-Identifier: Apache-2.0

package tomlpos

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *scanner) accept(word string) bool {
	if strings.HasPrefix(s.text[s.pos:], word) {
		s.pos += len(word)
		return true
	}
	return false
}

func (s *scanner) space() {
	for s.pos < len(s.text) && (s.text[s.pos] == ' ' || s.text[s.pos] == '\t') {
		s.pos++
	}
}

func (s *scanner) newline() bool { return s.accept("\n") || s.accept("\r\n") }

func (s *scanner) comment() {
	if s.peek() != '#' {
		return
	}
	end := strings.IndexByte(s.text[s.pos:], '\n')
	if end < 0 {
		s.pos = len(s.text)
		return
	}
	s.pos += end
}

// blank skips white space, newlines and comments.
func (s *scanner) blank() {
	for {
		s.space()
		s.comment()
		if !s.newline() {
			return
		}
	}
}

// str skips a string of any of the four kinds.
func (s *scanner) str(quote byte) bool {
	triple := strings.Repeat(string(quote), 3)
	if strings.HasPrefix(s.text[s.pos:], triple) {
		s.pos += 3
		return s.multiline(quote, triple)
	}
	return s.quoted(quote)
}

// quoted skips a string of one line, the quotes included.
func (s *scanner) quoted(quote byte) bool {
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == quote:
			s.pos++
			return true
		case c == '\n':
			return false
		case c == '\\' && quote == '"':
			s.pos++
		}
	}
	return false
}

// multiline skips to the end of a string of many lines, which may end in five
// quotes: two of its own and the three that close it.
func (s *scanner) multiline(quote byte, triple string) bool {
	for s.pos < len(s.text) {
		switch {
		case s.text[s.pos] == '\\' && quote == '"':
			s.pos += 2
		case strings.HasPrefix(s.text[s.pos:], triple):
			s.pos += 3
			for range 2 {
				s.accept(triple[:1])
			}
			return true
		default:
			s.pos++
		}
	}
	return false
}

// unescape undoes the escapes of a basic string.
func unescape(s string) (string, bool) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++ // quoted has found a character behind it
		r, length, ok := escape(s[i:])
		if !ok {
			return "", false
		}
		b.WriteRune(r)
		i += length - 1
	}
	return b.String(), true
}

// escape reads what follows a backslash and returns the rune and the length of
// what it read.
func escape(s string) (rune, int, bool) {
	const letters, runes = `btnfre"\`, "\b\t\n\f\r\x1b\"\\"
	if i := strings.IndexByte(letters, s[0]); i >= 0 {
		return rune(runes[i]), 1, true
	}
	digits := 0
	switch s[0] {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	}
	if digits == 0 || len(s) < 1+digits {
		return 0, 0, false
	}
	n, err := strconv.ParseUint(s[1:1+digits], 16, 32)
	if err != nil || !utf8.ValidRune(rune(n)) { //nolint:gosec // beyond 31 bits it is negative, and not valid
		return 0, 0, false
	}
	return rune(n), 1 + digits, true //nolint:gosec // valid
}

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
