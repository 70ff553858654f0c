// SPDX-License-Identifier: Apache-2.0

package config

import (
	"strings"

	"justnews/internal/diag"
	"justnews/internal/spell"
)

// unknown reports an unknown key, with the nearest known one or the table where
// it belongs.
func (c *checker) unknown(fields []field, name string, value any) {
	above := c.path[:len(c.path)-1]
	table := "at the top level"
	if len(above) > 0 {
		table = "in [" + dotted(above) + "]"
	}
	names := fieldNames(fields)
	message, fix := "unknown key "+quote(name)+" "+table, "remove it"
	near, isNear := spell.Nearest(name, names)
	home := homeOf(above, fields, name)
	if _, isTable := value.(map[string]any); isTable && isNear {
		home = "" // [instance.scout] is a misspelt [instances.scout], not the instance of [bus]
	}
	switch {
	case home != "":
		message += ", it belongs in " + home
		fix = "move it to " + home
	case isNear:
		message += ", did you mean " + quote(near) + "?"
		fix = "write " + bareOrQuoted(near) + " instead of " + bareOrQuoted(name)
	}
	c.report(diag.ConfigUnknownKey, atKey, message, quote(name), "one of "+strings.Join(names, ", "), fix)
}

// homeOf finds the table that has a key of exactly that name: below the current
// table first ([instances.scout] timeout belongs in its gate), then anywhere.
func homeOf(above []string, fields []field, name string) string {
	for i := range fields {
		if fields[i].kind == group && find(fields[i].fields, name) != nil {
			return "[" + dotted(append(append([]string{}, above...), fields[i].name)) + "]"
		}
	}
	for i := range schema {
		if schema[i].kind == group && find(schema[i].fields, name) != nil {
			return "[" + schema[i].name + "]"
		}
	}
	if find(schema, name) != nil && find(schema, name).fields == nil {
		return "the lines before the first table"
	}
	if find(instanceFields, name) != nil {
		return "[instances.NAME]"
	}
	return ""
}
