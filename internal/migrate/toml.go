// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"fmt"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/lists"
)

// document is a justnews.toml before it is text.
type document struct {
	head   []string // comment lines
	tables []*table
	tail   []string // comment lines
}

// table is one [name] with its keys, in order.
type table struct {
	name    string
	entries []entry
}

// entry is one key, or with an empty one a line of comment.
type entry struct {
	key, value, comment string
}

func (d *document) table(name string) *table {
	t := &table{name: name}
	d.tables = append(d.tables, t)
	return t
}

// set writes a key whose value is TOML already, and where it came from.
func (t *table) set(key, toml, from string) {
	t.entries = append(t.entries, entry{key, toml, from})
}

// from writes a key whose value is a string.
func (t *table) from(key string, v value) { t.set(key, quoted(v.text), v.at.String()) }

func (t *table) note(format string, args ...any) {
	t.entries = append(t.entries, entry{comment: fmt.Sprintf(format, args...)})
}

// text writes the document. A table without entries is omitted, unless it is that of
// an instance.
func (d *document) text() string {
	var b strings.Builder
	comments(&b, d.head)
	for _, t := range d.tables {
		if len(t.entries) == 0 && !strings.HasPrefix(t.name, "instances.") {
			continue
		}
		fmt.Fprintf(&b, "\n[%s]\n", t.name)
		for _, e := range t.entries {
			switch {
			case e.key == "":
				comments(&b, []string{e.comment})
			case e.comment == "":
				fmt.Fprintf(&b, "%s = %s\n", e.key, e.value)
			default:
				fmt.Fprintf(&b, "%s = %s # %s\n", e.key, e.value, diag.Clean(e.comment))
			}
		}
	}
	b.WriteByte('\n')
	comments(&b, d.tail)
	return b.String()
}

// comments writes lines as comments. Text from a file could contain a line break,
// which is escaped.
func comments(b *strings.Builder, lines []string) {
	for _, line := range lines {
		fmt.Fprintf(b, "# %s\n", diag.Clean(line))
	}
}

// quoted writes a string of the old host, which may not be UTF-8.
func quoted(s string) string { return config.Literal(strings.ToValidUTF8(s, "\ufffd")) }

func list(words []string) string {
	valid := lists.Map(words, func(w string) string { return strings.ToValidUTF8(w, "\ufffd") })
	return config.Literal(valid)
}

// inline writes keys as { a = 1, b = 2 }.
func inline(entries []entry) string {
	out := lists.Map(entries, func(e entry) string { return e.key + " = " + e.value })
	return "{ " + strings.Join(out, ", ") + " }"
}

// origins lists the places that the keys of an inline table were read from, each once.
func origins(entries []entry) string {
	var places []string
	for _, e := range entries {
		if e.comment != "" && !strings.Contains(strings.Join(places, ", ")+",", e.comment+",") {
			places = append(places, e.comment)
		}
	}
	return strings.Join(places, ", ")
}
