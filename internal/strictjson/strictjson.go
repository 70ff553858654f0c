// SPDX-License-Identifier: Apache-2.0

// Package strictjson reads one JSON object (RFC 8259) and rejects whatever two
// readers could interpret differently: invalid UTF-8, a byte order mark, a lone
// surrogate, trailing bytes, duplicate keys and keys that differ only in case,
// NaN and numbers out of range. Nothing is converted implicitly: numbers stay
// text until an int or a float is requested, null is never a zero, and every
// error has the path and the byte offset.
//
// It does not map objects to Go structs, and it writes no JSON.
package strictjson

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits bound what Parse accepts. A limit of zero rejects everything, so that
// a forgotten one blocks.
type Limits struct {
	Bytes int // length of the text
	Depth int // nesting of objects and lists; the outermost object has depth 1
}

// Error is one error in a text.
type Error struct {
	Path    string // as in summary.total or errors[3].agent; "" is the object itself
	Offset  int    // bytes from the beginning of the text
	Message string
}

// Error returns path, message and offset on one line.
func (e *Error) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("%s (byte %d)", e.Message, e.Offset)
	}
	return fmt.Sprintf("%s: %s (byte %d)", e.Path, e.Message, e.Offset)
}

// LineColumn converts an offset into a line and a column (in bytes), both
// counted from 1.
func LineColumn(data []byte, offset int) (line, column int) {
	head := data[:min(max(offset, 0), len(data))]
	return bytes.Count(head, []byte{'\n'}) + 1, len(head) - bytes.LastIndexByte(head, '\n')
}

// Parse reads data, which must be one JSON object, with only white space around
// it. The error is always an *Error.
func Parse(data []byte, limits Limits) (Object, error) {
	if len(data) > limits.Bytes {
		return Object{}, &Error{Message: fmt.Sprintf("the text is larger than %d bytes", limits.Bytes), Offset: limits.Bytes}
	}
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		return Object{}, &Error{Message: "a byte order mark before the text"}
	}
	if at := invalidUTF8(data); at >= 0 {
		return Object{}, &Error{Message: "invalid UTF-8", Offset: at}
	}
	p := parser{text: string(data), depth: limits.Depth}
	v, err := p.document()
	if err != nil {
		return Object{}, err
	}
	return v.Object()
}

// invalidUTF8 returns the offset of the first byte that is no UTF-8, or -1.
func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; ; {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
}

// fold maps keys that differ only in case to the same string. It folds as
// encoding/json does, which would match either key.
func fold(key string) string { return strings.Map(foldRune, key) }
