// SPDX-License-Identifier: Apache-2.0

package strictjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// parser is a recursive descent over text, which is valid JSON, or its beginning as far
// as that is valid. depth is what is left of the nesting limit, so the recursion is
// bounded.
type parser struct {
	text    string
	pos     int
	depth   int
	path    []string
	invalid string // what is wrong where text ends; "": nothing
}

// newParser has encoding/json check the syntax. The parser then finds the path of an error.
func newParser(data []byte, depth int) *parser {
	p := &parser{text: string(data), depth: depth}
	if json.Valid(data) {
		return p
	}
	// Valid does not say why. NUL is always invalid: if it is what is, data ends too early.
	err := json.Unmarshal(slices.Concat(data, []byte{0}), new(json.RawMessage))
	at := 0
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = max(at, int(e.Offset)-1) // it counts the invalid character, too
	}
	p.text, p.invalid = p.text[:at], fmt.Sprint(err)
	switch r, size := utf8.DecodeRune(data[at:]); {
	case size == 0:
		p.invalid = "unexpected end of JSON input"
	case size > 1: // encoding/json names the first byte
		p.invalid = strings.Replace(p.invalid, fmt.Sprintf("%q", rune(data[at])), fmt.Sprintf("%q", r), 1)
	}
	return p
}

func (p *parser) document() (Value, error) {
	p.skip(" \t\r\n")
	v, err := p.value()
	if err == nil && p.invalid != "" {
		err = p.ended()
	}
	return v, err
}

// value reads the value at p.pos.
func (p *parser) value() (v Value, err error) {
	v.offset = p.pos
	switch c := p.peek(); c {
	case 0:
		return v, p.ended()
	case '{', '[':
		if p.depth <= 0 {
			return v, p.fail(p.pos, "nested too deeply")
		}
		p.depth--
		defer func() { p.depth++ }()
		p.pos++
		if c == '{' {
			v.kind = objectKind
			v.members, err = p.members()
		} else {
			v.kind = listKind
			v.list, err = p.items()
		}
		return v, err
	case '"':
		v.kind = stringKind
		v.text, err = p.quoted()
		return v, err
	case 't', 'f':
		v.kind, v.truth = boolKind, c == 't'
	case 'n':
		v.kind = nullKind
	default:
		v.kind = numberKind
	}
	end := strings.IndexAny(p.text[p.pos:], ",]} \t\r\n")
	switch {
	case end < 0 && p.invalid != "":
		return v, p.ended()
	case end < 0:
		end = len(p.text) - p.pos
	}
	if v.kind == numberKind {
		v.text = p.text[p.pos : p.pos+end]
	}
	p.pos += end
	return v, nil
}

func (p *parser) members() (all []Member, err error) {
	seen := map[string]string{}
	for p.more('}') {
		m := Member{Offset: p.pos}
		if m.Key, err = p.quoted(); err != nil {
			return nil, err
		}
		p.path = append(p.path, "."+m.Key)
		folded := fold(m.Key)
		if other, ok := seen[folded]; ok && other == m.Key {
			return nil, p.fail(m.Offset, "the key occurs twice")
		} else if ok {
			return nil, p.fail(m.Offset, "the key differs from %q only in case", other)
		}
		seen[folded] = m.Key
		p.skip(" \t\r\n:")
		if m.Value, err = p.value(); err != nil {
			return nil, err
		}
		p.path = p.path[:len(p.path)-1]
		all = append(all, m)
	}
	return all, nil
}

func (p *parser) items() (all []Value, err error) {
	for p.more(']') {
		p.path = append(p.path, "["+strconv.Itoa(len(all))+"]")
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		p.path = p.path[:len(p.path)-1]
		all = append(all, v)
	}
	return all, nil
}

// more goes to the next member or item, or past the closing bracket if there is none.
func (p *parser) more(closing byte) bool {
	p.skip(" \t\r\n,")
	if p.peek() == closing {
		p.pos++
		return false
	}
	return true
}

func (p *parser) skip(characters string) {
	for strings.IndexByte(characters, p.peek()) >= 0 {
		p.pos++
	}
}

// peek returns the character at p.pos, 0 at the end: valid JSON has no such character.
func (p *parser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *parser) ended() error { return p.fail(len(p.text), "%s", p.invalid) }

// quoted reads the string at p.pos.
func (p *parser) quoted() (string, error) {
	start := p.pos
	for escaped := true; escaped; {
		next := strings.IndexByte(p.text[min(p.pos+1, len(p.text)):], '"')
		if next < 0 {
			return "", p.ended()
		}
		p.pos += 1 + next
		before := p.text[start:p.pos]
		escaped = (len(before)-len(strings.TrimRight(before, `\`)))%2 == 1
	}
	p.pos++
	raw := p.text[start:p.pos]
	if !strings.Contains(raw, `\`) {
		return raw[1 : len(raw)-1], nil
	}
	var text string
	if err := json.Unmarshal([]byte(raw), &text); err != nil {
		return "", p.fail(start, "%v", err)
	}
	if strings.ContainsRune(text, unicode.ReplacementChar) { // what a lone surrogate becomes
		for _, at := range escape().FindAllStringSubmatchIndex(raw, -1) {
			if at[2] >= 0 {
				return "", p.fail(start+at[2], "a lone surrogate in a string")
			}
		}
	}
	return text, nil
}

// escape matches an escape or a pair of surrogates; the group is a surrogate without
// its other half.
var escape = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)|\\.`)
})

func (p *parser) fail(at int, format string, args ...any) error {
	path := strings.TrimPrefix(strings.Join(p.path, ""), ".")
	return &Error{Path: path, Offset: at, Message: fmt.Sprintf(format, args...)}
}

// foldRune returns the lower case of the smallest rune of r's case orbit. Most keys are
// in lower case, and are then not copied.
func foldRune(r rune) rune {
	if r < 0x80 {
		return unicode.ToLower(r)
	}
	for {
		next := unicode.SimpleFold(r)
		if next <= r {
			return unicode.ToLower(next)
		}
		r = next
	}
}
