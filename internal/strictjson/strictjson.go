// SPDX-License-Identifier: Apache-2.0

// Package strictjson reads one JSON object (RFC 8259) and rejects whatever two
// readers could interpret differently: invalid UTF-8, a byte order mark, a lone
// surrogate, trailing bytes, duplicate keys and keys that differ only in case,
// NaN and numbers out of range. Nothing is converted implicitly: numbers stay
// text until an int or a float is requested, null is never a zero, and every
// error has the path and the byte offset.
//
// It does not map objects to Go structs, and it writes no JSON.
package strictjson

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits bound what Parse accepts. A limit of zero rejects everything, so that
// a forgotten one blocks.
type Limits struct {
	Bytes int // length of the text
	Depth int // nesting of objects and lists; the outermost object has depth 1
}

// Error is one error in a text.
type Error struct {
	Path    string // as in summary.total or errors[3].agent; "" is the object itself
	Offset  int    // bytes from the beginning of the text
	Message string
}

// Error returns path, message and offset on one line.
func (e *Error) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("%s (byte %d)", e.Message, e.Offset)
	}
	return fmt.Sprintf("%s: %s (byte %d)", e.Path, e.Message, e.Offset)
}

// LineColumn converts an offset into a line and a column (in bytes), both
// counted from 1.
func LineColumn(data []byte, offset int) (line, column int) {
	head := data[:min(max(offset, 0), len(data))]
	return bytes.Count(head, []byte{'\n'}) + 1, len(head) - bytes.LastIndexByte(head, '\n')
}

// Parse reads data, which must be one JSON object, with only white space around
// it. The error is always an *Error.
func Parse(data []byte, limits Limits) (Object, error) {
	if len(data) > limits.Bytes {
		return Object{}, &Error{Message: fmt.Sprintf("the text is larger than %d bytes", limits.Bytes), Offset: limits.Bytes}
	}
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		return Object{}, &Error{Message: "a byte order mark before the text"}
	}
	if at := invalidUTF8(data); at >= 0 {
		return Object{}, &Error{Message: "invalid UTF-8", Offset: at}
	}
	v, err := newParser(data, limits.Depth).document()
	if err != nil {
		return Object{}, err
	}
	return v.Object()
}

// invalidUTF8 returns the offset of the first byte that is no UTF-8, or -1.
func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; ; {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
}

// fold maps keys that differ only in case to the same string. It folds as
// encoding/json does, which would match either key.
func fold(key string) string { return strings.Map(foldRune, key) }

type kind int

const (
	noKind kind = iota
	nullKind
	boolKind
	numberKind
	stringKind
	listKind
	objectKind
)

func (k kind) String() string {
	return [...]string{"nothing", "null", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

// Value is one JSON value and its position. No accessor accepts the zero Value.
type Value struct {
	kind    kind
	truth   bool
	text    string // of a string, unescaped; of a number, as it was written
	list    []Value
	members []Member
	path    string
	offset  int
}

// Member is one key of an object and its value.
type Member struct {
	Key    string
	Offset int // of the key
	Value  Value
}

// Object is a JSON object.
type Object struct{ v Value }

// Path returns the path of the value, such as errors[3].agent.
func (v Value) Path() string { return v.path }

// Offset returns the offset of the value, in bytes.
func (v Value) Offset() int { return v.offset }

// Fail returns an error about the value.
func (v Value) Fail(format string, args ...any) error {
	return &Error{Path: v.path, Offset: v.offset, Message: fmt.Sprintf(format, args...)}
}

// IsNull reports whether the value is null.
func (v Value) IsNull() bool { return v.kind == nullKind }

// IsObject reports whether the value is an object.
func (v Value) IsObject() bool { return v.kind == objectKind }

// IsList reports whether the value is a list.
func (v Value) IsList() bool { return v.kind == listKind }

// IsText reports whether the value is a string.
func (v Value) IsText() bool { return v.kind == stringKind }

func (v Value) want(k kind) error {
	if v.kind == k {
		return nil
	}
	return v.Fail("expected %s, found %s", k, v.kind)
}

// Bool returns true or false; anything else is an error.
func (v Value) Bool() (bool, error) { return v.truth, v.want(boolKind) }

// Text returns a string; anything else is an error.
func (v Value) Text() (string, error) {
	if err := v.want(stringKind); err != nil {
		return "", err
	}
	return v.text, nil
}

// Int returns a whole number from low to high. A fraction or an exponent is an
// error even if its value is whole.
func (v Value) Int(low, high int) (int, error) {
	if err := v.want(numberKind); err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(v.text)
	if err != nil || n < low || n > high {
		return 0, v.Fail("expected a whole number from %d to %d, found %s", low, high, clip(v.text))
	}
	return n, nil
}

// Float returns a number that a float64 can hold; 1e999 is an error.
func (v Value) Float() (float64, error) {
	if err := v.want(numberKind); err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(v.text, 64)
	if err != nil {
		return 0, v.Fail("the number %s is out of range", clip(v.text))
	}
	return f, nil
}

// Number returns a number as it was written.
func (v Value) Number() (string, error) {
	if err := v.want(numberKind); err != nil {
		return "", err
	}
	return v.text, nil
}

// List returns the items of a list.
func (v Value) List() ([]Value, error) {
	if err := v.want(listKind); err != nil {
		return nil, err
	}
	items := make([]Value, len(v.list))
	for i, item := range v.list {
		item.path = v.path + "[" + strconv.Itoa(i) + "]"
		items[i] = item
	}
	return items, nil
}

// Object returns the value as an object.
func (v Value) Object() (Object, error) {
	if err := v.want(objectKind); err != nil {
		return Object{}, err
	}
	return Object{v}, nil
}

// Members returns every key and value, in the order of the text.
func (o Object) Members() []Member {
	members := make([]Member, len(o.v.members))
	for i, m := range o.v.members {
		m.Value.path = o.at(m.Key)
		members[i] = m
	}
	return members
}

// Optional returns the value of a key, and whether the object has it. A key
// that differs only in case is an error, since another reader would accept it.
func (o Object) Optional(key string) (Value, bool, error) {
	for _, m := range o.v.members {
		if m.Key == key {
			m.Value.path = o.at(key)
			return m.Value, true, nil
		}
	}
	for _, m := range o.v.members {
		if fold(m.Key) == fold(key) {
			return Value{}, false, &Error{Path: o.at(m.Key), Offset: m.Offset, Message: fmt.Sprintf("the key differs from %q only in case", key)}
		}
	}
	return Value{}, false, nil
}

// Value returns the value of a key that must be there.
func (o Object) Value(key string) (Value, error) {
	v, ok, err := o.Optional(key)
	if err == nil && !ok {
		err = &Error{Path: o.at(key), Offset: o.v.offset, Message: "missing"}
	}
	return v, err
}

// Required returns the converted value of a key that must be there.
func Required[T any](o Object, key string, as func(Value) (T, error)) (T, error) {
	v, err := o.Value(key)
	if err != nil {
		var zero T
		return zero, err
	}
	return as(v)
}

func (o Object) at(key string) string {
	if o.v.path == "" {
		return key
	}
	return o.v.path + "." + key
}

func clip(s string) string {
	if len(s) > 32 {
		return s[:32] + "…"
	}
	return s
}
