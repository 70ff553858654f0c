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

// Twice is a key that a text defines a second time.
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
	kind       mode
}

// mode is how a path was defined, which decides whether it may be defined
// again.
type mode uint8

const (
	implied  mode = iota // by a longer header: [a] after [a.b] is fine
	dotted               // by a dotted key
	explicit             // by its own header
	repeated             // by [[header]]
	closed               // by key = value
)

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
		m := x.places[b.String()]
		if m == nil {
			x.places[b.String()] = newMark(e, i)
			continue
		}
		free = free || m.kind == repeated
		if i < e.Base || free {
			continue
		}
		if !m.allows(e, i) {
			x.twice = append(x.twice, x.clash(e, i, m))
			return
		}
	}
}

func newMark(e Entry, i int) *mark {
	offset := e.Path[i].Offset
	if i == len(e.Path)-1 {
		return &mark{key: offset, value: e.Value, kind: ownMode(e)}
	}
	return &mark{key: offset, value: offset, kind: parentMode(e, i)}
}

// allows reports whether what m marks may be defined again as part i of e; an
// implied table takes the mode of its own header.
func (m *mark) allows(e Entry, i int) bool {
	if i < len(e.Path)-1 {
		return m.kind != closed
	}
	if e.Kind != Header || m.kind != implied {
		return false
	}
	m.key, m.value, m.kind = e.Path[i].Offset, e.Value, explicit
	return true
}

func (x *Index) clash(e Entry, i int, m *mark) Twice {
	return Twice{
		Path:   lists.Map(e.Path[:i+1], func(p Part) string { return p.Text }),
		First:  x.lines.at(m.key),
		Second: x.lines.at(e.Path[i].Offset),
	}
}

func ownMode(e Entry) mode {
	switch e.Kind {
	case Header:
		return explicit
	case ArrayHeader:
		return repeated
	default:
		return closed
	}
}

func parentMode(e Entry, i int) mode {
	if e.Kind == Header || e.Kind == ArrayHeader || i < e.Base {
		return implied
	}
	return dotted
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

// Twice returns the keys that are defined more than once, in the order of the
// text.
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
