// SPDX-License-Identifier: Apache-2.0

package strictjson

import (
	"fmt"
	"strconv"
)

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
