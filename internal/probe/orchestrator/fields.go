// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"iter"

	"justnews/internal/strictjson"
)

// fields reads an object of an answer and the objects in it. It keeps the first error;
// every value after that is zero, so that a reader does not check each of them.
type fields struct {
	strictjson.Object
	err *error
}

// readFields lets a reader take the fields it needs from an object.
func readFields(o strictjson.Object, read func(fields)) error {
	var err error
	read(fields{o, &err})
	return err
}

func (f fields) fail(err error) {
	if *f.err == nil {
		*f.err = err
	}
}

// as converts a value, with the error of finding it.
func as[T any](f fields, v strictjson.Value, err error, convert func(strictjson.Value) (T, error)) T {
	var zero T
	if err == nil && *f.err == nil {
		var converted T
		if converted, err = convert(v); err == nil {
			return converted
		}
	}
	f.fail(err)
	return zero
}

func required[T any](f fields, key string, convert func(strictjson.Value) (T, error)) T {
	v, err := f.Value(key)
	return as(f, v, err, convert)
}

func optional[T any](f fields, key string, convert func(strictjson.Value) (T, error)) (T, bool) {
	v, found, err := f.Optional(key)
	if err == nil && !found {
		var zero T
		return zero, false
	}
	return as(f, v, err, convert), true
}

func (f fields) text(key string) string { return required(f, key, strictjson.Value.Text) }
func (f fields) bool(key string) bool   { return required(f, key, strictjson.Value.Bool) }

func (f fields) object(key string) fields {
	return fields{required(f, key, strictjson.Value.Object), f.err}
}

// members are the members of this object, all of which are objects.
func (f fields) members() iter.Seq2[string, fields] {
	return func(yield func(string, fields) bool) {
		for _, m := range f.Members() {
			if one := (fields{as(f, m.Value, nil, strictjson.Value.Object), f.err}); *f.err != nil || !yield(m.Key, one) {
				return
			}
		}
	}
}

// list are the items of a list, all of which are objects.
func (f fields) list(key string) iter.Seq[fields] {
	return func(yield func(fields) bool) {
		for _, item := range required(f, key, strictjson.Value.List) {
			if one := (fields{as(f, item, nil, strictjson.Value.Object), f.err}); *f.err != nil || !yield(one) {
				return
			}
		}
	}
}

// named is list, with the name that each item has under a key.
func (f fields) named(list, key string) iter.Seq2[string, fields] {
	return func(yield func(string, fields) bool) {
		for one := range f.list(list) {
			if name := one.text(key); *f.err != nil || !yield(name, one) {
				return
			}
		}
	}
}
