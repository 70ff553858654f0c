// SPDX-License-Identifier: Apache-2.0

package config

import "strings"

const commentedHead = `#:schema /usr/share/justnews/justnews.schema.json
#
# The configuration of the JustNews gates. Everything here is commented out and
# shows the default, or an example where there is none: remove the # in front of
# a key and of its [table]. Drop-ins go into /etc/justnews/justnews.toml.d/.
# A whole host, to begin with: /usr/share/doc/justnews/examples/seventeen.toml.
# This file is world-readable: secrets belong in /etc/justnews/*.env.
#
# After a change:  justnews-gate config check && systemctl daemon-reload
`

// Commented returns a configuration file with every key commented out, its
// default or an example as value and a line about it above: the file that the
// package installs as /etc/justnews/justnews.toml.
func Commented() string {
	var b strings.Builder
	b.WriteString(commentedHead)
	for i := range schema {
		f := &schema[i]
		b.WriteString("\n")
		if f.fields == nil {
			commentedField(&b, f)
			continue
		}
		b.WriteString("# " + f.doc + "\n")
		if f.kind == named {
			b.WriteString("#[" + f.name + "." + f.sample + "]\n")
		} else {
			b.WriteString("#[" + f.name + "]\n")
		}
		for j := range f.fields {
			commentedField(&b, &f.fields[j])
		}
	}
	return b.String()
}

func commentedField(b *strings.Builder, f *field) {
	value := f.sample
	if value == "" && f.def != nil {
		value = literal(f.def)
	}
	b.WriteString("# " + f.doc + "\n")
	if value != "" {
		b.WriteString("#" + f.name + " = " + value + "\n")
	}
}
