// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"justnews/internal/diag"
)

func literal(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return literalFloat(v)
	case time.Time:
		return literalTime(v)
	case []string:
		return literalList(len(v), func(i int) string { return quote(v[i]) })
	case []any:
		return literalList(len(v), func(i int) string { return literal(v[i]) })
	case []map[string]any:
		return literalList(len(v), func(i int) string { return literal(v[i]) })
	case map[string]any:
		return literalTable(v)
	}
	return fmt.Sprint(v)
}

func literalFloat(f float64) string {
	s := strings.ToLower(strconv.FormatFloat(f, 'g', -1, 64))
	if only(s, func(c byte) bool { return digit(c) || c == '-' }) {
		s += ".0"
	}
	return s
}

// literalTime writes a date in its original form, which the decoder keeps in
// the name of the zone.
func literalTime(t time.Time) string {
	switch t.Location().String() {
	case "datetime-local":
		return t.Format("2006-01-02T15:04:05.999999999")
	case "date-local":
		return t.Format(time.DateOnly)
	case "time-local":
		return t.Format("15:04:05.999999999")
	}
	return t.Format(time.RFC3339Nano)
}

func literalList(n int, item func(int) string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = item(i)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func literalTable(m map[string]any) string {
	if len(m) == 0 {
		return "{}"
	}
	var items []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		items = append(items, bareOrQuoted(k)+" = "+literal(m[k]))
	}
	return "{ " + strings.Join(items, ", ") + " }"
}

// quote writes a TOML basic string. strconv.Quote uses escapes that TOML does
// not have.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsControl(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func bareOrQuoted(key string) string {
	if key != "" && only(key, func(c byte) bool { return word(c) || c == '-' }) {
		return key
	}
	return quote(key)
}

// dotted writes a path as a dotted key; an index such as "[0]" is not quoted.
func dotted(path []string) string {
	var b strings.Builder
	for i, step := range path {
		if strings.HasPrefix(step, "[") && i > 0 {
			b.WriteString(step)
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(bareOrQuoted(step))
	}
	return b.String()
}

// maxSeen bounds how much of the file a message repeats, in bytes.
const maxSeen = 80

// seenOf is the evidence in a problem: the value, cut to a readable length.
func seenOf(v any) string {
	return diag.Clip(literal(v), maxSeen)
}
