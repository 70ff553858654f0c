// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// object is a JSON object whose keys keep their order and may repeat: upstream
// answers in a fixed order, and some misbehaviours need a key twice.
type object []member

type member struct {
	key   string
	value any
}

// raw is text that goes out as it is, valid JSON or not.
type raw string

// at returns the place of a dotted path such as "summary.total": the object
// that holds the key, and the key's index, -1 where it is not there.
func (o *object) at(path string) (*object, int) {
	head, rest, nested := strings.Cut(path, ".")
	i := slices.IndexFunc(*o, func(m member) bool { return m.key == head })
	if !nested || i < 0 {
		return o, i
	}
	inner, ok := (*o)[i].value.(*object)
	if !ok {
		return o, -1
	}
	return inner.at(rest)
}

func (o *object) get(path string) any {
	if in, i := o.at(path); i >= 0 {
		return (*in)[i].value
	}
	return nil
}

// set replaces the value at path, or adds the key at the end.
func (o *object) set(path string, value any) {
	in, i := o.at(path)
	if i >= 0 {
		(*in)[i].value = value
		return
	}
	o.add(path, value)
}

// add appends a key, even if it is there already.
func (o *object) add(key string, value any) { *o = append(*o, member{key, value}) }

func (o *object) remove(path string) {
	if in, i := o.at(path); i >= 0 {
		*in = slices.Delete(*in, i, i+1)
	}
}

// appendJSON writes v as Python's json.dumps does with FastAPI's settings: no
// spaces, no HTML escapes, keys in order.
func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case float64:
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	case *float64:
		if v == nil {
			return append(b, "null"...)
		}
		return strconv.AppendFloat(b, *v, 'f', -1, 64)
	case string:
		return appendString(b, v)
	case raw:
		return append(b, v...)
	case []any:
		return appendList(b, v)
	case *object:
		return appendObject(b, *v)
	default: // what the caller sent us and gets back, as decoded by encoding/json
		text, err := json.Marshal(v)
		if err != nil {
			return append(b, "null"...)
		}
		return append(b, text...)
	}
}

func appendString(b []byte, s string) []byte {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string and a strings.Builder cannot fail
	return append(b, strings.TrimSuffix(out.String(), "\n")...)
}

func appendList(b []byte, list []any) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, v)
	}
	return append(b, ']')
}

func appendObject(b []byte, o object) []byte {
	b = append(b, '{')
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, m.key), ':')
		b = appendJSON(b, m.value)
	}
	return append(b, '}')
}
