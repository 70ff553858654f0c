// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"go/format"
	"strings"
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
	b.WriteString(")\n\nvar catalog = []Entry{\n")
	for _, p := range c.Problems {
		p.entry(&b)
	}
	b.WriteString("}\n")
	return format.Source(b.Bytes())
}

func (p problem) entry(b *bytes.Buffer) {
	fmt.Fprintf(b, "{\nCode: %s, Area: %q, Status: Status%s, MessageID: %q,\n", p.Name, p.Area, constant(p.Status), p.MessageID)
	fmt.Fprintf(b, "Title: %q,\nCause: %q,\nCheck: %s,\n", p.Title, p.Cause, commands(p.Check))
	var fix []string
	if p.Advice != "" {
		fix = append(fix, fmt.Sprintf("Advice: %q", p.Advice))
	}
	if len(p.Look) > 0 {
		fix = append(fix, "Look: "+commands(p.Look))
	}
	if len(p.Commands) > 0 {
		fix = append(fix, "Commands: "+commands(p.Commands))
	}
	fmt.Fprintf(b, "Fix: Fix{%s},\n},\n", strings.Join(fix, ", "))
}

func commands(list [][]string) string {
	var vectors []string
	for _, argv := range list {
		var words []string
		for _, word := range argv {
			words = append(words, fmt.Sprintf("%q", word))
		}
		vectors = append(vectors, "{"+strings.Join(words, ", ")+"}")
	}
	return "[]Command{" + strings.Join(vectors, ", ") + "}"
}
