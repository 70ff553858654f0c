// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"justnews/internal/diag"
	"justnews/internal/tomlpos"
)

// maxBytes and maxSyntax bound how many bad bytes and syntax errors are
// reported per file: a binary file may have a million.
const (
	maxBytes  = 20
	maxSyntax = 10
)

type document struct {
	path  string
	text  string // without a byte order mark; lines with syntax errors blanked
	data  map[string]any
	holes bool           // a line was blanked
	dirty map[int]bool   // lines with bytes that were replaced
	index *tomlpos.Index // built at the first problem
}

// at returns the place of a path, or of the nearest table above it if the path
// itself is not written.
func (d *document) at(path []string) tomlpos.Place {
	if d.index == nil {
		d.index = tomlpos.New(d.text)
	}
	for n := len(path); n > 0; n-- {
		if place, ok := d.index.At(path[:n]...); ok {
			return place
		}
	}
	return tomlpos.Place{}
}

// decode reads one file. The document is nil if what remains after the errors
// cannot be checked.
func decode(f file) (*document, []diag.Problem) {
	d := &document{path: f.path, text: f.text}
	if p := d.notText(f); p != nil {
		return nil, []diag.Problem{*p}
	}
	problems := d.badBytes()
	values, tables, err := countValues(d.text)
	if deep, ok := errors.AsType[tomlpos.DepthError](err); ok {
		return nil, append(problems, d.syntax(deep.Offset, "nested too deeply"))
	}
	syntax, ok := d.parse()
	d.holes = len(syntax) > 0
	problems = append(problems, slices.DeleteFunc(syntax, func(p diag.Problem) bool {
		return slices.ContainsFunc(problems, func(bad diag.Problem) bool { return *bad.Position == *p.Position })
	})...)
	if !ok {
		return nil, problems
	}
	if !d.holes && !tables && values != valuesOf(d.data) {
		problems = append(problems, d.twice()...)
	}
	return d, problems
}

// badBytes reports the bytes that TOML forbids and replaces them by question
// marks, so that the rest of the file can be checked and the decoder never sees
// them (earlier versions of toml panicked or hung on such input).
func (d *document) badBytes() []diag.Problem {
	bad := tomlpos.BadBytes(d.text, len(d.text))
	if len(bad) == 0 {
		return nil
	}
	var problems []diag.Problem
	clean := []byte(d.text)
	d.dirty = map[int]bool{}
	for i, b := range bad {
		if i < maxBytes {
			d.dirty[tomlpos.At(d.text, b.Offset).Line] = true
		}
		clean[b.Offset] = '?'
		if i < maxBytes {
			problems = append(problems, d.badByte(b))
		}
	}
	d.text = string(clean)
	return problems
}

func (d *document) badByte(b tomlpos.Bad) diag.Problem {
	p := d.syntax(b.Offset, fmt.Sprintf("the byte 0x%02x is not UTF-8", b.Byte))
	p.Expected = "UTF-8 without control characters"
	if b.Control {
		p.Message = fmt.Sprintf("the control character 0x%02x is not allowed here", b.Byte)
	}
	p.Code, p.Seen = diag.ConfigString, fmt.Sprintf("0x%02x", b.Byte)
	p.Fix = diag.Advise("save the file as UTF-8", diag.Reload())
	if b.Control {
		p.Fix.Advice = "remove the byte"
	}
	if b.Byte == '\r' {
		p.Fix = diag.Advise("end the line with a line feed", diag.Reload())
	}
	return p
}

// notText reports a file whose bytes are not worth reporting one by one.
func (d *document) notText(f file) *diag.Problem {
	if encoding := utf16(d.text); encoding != "" {
		p := d.syntax(0, "the file is UTF-16, not UTF-8")
		p.Expected = "UTF-8"
		p.Fix = diag.Advise("replace it with the output of this", diag.Reload()).Looking(diag.Run("iconv", "--from-code="+encoding, "--to-code=UTF-8", "--", f.shown))
		return &p
	}
	if strings.HasPrefix(d.text, "\ufeff") { // one has been removed
		p := d.syntax(0, "the file begins with two byte order marks")
		p.Fix = diag.Advise("remove them", diag.Reload())
		return &p
	}
	if n := strings.Count(d.text, "\x00"); n > maxBytes {
		p := d.syntax(strings.IndexByte(d.text, 0), fmt.Sprintf("the file is not text: it has %d NUL bytes, as after a crash while it was written", n))
		p.Expected = "UTF-8 without control characters"
		p.Fix = diag.Advise("write it again, or restore it from a backup", diag.Reload())
		return &p
	}
	return nil
}

