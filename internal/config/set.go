// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"time"
)

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
