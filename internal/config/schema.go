// SPDX-License-Identifier: Apache-2.0

package config

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

func fieldNames(fields []field) []string {
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].name
	}
	return names
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
