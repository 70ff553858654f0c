// SPDX-License-Identifier: Apache-2.0

package tomlpos

import (
	"sort"
	"strconv"
	"strings"

	"justnews/internal/lists"
)

// Pos is a line and a column, both counted from 1, the column in bytes. The
// zero value is not a position.
type Pos struct{ Line, Column int }

// Place is the position of a key and of its value. The value of a table defined
// by a header or a dotted key has the position of its key.
type Place struct{ Key, Value Pos }

// Twice is a key that a text defines as a value and a second time, as a value or a table.
type Twice struct {
	Path          []string
	First, Second Pos
}

// Index finds places by path.
type Index struct {
	lines  lines
	places map[string]*mark
	twice  []Twice
}

type mark struct {
	key, value int
	closed     bool // a value: its key may not stand anywhere else
	repeated   bool // [[table]]: each of its elements is separate
}

// New indexes a TOML text. If it is not TOML, the index has what is before the
// error.
func New(text string) *Index {
	x := &Index{lines: newLines(text), places: map[string]*mark{}}
	_ = Walk(text, x.add) // the decoder reports syntax errors
	return x
}

func (x *Index) add(e Entry) {
	var b strings.Builder
	free := e.InArray // each element of an array is separate
	for i, part := range e.Path {
		appendPart(&b, part)
		last := i == len(e.Path)-1
		value := last && e.Kind != Header && e.Kind != ArrayHeader
		m := x.places[b.String()]
		switch {
		case m == nil:
			m = &mark{key: part.Offset, value: part.Offset, closed: value, repeated: last && e.Kind == ArrayHeader}
			if last {
				m.value = e.Value
			}
			x.places[b.String()] = m
		case i >= e.Base && !free && (m.closed || value):
			path := lists.Map(e.Path[:i+1], func(p Part) string { return p.Text })
			x.twice = append(x.twice, Twice{path, x.lines.at(m.key), x.lines.at(part.Offset)})
			return
		case last && e.Kind == Header: // after [a.b], which implies it
			m.key, m.value = part.Offset, e.Value
		}
		free = free || m.repeated
	}
}

// At returns the place of a path. An element of an array is the step "[0]",
// "[1]" and so on.
func (x *Index) At(path ...string) (Place, bool) {
	var b strings.Builder
	for _, step := range path {
		b.WriteByte(0)
		b.WriteString(step)
	}
	m := x.places[b.String()]
	if m == nil {
		return Place{}, false
	}
	return Place{Key: x.lines.at(m.key), Value: x.lines.at(m.value)}, true
}

// Twice returns the values that are defined more than once, in the order of the text. A
// table that is, the decoder reports.
func (x *Index) Twice() []Twice { return x.twice }

// appendPart writes one step of a map key. NUL is not allowed in TOML, so it
// separates steps unambiguously.
func appendPart(b *strings.Builder, p Part) {
	b.WriteByte(0)
	if p.Element > 0 {
		b.WriteString("[" + strconv.Itoa(p.Element-1) + "]")
		return
	}
	b.WriteString(p.Text)
}

// At returns line and column of a byte offset, clamped to the text.
func At(text string, offset int) Pos { return newLines(text).at(offset) }

type lines struct {
	starts []int
	length int
}

func newLines(text string) lines {
	l := lines{starts: []int{0}, length: len(text)}
	for i := range len(text) {
		if text[i] == '\n' {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

func (l lines) at(offset int) Pos {
	offset = max(0, min(offset, l.length))
	line := sort.SearchInts(l.starts, offset+1)
	return Pos{Line: line, Column: offset - l.starts[line-1] + 1}
}
