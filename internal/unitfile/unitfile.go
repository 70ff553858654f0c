// SPDX-License-Identifier: Apache-2.0

// Package unitfile is the only package that writes text for systemd. A Line is
// made by a constructor that knows how systemd reads that kind of setting;
// Append writes it so that systemd reads back exactly the given strings, or
// refuses with the offset of the byte that cannot be written. Verify is the
// reverse: it reads the finished text by systemd's rules and compares it with
// what was intended.
//
// The package opens no file and knows no setting of the product.
package unitfile

import (
	"errors"
	"fmt"
)

// File is a unit file or a drop-in before it is rendered.
type File struct {
	Comment  []string // one line each, written after "# "
	Sections []Section
}

// Section is one [Name] with its lines, in order.
type Section struct {
	Name  string
	Lines []Line
}

// Line is one setting. The zero value is refused.
type Line struct {
	key, value string
	mark       string   // "-" before a path, or the name of a variable
	argv       []string // of a command line only
	form       form
}

// Key returns the name of the setting, without the equals sign.
func (l Line) Key() string { return l.key }

// Args returns what systemd is to read, unquoted: the words of a command line,
// NAME=value of a variable, otherwise one string.
func (l Line) Args() []string {
	switch l.form {
	case formCommandLine:
		return l.argv
	case formAssignment:
		return []string{l.mark + "=" + l.value}
	default:
		return []string{l.mark + l.value}
	}
}

// form is how systemd reads a setting, and so how it has to be written.
type form int

const (
	formNone        form = iota
	formReset            // nothing after the equals sign
	formVerbatim         // a constant of this program, specifiers included
	formPlain            // one word of harmless characters
	formSize             // bytes as systemd accepts them: 4G, 50%, infinity
	formUnit             // one unit name
	formPath             // one path, which systemd does not unquote
	formListedPath       // one entry of a list of paths, which systemd unquotes
	formAssignment       // NAME=value of Environment=
	formCommandLine      // a command with its arguments
)

// constant can only be set from outside this package by a string constant,
// never by a string from a file.
type constant string

// Reset clears a list that earlier files started: Key= with nothing after it.
func Reset(key constant) Line { return Line{key: string(key), form: formReset} }

// Verbatim is a constant that systemd is to read literally, including
// specifiers such as %i.
func Verbatim(key, value constant) Line {
	return Line{key: string(key), value: string(value), form: formVerbatim}
}

// Plain is one word of letters, digits and - _ . : / @ + , =, for numbers, time
// spans, booleans, and names of users and groups.
func Plain(key constant, value string) Line {
	return Line{key: string(key), value: value, form: formPlain}
}

// Size is a number of bytes as systemd accepts it: digits with an optional
// fraction and one of K M G T P E, a percentage, or "infinity".
func Size(key constant, value string) Line {
	return Line{key: string(key), value: value, form: formSize}
}

// Unit is one name of a unit, for After=, Wants= and the like.
func Unit(key constant, name string) Line { return Line{key: string(key), value: name, form: formUnit} }

// Path is a setting that takes one absolute path and no quotes, such as
// WorkingDirectory= (load-fragment.c: config_parse_unit_path_printf).
func Path(key constant, path string) Line { return Line{key: string(key), value: path, form: formPath} }

// ListedPath is one entry of a list of absolute paths, such as ReadWritePaths=.
// With optional a missing path is tolerated ("-" before it).
func ListedPath(key constant, path string, optional bool) Line {
	mark := ""
	if optional {
		mark = "-"
	}
	return Line{key: string(key), mark: mark, value: path, form: formListedPath}
}

// Assignment is one variable of Environment=.
func Assignment(name, value string) Line {
	return Line{key: "Environment", mark: name, value: value, form: formAssignment}
}

// CommandLine is a command with its arguments, such as ExecStart=. The command
// is an absolute path; nothing in it or in an argument is expanded.
func CommandLine(key constant, argv []string) Line {
	return Line{key: string(key), argv: argv, form: formCommandLine}
}

// Refusal is why a string cannot be written to a unit file.
type Refusal struct {
	Offset int // of the byte in the string, from 0
	Reason string
}

func (r *Refusal) Error() string { return fmt.Sprintf("byte %d: %s", r.Offset, r.Reason) }

// Append writes the file to dst. The error names the setting and wraps a
// *Refusal; what was appended before must not be used.
func (f *File) Append(dst []byte) ([]byte, error) {
	for _, c := range f.Comment {
		if r := refuseText(c); r != nil {
			return dst, fmt.Errorf("cannot write a comment: %w", r)
		}
		dst = append(append(append(dst, "# "...), c...), '\n')
	}
	for i, s := range f.Sections {
		if i > 0 || len(f.Comment) > 0 {
			dst = append(dst, '\n')
		}
		dst = append(append(append(dst, '['), s.Name...), "]\n"...)
		for _, l := range s.Lines {
			var err error
			if dst, err = l.append(dst); err != nil {
				return dst, fmt.Errorf("cannot write %s=: %w", l.key, err)
			}
		}
	}
	return dst, nil
}

// maxLine is the longest line, its end included, that systemd reads
// (LONG_LINE_MAX of fileio.h, 1 MiB); a longer line makes it drop the whole
// file.
const maxLine = 1 << 20

const notUTF8 = "not UTF-8 as systemd accepts it"

var errHeader = errors.New("an unterminated section header")

var errTooLong = errors.New("the line would be longer than the 1 MiB that systemd reads")

func (l Line) append(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = append(append(dst, l.key...), '=')
	dst, err := l.appendValue(dst)
	if err != nil {
		return dst, err
	}
	dst = append(dst, '\n')
	if len(dst)-start > maxLine {
		return dst, errTooLong
	}
	return dst, nil
}

func (l Line) appendValue(dst []byte) ([]byte, error) {
	switch l.form {
	case formReset:
		return dst, nil
	case formVerbatim:
		return append(dst, l.value...), nil
	case formPlain:
		return appendChecked(dst, l.value, refusePlain)
	case formSize:
		return appendChecked(dst, l.value, refuseSize)
	case formUnit:
		return appendChecked(dst, l.value, refuseUnit)
	case formPath:
		return appendPath(dst, l.value)
	case formListedPath:
		return appendListedPath(dst, l.mark, l.value)
	case formAssignment:
		return appendAssignment(dst, l.mark, l.value)
	case formCommandLine:
		return appendCommandLine(dst, l.argv)
	default:
		return dst, errors.New("a setting without a form")
	}
}

func appendChecked(dst []byte, s string, refuse func(string) *Refusal) ([]byte, error) {
	if r := refuse(s); r != nil {
		return dst, r
	}
	return append(dst, s...), nil
}
