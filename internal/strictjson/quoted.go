// SPDX-License-Identifier: Apache-2.0

package strictjson

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

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