// utf16 returns iconv's name of the kind of UTF-16 that a text is in, "" for none. A
// TOML file begins with an ASCII character, or a byte order mark.
func utf16(text string) string {
	switch {
	case strings.HasPrefix(text, "\xff\xfe"), strings.HasPrefix(text, "\xfe\xff"):
		return "UTF-16"
	case len(text) < 2, text[0] == text[1]:
		return ""
	case text[0] == 0:
		return "UTF-16BE"
	case text[1] == 0:
		return "UTF-16LE"
	}
	return ""
}

// parse decodes the text. A line with a syntax error is blanked and the rest is
// parsed again, so that one error does not hide the others. If that does not
// help, ok is false: the rest has a different meaning.
func (d *document) parse() (problems []diag.Problem, ok bool) {
	text, last := d.text, 0
	for range maxSyntax {
		data, offset, message := decodeTOML(text)
		if message == "" {
			d.data, d.text = data, text
			return problems, true
		}
		line := tomlpos.At(text, offset).Line
		if last > 0 && line <= last+1 {
			return problems, false
		}
		problems = append(problems, d.syntax(offset, message))
		start, end := lineOf(text, line)
		if strings.HasPrefix(strings.TrimLeft(text[start:end], " \t\u00a0\u200b\ufeff"), "[") {
			return problems, false // the keys below would land in another table
		}
		text = text[:start] + strings.Repeat(" ", end-start) + text[end:]
		last = line
	}
	return problems, false
}

func lineOf(text string, line int) (start, end int) {
	for range line - 1 {
		start += strings.IndexByte(text[start:], '\n') + 1
	}
	end = strings.IndexByte(text[start:], '\n')
	if end < 0 {
		return start, len(text)
	}
	return start, start + end
}

// decodeTOML calls the library and turns its panics into errors: the gate must
// refuse with a reason, not with a stack trace.
func decodeTOML(text string) (data map[string]any, offset int, message string) {
	defer func() {
		if r := recover(); r != nil {
			data, offset, message = nil, 0, diag.Clean(fmt.Sprint("the decoder failed: ", r))
		}
	}()
	_, err := toml.Decode(text, &data)
	if err == nil {
		return data, 0, ""
	}
	if pe, ok := errors.AsType[toml.ParseError](err); ok {
		return nil, pe.Position.Start, sentence(pe.Message)
	}
	return nil, 0, sentence(err.Error())
}

// sentence adapts a library's message to our style: lowercase, one line.
func sentence(s string) string {
	s = strings.TrimRight(strings.TrimPrefix(s, "toml: "), ".\n")
	if s == "" {
		return "not TOML"
	}
	return diag.Clean(strings.ToLower(s[:1]) + s[1:])
}

func (d *document) syntax(offset int, message string) diag.Problem {
	return d.syntaxAt(tomlpos.At(d.text, offset), message, "TOML (https://toml.io)", "correct the line")
}

func (d *document) syntaxAt(pos tomlpos.Pos, message, expected, fix string) diag.Problem {
	return diag.Found(diag.ConfigSyntax, "", message, "", expected, diag.Advise(fix, diag.Reload())).At(d.path, pos.Line, pos.Column)
}

// countValues counts the values of a text independently, -1 if they cannot be counted. toml
// v1.6.0 silently drops a value if a later line makes its key a table, or the other way
// round; such a value would appear to be set. Tables reports whether there are [[tables]],
// which are counted differently; they are a type error anyway.
func countValues(text string) (n int, tables bool, err error) {
	err = tomlpos.Walk(text, func(e tomlpos.Entry) {
		switch {
		case e.Kind == tomlpos.ArrayHeader:
			tables = true
		case !e.InArray && (e.Kind == tomlpos.Scalar || e.Kind == tomlpos.Array):
			n++
		}
	})
	if err != nil {
		n = -1
	}
	return n, tables, err
}

func valuesOf(data map[string]any) int {
	n := 0
	for _, v := range data {
		if m, ok := v.(map[string]any); ok {
			n += valuesOf(m)
		} else {
			n++
		}
	}
	return n
}

// twice reports the values that the text defines more than once.
func (d *document) twice() []diag.Problem {
	d.at(nil)
	var problems []diag.Problem
	for _, t := range d.index.Twice() {
		problems = append(problems, d.syntaxAt(t.Second, fmt.Sprintf("%s has already been defined in line %d", dotted(t.Path), t.First.Line),
			"each key once", "remove one of the two"))
	}
	if problems == nil {
		p := d.syntax(0, "the file is ambiguous")
		p.Fix = diag.Advise("write each table once, under its own header", diag.Reload())
		problems = append(problems, p)
	}
	return problems
}
