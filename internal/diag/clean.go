// SPDX-License-Identifier: Apache-2.0

package diag

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes a string from outside safe for a terminal, a journal line and a
// status line: control and format characters (escape sequences, newlines,
// bidirectional overrides) and invalid UTF-8 are replaced by Go escapes,
// everything else is unchanged.
func Clean(s string) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		if isControl(r) || r == utf8.RuneError && size == 1 {
			quoted := strconv.QuoteToASCII(s[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}

// WithoutPasswords hides what precedes the last @ of each URL in a text, as far as white space
// or a quote.
func WithoutPasswords(s string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "://")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("://")
		end := len(rest)
		if i := strings.IndexAny(rest, "\"' \t\n"); i >= 0 {
			end = i
		}
		if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
			rest = "***" + rest[at:]
		}
		s = rest
	}
}

// Clip cuts s to at most n bytes, between two runes, and marks the cut.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// Quote quotes a name or a value in a sentence.
func Quote(s string) string { return Clean(strconv.Quote(s)) }

// Bare is a name in a sentence, quoted unless it is a plain word or path.
func Bare(s string) string {
	if isPlain(s, "") {
		return s
	}
	return Quote(s)
}

// Count is a number of things: "1 model", "2 models".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	plural := "s"
	if strings.HasSuffix(thing, "s") {
		plural = "es"
	}
	return strconv.Itoa(n) + " " + thing + plural
}

// isPlain reports whether a word is literal, also to a shell. more are
// additional allowed characters.
func isPlain(s, more string) bool {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:./-"
	return s != "" && strings.Trim(s, plain+more) == ""
}

func isClean(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, isControl) }

// isControl reports whether a rune could control a terminal or split a line. U+2028
// and U+2029 are escaped because log viewers may treat them as line breaks.
func isControl(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
}
