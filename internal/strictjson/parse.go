// SPDX-License-Identifier: Apache-2.0

package strictjson

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// parser is a recursive descent over text; depth is what is left of the
// nesting limit, so the recursion is bounded.
type parser struct {
	text  string
	pos   int
	depth int
	path  []string
}

func (p *parser) document() (Value, error) {
	p.space()
	if p.pos < len(p.text) && p.text[p.pos] != '{' {
		if v, err := p.value(); err == nil {
			return Value{}, p.fail(v.offset, "expected an object, found %s", v.kind)
		}
		return Value{}, p.fail(p.pos, "expected an object, found %s", p.found())
	}
	v, err := p.value()
	if err != nil {
		return Value{}, err
	}
	p.space()
	if p.pos < len(p.text) {
		return Value{}, p.fail(p.pos, "more text follows the object")
	}
	return v, nil
}

func (p *parser) value() (Value, error) {
	start := p.pos
	if p.pos >= len(p.text) {
		return Value{}, p.fail(p.pos, "the text ends where a value was expected")
	}
	switch c := p.text[p.pos]; {
	case c == '{' || c == '[':
		return p.nested(c)
	case c == '"':
		s, err := p.quoted()
		return Value{kind: stringKind, offset: start, text: s}, err
	case c == '-' || c >= '0' && c <= '9':
		s, err := p.number()
		return Value{kind: numberKind, offset: start, text: s}, err
	}
	for _, v := range words {
		if strings.HasPrefix(p.text[p.pos:], v.text) {
			p.pos += len(v.text)
			return Value{kind: v.kind, truth: v.truth, offset: start}, nil
		}
	}
	return Value{}, p.fail(p.pos, "expected a value, found %s", p.found())
}

var words = []Value{
	{kind: boolKind, text: "true", truth: true},
	{kind: boolKind, text: "false"},
	{kind: nullKind, text: "null"},
}

func (p *parser) nested(open byte) (Value, error) {
	if p.depth <= 0 {
		return Value{}, p.fail(p.pos, "nested too deeply")
	}
	p.depth--
	defer func() { p.depth++ }()
	if open == '{' {
		return p.object()
	}
	return p.list()
}

func (p *parser) object() (Value, error) {
	v := Value{kind: objectKind, offset: p.pos}
	seen := map[string]string{}
	p.pos++
	for first := true; ; first = false {
		end, err := p.separator('}', first)
		if err != nil || end {
			return v, err
		}
		m, err := p.member(seen)
		if err != nil {
			return v, err
		}
		v.members = append(v.members, m)
	}
}

func (p *parser) member(seen map[string]string) (Member, error) {
	start := p.pos
	if p.pos >= len(p.text) || p.text[p.pos] != '"' {
		return Member{}, p.fail(p.pos, "expected a key in double quotes, found %s", p.found())
	}
	key, err := p.quoted()
	if err != nil {
		return Member{}, err
	}
	p.path = append(p.path, "."+key)
	defer func() { p.path = p.path[:len(p.path)-1] }()
	if other, ok := seen[fold(key)]; ok {
		if other == key {
			return Member{}, p.fail(start, "the key occurs twice")
		}
		return Member{}, p.fail(start, "the key differs from %q only in case", other)
	}
	seen[fold(key)] = key
	p.space()
	if p.pos >= len(p.text) || p.text[p.pos] != ':' {
		return Member{}, p.fail(p.pos, "expected ':' after the key, found %s", p.found())
	}
	p.pos++
	p.space()
	v, err := p.value()
	return Member{Key: key, Offset: start, Value: v}, err
}

func (p *parser) list() (Value, error) {
	v := Value{kind: listKind, offset: p.pos}
	p.pos++
	for first := true; ; first = false {
		end, err := p.separator(']', first)
		if err != nil || end {
			return v, err
		}
		p.path = append(p.path, "["+strconv.Itoa(len(v.list))+"]")
		item, err := p.value()
		if err != nil {
			return v, err
		}
		p.path = p.path[:len(p.path)-1]
		v.list = append(v.list, item)
	}
}

