// SPDX-License-Identifier: Apache-2.0

package unitfile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Setting is one Key=Value as systemd reads it: still quoted, white space
// around it removed.
type Setting struct {
	Section, Key, Value string
}

// reader returns one setting after the other, by the rules of conf-parser.c.
// Whatever makes systemd skip a line or the rest of the file is an error here.
type reader struct {
	rest    string
	line    int
	began   int // the line in which the setting began that next returned
	section string
	foreign bool // not ours: what systemd accepts, although we never write it, is no error
}

func newReader(text []byte) *reader {
	return &reader{rest: strings.TrimPrefix(string(text), "\ufeff")}
}

// next returns the next setting; found is false at the end.
func (r *reader) next() (s Setting, found bool, err error) {
	pending := ""
	for r.rest != "" {
		raw := r.cut()
		r.line++
		comment := strings.HasPrefix(trim(raw), "#") || strings.HasPrefix(trim(raw), ";")
		if err := readable(raw); err != nil && (!comment || !r.foreign || errors.Is(err, errTooLong)) {
			return s, false, atLine{r.line, err}
		}
		if comment {
			continue // also inside a continued line
		}
		if pending == "" {
			r.began = r.line
		}
		line := pending + raw
		if continues(line) {
			pending = line[:len(line)-1] + " "
			continue
		}
		pending = ""
		s, found, err = r.setting(trim(line))
		if err != nil {
			return s, false, atLine{r.line, err}
		}
		if found {
			return s, true, nil
		}
	}
	switch {
	case pending == "":
		return s, false, nil
	case !r.foreign:
		return s, false, errors.New("the last line ends in a continuation")
	}
	if s, found, err = r.setting(trim(pending)); err != nil {
		err = atLine{r.line, err}
	}
	return s, found, err
}

// cut takes the next line. A file that is not ours can also end a line with a carriage
// return or a NUL, or with a sequence of different ones (read_line_full in fileio.c).
func (r *reader) cut() (line string) {
	ends := "\n"
	if r.foreign {
		ends = "\n\r\x00"
	}
	i := strings.IndexAny(r.rest, ends)
	if i < 0 {
		line, r.rest = r.rest, ""
		return line
	}
	line, r.rest = r.rest[:i], r.rest[i:]
	for r.rest != "" && strings.IndexByte(ends, r.rest[0]) >= 0 {
		end := r.rest[:1]
		r.rest, ends = r.rest[1:], strings.Replace(ends, end, "", 1)
		if end == "\x00" {
			break
		}
	}
	return line
}

// whitespace is systemd's WHITESPACE.
const whitespace = " \t\n\r"

func isWhite(c byte) bool { return strings.IndexByte(whitespace, c) >= 0 }

func trim(s string) string { return strings.Trim(s, whitespace) }

// readable rejects what ends a line for read_line_full() besides the newline (a
// carriage return, a NUL), and what makes systemd drop it.
func readable(line string) error {
	if len(line) >= maxLine {
		return errTooLong
	}
	if i := strings.IndexByte(line, '\r'); i >= 0 {
		return &Refusal{i, "a carriage return"}
	}
	return asError(refuseBytes(line))
}

// continues reports whether a line ends in a backslash that is not escaped.
func continues(line string) bool {
	if !strings.HasSuffix(line, `\`) {
		return false
	}
	escaped := false
	for i := range len(line) {
		escaped = !escaped && line[i] == '\\'
	}
	return escaped
}

// setting reads one line; found is false for an empty one and for a section.
func (r *reader) setting(line string) (s Setting, found bool, err error) {
	if line == "" {
		return s, false, nil
	}
	if line[0] == '[' {
		if !strings.HasSuffix(line, "]") {
			return s, false, errHeader
		}
		r.section = line[1 : len(line)-1]
		return s, false, nil
	}
	key, value, found := strings.Cut(line, "=")
	switch {
	case !found:
		return s, false, errors.New("a line without an equals sign")
	case r.section == "":
		return s, false, errors.New("a setting before the first section")
	}
	return Setting{r.section, trim(key), trim(value)}, true, nil
}

// words splits a value as extract_first_word() does with EXTRACT_UNQUOTE and
// EXTRACT_CUNESCAPE; without unescape a backslash only protects the character
// behind it.
func words(value string, unescape bool) ([]string, error) {
	var out []string
	for i := 0; ; {
		for i < len(value) && isWhite(value[i]) {
			i++
		}
		if i == len(value) {
			return out, nil
		}
		word, next, err := oneWord(value, i, unescape)
		if err != nil {
			return out, err
		}
		out, i = append(out, word), next
	}
}

// oneWord reads the word that begins at i and returns where it ends.
func oneWord(value string, i int, unescape bool) (string, int, error) {
	if word, next, ok := simpleWord(value, i); ok {
		return word, next, nil
	}
	var b strings.Builder
	quote := byte(0)
	for ; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\\':
			n, err := escape(&b, value[i+1:], unescape)
			if err != nil {
				return "", 0, err
			}
			i += n
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && isWhite(c):
			return b.String(), i, nil
		default:
			b.WriteByte(c)
		}
	}
	if quote != 0 {
		return "", 0, errors.New("an unterminated quote")
	}
	return b.String(), i, nil
}

// simpleWord is the usual case, a word in double quotes without an escape,
// which needs no copy.
func simpleWord(value string, i int) (string, int, bool) {
	if value[i] != '"' {
		return "", 0, false
	}
	end := strings.IndexByte(value[i+1:], '"') + i + 1
	word, next := value[i+1:max(end, i+1)], end+1
	if end <= i || strings.IndexByte(word, '\\') >= 0 || next < len(value) && !isWhite(value[next]) {
		return "", 0, false
	}
	return word, next, true
}

// escape reads what follows a backslash and returns how many bytes it took. With
// unescape it is one of C's escapes, by the rules of cunescape_one in systemd's escape.c.
func escape(b *strings.Builder, rest string, unescape bool) (int, error) {
	switch {
	case rest == "":
		return 0, errors.New("a backslash at the end")
	case !unescape:
		b.WriteByte(rest[0])
		return 1, nil
	case rest[0] == 's': // unknown to Go
		b.WriteByte(' ')
		return 1, nil
	}
	r, multibyte, tail, err := strconv.UnquoteChar(`\`+rest, rest[0])
	switch {
	case err != nil || r == 0:
		return 0, errors.New("an unknown escape")
	case multibyte:
		b.WriteRune(r)
	default:
		b.WriteByte(byte(r & 0xff))
	}
	return len(rest) - len(tail), nil
}

// undouble reads %% as % and rejects every other percent sign, which would be a
// specifier (or, in a command line, a variable).
func undouble(s string, sign byte) (string, error) {
	if strings.IndexByte(s, sign) < 0 {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == sign {
			i++
			if i == len(s) || s[i] != sign {
				return "", fmt.Errorf("a single %c", sign)
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), nil
}

// atLine is an error in a line.
type atLine struct {
	line int
	err  error
}

func (e atLine) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }

func (e atLine) Unwrap() error { return e.err }
