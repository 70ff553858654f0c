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