// separator reads the closing bracket, or the comma before another item.
func (p *parser) separator(closing byte, first bool) (end bool, err error) {
	p.space()
	if p.pos >= len(p.text) {
		return end, p.fail(p.pos, "the text ends before %q", closing)
	}
	switch c := p.text[p.pos]; {
	case c == closing:
		p.pos++
		return true, nil
	case first:
		return false, nil
	case c != ',':
		return end, p.fail(p.pos, "expected ',' or %q, found %s", closing, p.found())
	}
	p.pos++
	p.space()
	return false, nil
}

func (p *parser) number() (string, error) {
	start := p.pos
	if p.text[p.pos] == '-' {
		p.pos++
	}
	whole := p.pos
	if !p.digits() {
		return "", p.fail(p.pos, "expected a digit, found %s", p.found())
	}
	if p.text[whole] == '0' && p.pos-whole > 1 {
		return "", p.fail(whole, "a number has a leading 0")
	}
	if p.take(".") && !p.digits() {
		return "", p.fail(p.pos, "expected a digit after '.', found %s", p.found())
	}
	if p.take("eE") {
		p.take("+-")
		if !p.digits() {
			return "", p.fail(p.pos, "expected a digit in the exponent, found %s", p.found())
		}
	}
	return p.text[start:p.pos], nil
}

func (p *parser) digits() bool {
	start := p.pos
	for p.pos < len(p.text) && p.text[p.pos] >= '0' && p.text[p.pos] <= '9' {
		p.pos++
	}
	return p.pos > start
}

func (p *parser) take(set string) bool {
	if p.pos < len(p.text) && strings.IndexByte(set, p.text[p.pos]) >= 0 {
		p.pos++
		return true
	}
	return false
}

func (p *parser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// found describes what is at p.pos.
func (p *parser) found() string {
	if p.pos >= len(p.text) {
		return "the end of the text"
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	return strconv.QuoteRune(r)
}

func (p *parser) fail(at int, format string, args ...any) error {
	path := strings.TrimPrefix(strings.Join(p.path, ""), ".")
	return &Error{Path: path, Offset: at, Message: fmt.Sprintf(format, args...)}
}

// quoted reads the string that begins at the quotation mark at p.pos.
func (p *parser) quoted() (string, error) {
	p.pos++
	start := p.pos
	var b strings.Builder
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == '"':
			b.WriteString(p.text[start:p.pos])
			p.pos++
			return b.String(), nil
		case c < ' ':
			return "", p.fail(p.pos, "an unescaped control character in a string")
		case c == '\\':
			b.WriteString(p.text[start:p.pos])
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
			start = p.pos
		default:
			p.pos++
		}
	}
	return "", p.fail(p.pos, "the text ends in a string")
}

var escapes = map[byte]rune{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// escape reads the escape that begins at the backslash at p.pos.
func (p *parser) escape() (rune, error) {
	at := p.pos
	p.pos++
	if p.pos >= len(p.text) {
		return 0, p.fail(p.pos, "the text ends in a string")
	}
	c := p.text[p.pos]
	p.pos++
	if r, ok := escapes[c]; ok {
		return r, nil
	}
	r, ok := p.hex4()
	if c != 'u' || !ok {
		return 0, p.fail(at, "an unknown escape in a string")
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if strings.HasPrefix(p.text[p.pos:], `\u`) {
		p.pos += 2
		if low, ok := p.hex4(); ok {
			if pair := utf16.DecodeRune(r, low); pair != unicode.ReplacementChar {
				return pair, nil
			}
		}
	}
	return 0, p.fail(at, "a lone surrogate in a string")
}

func (p *parser) hex4() (rune, bool) {
	digits := p.text[p.pos:min(p.pos+4, len(p.text))]
	r, err := strconv.ParseUint(digits, 16, 16)
	if err != nil || len(digits) < 4 {
		return 0, false
	}
	p.pos += 4
	return rune(r), true
}

// foldRune returns the smallest rune of r's case orbit.
func foldRune(r rune) rune {
	if r < 0x80 {
		return unicode.ToUpper(r)
	}
	for {
		next := unicode.SimpleFold(r)
		if next <= r {
			return next
		}
		r = next
	}
}
