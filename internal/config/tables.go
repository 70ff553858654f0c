// SPDX-License-Identifier: Apache-2.0

package config

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
