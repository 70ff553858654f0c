// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"time"
)

// kind is how a value is written in TOML.
type kind uint8

const (
	boolean   kind = iota // true, false
	integer               // low to high
	span                  // a time span: a string or an integer of seconds, low to high in seconds
	text                  // a string with a form
	memory                // a string with a form, or a table of such strings by GPU
	list                  // an array of strings with a form
	variables             // a table whose keys and values are strings (environment)
	group                 // a table with fields of its own
	named                 // a table of groups, each under a name that the operator chose
)

// field is one key of the configuration. This table is the one source of
// unknown-key detection, types, ranges, defaults, config show, the JSON Schema,
// the commented file and the manual's list.
type field struct {
	name      string
	kind      kind
	low, high int64    // integer, span
	words     []string // text: the allowed values
	form      *form    // text, and each element of a list; the name of a named group
	def       any      // string, int64, bool, []string; nil: unset
	sample    string   // what the commented file shows if that is not the default, as TOML
	doc       string
	fields    []field // group, named
}

// maxSpan bounds every time span, in seconds: one day. The slowest preload
// takes minutes, so a longer value is probably in milliseconds ("300000") or
// has the wrong unit, and would delay the host for days.
const maxSpan = 24 * 60 * 60

// find returns the field of that name, nil if there is none. The tables are
// short: a scan is faster than a map that has to be built at every start.
func find(fields []field, name string) *field {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	return nil
}

// Table is one table of the configuration, as the manual lists it.
type Table struct {
	Name string // "gate", "probes.NAME"
	Keys []Key
}

// Key is one key of a table.
type Key struct {
	Name    string // "timeout", "mps.threads"
	Default string // as TOML, "" where there is none
	Doc     string
}

// Tables returns every table with its keys, in the order of the manual; the first,
// whose name is "", has the keys outside all tables. A table of an instance with
// the keys of a top-level table is one key.
func Tables() []Table {
	tables := append(make([]Table, 0, len(schema)), Table{})
	for i := range schema {
		f := &schema[i]
		if f.fields == nil {
			tables[0].Keys = append(tables[0].Keys, f.keys()...)
			continue
		}
		t := Table{Name: f.name}
		if f.kind == named {
			t.Name += ".NAME"
		}
		for j := range f.fields {
			t.Keys = append(t.Keys, f.fields[j].keys()...)
		}
		tables = append(tables, t)
	}
	return tables
}

func (f *field) keys() []Key {
	if f.kind == group && f.name == "mps" {
		var keys []Key
		for i := range f.fields {
			k := f.fields[i].keys()[0]
			k.Name = f.name + "." + k.Name
			keys = append(keys, k)
		}
		return keys
	}
	k := Key{Name: f.name, Doc: f.doc}
	if f.def != nil {
		k.Default = literal(f.def)
	}
	return []Key{k}
}

// setter writes decoded values into the types of the configuration, each into the
// field with its key as toml tag.
type setter map[reflect.Type]map[string]int // the fields of a struct by key

func (s setter) field(of reflect.Value, key string) reflect.Value {
	t := of.Type()
	if s[t] == nil {
		s[t] = make(map[string]int, t.NumField())
		for i := range t.NumField() {
			if key := t.Field(i).Tag.Get("toml"); key != "" {
				s[t][key] = i
			}
		}
	}
	if i, ok := s[t][key]; ok {
		return of.Field(i)
	}
	return reflect.Value{}
}

func (s setter) table(to reflect.Value, table map[string]any) {
	for key, v := range table {
		if f := s.field(to, key); f.IsValid() {
			s.value(f, v)
		}
	}
}

func (s setter) defaults(to reflect.Value, fields []field) {
	for i := range fields {
		if fields[i].def != nil {
			s.value(s.field(to, fields[i].name), fields[i].def)
		}
	}
}

// value sets a field to a decoded value or a default. A value of the wrong type,
// which is reported elsewhere, does not change it.
func (s setter) value(field reflect.Value, v any) {
	switch to := field.Addr().Interface().(type) {
	case *bool:
		setAs(to, v)
	case *string:
		setAs(to, v)
	case *int:
		if n, ok := v.(int64); ok {
			*to = int(n)
		}
	case *Memory:
		if m, ok := memoryOf(v); ok {
			*to = m
		}
	case *uint64: // a size; "" is 0: unknown
		if text, ok := v.(string); ok {
			*to, _ = parseSize(text)
		}
	case *time.Duration:
		if d, err := spanOf(v); err == nil {
			*to = d
		}
	case *[]string:
		if items, ok := stringsOf(v); ok {
			*to = items
		}
	case *map[string]string:
		table, _ := v.(map[string]any)
		*to = make(map[string]string, len(table))
		for key, value := range table {
			(*to)[key], _ = value.(string)
		}
	default:
		if table, ok := v.(map[string]any); ok {
			s.table(field, table)
		}
	}
}

func setAs[T any](to *T, v any) {
	if t, ok := v.(T); ok {
		*to = t
	}
}

// stringsOf returns a copy, so that no two instances share an array.
func stringsOf(v any) ([]string, bool) {
	items := []string{}
	switch v := v.(type) {
	case []string:
		return append(items, v...), true
	case []any:
		for _, item := range v {
			if s, ok := item.(string); ok {
				items = append(items, s)
			}
		}
		return items, true
	}
	return nil, false
}
