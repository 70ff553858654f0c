// SPDX-License-Identifier: Apache-2.0

package unitfile

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// appendQuoted writes s as one word of a setting that systemd unquotes,
// unescapes and then searches for specifiers, such as Environment=; in a
// command line it also replaces $NAME and ${NAME}, so that a dollar sign is
// doubled there. NUL and invalid UTF-8 are refused: systemd ends the line at a
// NUL and drops a line with invalid UTF-8. The escapes are those of cunescape()
// in escape.c; specifiers are looked for after them, so a doubled percent sign
// survives.
func appendQuoted(dst []byte, s string, dollar bool) ([]byte, error) {
	if r := refuseBytes(s); r != nil {
		return dst, r
	}
	dst = append(dst, '"')
	dst = appendEscaped(dst, s, dollar)
	return append(dst, '"'), nil
}

func appendEscaped(dst []byte, s string, dollar bool) []byte {
	const hex = "0123456789abcdef"
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '%', c == '$' && dollar:
			dst = append(dst, c, c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < ' ' || c == 0x7f:
			dst = append(dst, '\\', 'x', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// appendPath writes a path literally, except for percent signs. systemd strips
// white space from the end of the line and takes a backslash there as a
// continuation; a slash after either preserves it, and path_simplify() drops
// the slash again. (systemd strips ASCII only; other readers strip any white
// space.)
func appendPath(dst []byte, path string) ([]byte, error) {
	if r := refusePath(path); r != nil {
		return dst, r
	}
	for i := range len(path) {
		if path[i] == '%' {
			dst = append(dst, '%')
		}
		dst = append(dst, path[i])
	}
	if last, _ := utf8.DecodeLastRuneInString(path); unicode.IsSpace(last) || last == '\\' {
		dst = append(dst, '/')
	}
	return dst, nil
}

// appendListedPath writes one entry of a list of paths. systemd unquotes these
// without unescaping, so a backslash only protects the character after it; that
// is enough for everything that refusePath accepts.
func appendListedPath(dst []byte, mark, path string) ([]byte, error) {
	if r := refusePath(path); r != nil {
		return dst, r
	}
	dst = append(append(dst, '"'), mark...)
	for i := range len(path) {
		switch path[i] {
		case '"', '\\':
			dst = append(dst, '\\')
		case '%':
			dst = append(dst, '%')
		}
		dst = append(dst, path[i])
	}
	return append(dst, '"'), nil
}

func appendAssignment(dst []byte, name, value string) ([]byte, error) {
	if r := refuseVariable(name); r != nil {
		return dst, fmt.Errorf("the name %q: %w", name, r)
	}
	if r := refuseBytes(value); r != nil {
		return dst, fmt.Errorf("the value of %s: %w", name, r)
	}
	dst = append(append(append(dst, '"'), name...), '=')
	return append(appendEscaped(dst, value, false), '"'), nil
}

// appendCommandLine quotes every word. Quotes do not protect the first word
// from being read as a prefix (@ - : + ! |), so it has to begin with a slash.
func appendCommandLine(dst []byte, argv []string) ([]byte, error) {
	if len(argv) == 0 {
		return dst, &Refusal{0, "there is no command"}
	}
	if r := refuseCommand(argv[0]); r != nil {
		return dst, fmt.Errorf("the command: %w", r)
	}
	for i, arg := range argv {
		if i > 0 {
			dst = append(dst, ' ')
		}
		var err error
		if dst, err = appendQuoted(dst, arg, i > 0); err != nil {
			return dst, fmt.Errorf("argument %d: %w", i, err)
		}
	}
	return dst, nil
}
