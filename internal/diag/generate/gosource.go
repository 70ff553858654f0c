// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"go/format"
)

const head = `// Code generated from catalogue.toml by make generate; DO NOT EDIT.

// SPDX-License-Identifier: Apache-2.0

package diag

`

// goSource returns the constants and the table. The table is made of constants
// alone, so that the linker lays it out and no program builds it when it starts.
func (c catalogue) goSource() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(head)
	b.WriteString("// The codes of all problems.\nconst (\n")
	for _, p := range c.Problems {
		fmt.Fprintf(&b, "%s Code = %q // %s\n", p.Name, p.Code, p.Title)
	}
	b.WriteString(")\n\nvar kinds = []kind{\n")
	for _, p := range c.Problems {
		fmt.Fprintf(&b, "{%s, %q, Status%s, %q},\n", p.Name, p.Area, constant(p.Status), p.MessageID)
	}
	b.WriteString("}\n")
	return format.Source(b.Bytes())
}
