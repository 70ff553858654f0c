// SPDX-License-Identifier: Apache-2.0

// Package tomlpos finds the positions of keys and values in a TOML text, which
// the decoder does not report, and detects what must not be passed to the
// decoder: bytes that are not allowed in TOML, and nesting that would exhaust
// its stack or memory. It decodes no values and does not check the syntax: if a
// text is not TOML, it stops and leaves the error to the decoder.
package tomlpos

import (
	"errors"
	"fmt"
)

// Limits of Walk. The configuration needs half of them; beyond them toml v1.6.0
// overflows its stack (nested arrays, BurntSushi/toml#497) or needs time and
// memory quadratic in the length (dotted keys, #496).
const (
	maxDepth = 16 // arrays and inline tables inside each other
	maxParts = 8  // parts of a dotted key or of a table header
)

// ErrSyntax is returned if the text is not TOML.
var ErrSyntax = errors.New("not TOML")

// DepthError means that a text is nested deeper than maxDepth or maxParts.
type DepthError struct{ Offset int }

func (e DepthError) Error() string { return fmt.Sprintf("nested too deeply at byte %d", e.Offset) }

// Kind is the kind of an Entry.
type Kind uint8

// The kinds of entries.
const (
	Header      Kind = iota // [a.b]
	ArrayHeader             // [[a.b]]
	Scalar                  // key = string, number, boolean, date
	Array                   // key = [ … ]
	Inline                  // key = { … }
	Element                 // one element of an array
)

// Part is one step of a path.
type Part struct {
	Text    string // the key, unquoted; empty for an element of an array
	Element int    // 1 for the first element of an array, 0 for a key
	Offset  int    // position of the step, in bytes from 0
}

// Entry is one thing that Walk found. Path is valid during the call only.
type Entry struct {
	Path    []Part
	Kind    Kind
	Value   int  // offset of the value; of the bracket for a header
	Base    int  // number of parts of Path from the surrounding header, braces or brackets
	InArray bool // inside an element of an array
}

type scanner struct {
	text  string
	pos   int
	path  []Part
	base  int
	depth int // arrays and inline tables around pos
	array int // arrays around pos
	visit func(Entry)
}

// Walk calls visit for every header, key and array element of a TOML text, in
// the order of the text. It returns ErrSyntax, a DepthError or nil; the entries
// before the place of the error have been visited then.
func Walk(text string, visit func(Entry)) error {
	s := &scanner{text: text, path: make([]Part, 0, 8), visit: visit}
	for {
		s.blank()
		if s.pos >= len(s.text) {
			return nil
		}
		if err := s.line(); err != nil {
			return err
		}
		s.space()
		s.comment()
		if !s.newline() && s.pos < len(s.text) {
			return ErrSyntax
		}
	}
}

func (s *scanner) line() error {
	if s.peek() == '[' {
		return s.header()
	}
	s.path = s.path[:s.base]
	return s.pair()
}

func (s *scanner) header() error {
	start := s.pos
	kind := Header
	s.pos++
	if s.peek() == '[' {
		kind = ArrayHeader
		s.pos++
	}
	s.path, s.base = s.path[:0], 0
	if err := s.key(); err != nil {
		return err
	}
	closing := "]"
	if kind == ArrayHeader {
		closing = "]]"
	}
	if !s.accept(closing) {
		return ErrSyntax
	}
	s.visit(Entry{Path: s.path, Kind: kind, Value: start})
	s.base = len(s.path)
	return nil
}

// pair reads key = value; the caller restores s.path.
func (s *scanner) pair() error {
	if err := s.key(); err != nil {
		return err
	}
	if !s.accept("=") {
		return ErrSyntax
	}
	s.space()
	return s.value(false)
}

// key appends the parts of a dotted key to s.path.
func (s *scanner) key() error {
	for n := 1; ; n++ {
		s.space()
		if n > maxParts {
			return DepthError{s.pos}
		}
		offset := s.pos
		text, ok := s.keyPart()
		if !ok {
			return ErrSyntax
		}
		s.path = append(s.path, Part{Text: text, Offset: offset})
		s.space()
		if !s.accept(".") {
			return nil
		}
	}
}

func (s *scanner) keyPart() (string, bool) {
	switch c := s.peek(); c {
	case '"', '\'':
		start := s.pos + 1
		if !s.quoted(c) {
			return "", false
		}
		text := s.text[start : s.pos-1]
		if c == '"' {
			return unescape(text)
		}
		return text, true
	}
	start := s.pos
	for s.pos < len(s.text) && bare(s.text[s.pos]) {
		s.pos++
	}
	return s.text[start:s.pos], s.pos > start
}

func bare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

func (s *scanner) value(element bool) error {
	entry := Entry{Path: s.path, Kind: Scalar, Value: s.pos, Base: s.base, InArray: s.array > 0}
	c := s.peek()
	switch c {
	case '[':
		entry.Kind = Array
	case '{':
		entry.Kind = Inline
	}
	if element {
		entry.Kind = Element
	}
	s.visit(entry)
	switch c {
	case '[', '{':
		return s.nested(c)
	case '"', '\'':
		if !s.str(c) {
			return ErrSyntax
		}
		return nil
	}
	return s.word()
}

func (s *scanner) nested(c byte) error {
	if s.depth++; s.depth > maxDepth {
		return DepthError{s.pos}
	}
	base := s.base
	s.base = len(s.path)
	defer func() { s.depth--; s.base = base }()
	s.pos++
	if c == '{' {
		return s.inline()
	}
	s.array++
	defer func() { s.array-- }()
	return s.elements()
}

func (s *scanner) inline() error {
	length := len(s.path)
	for {
		s.blank()
		if s.accept("}") {
			return nil
		}
		err := s.pair()
		s.path = s.path[:length]
		if err != nil {
			return err
		}
		s.blank()
		if !s.accept(",") && s.peek() != '}' {
			return ErrSyntax
		}
	}
}

func (s *scanner) elements() error {
	length := len(s.path)
	for n := 1; ; n++ {
		s.blank()
		if s.accept("]") {
			return nil
		}
		s.path = append(s.path, Part{Element: n, Offset: s.pos})
		s.base = len(s.path)
		err := s.value(true)
		s.path = s.path[:length]
		if err != nil {
			return err
		}
		s.blank()
		if !s.accept(",") && s.peek() != ']' {
			return ErrSyntax
		}
	}
}

// word skips a number, a boolean or a date, which may hold one space between
// day and time.
func (s *scanner) word() error {
	start := s.pos
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ':
			if !s.betweenDateAndTime(start) {
				return nil
			}
		case '\t', '\r', '\n', ',', ']', '}', '#', '=':
			if s.pos == start {
				return ErrSyntax
			}
			return nil
		}
		s.pos++
	}
	if s.pos == start {
		return ErrSyntax
	}
	return nil
}

func (s *scanner) betweenDateAndTime(start int) bool {
	digit := s.pos+1 < len(s.text) && s.text[s.pos+1] >= '0' && s.text[s.pos+1] <= '9'
	return digit && s.pos-start == len("2006-01-02")
}
