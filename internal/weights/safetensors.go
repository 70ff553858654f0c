// SPDX-License-Identifier: Apache-2.0

package weights

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// maxHeader is the safetensors format's own limit, in bytes.
const maxHeader = 100_000_000

// elementBits is the size of one element, by the names of the format.
var elementBits = map[string]int64{
	"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
	"U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64,
}

type tensor struct {
	Dtype   string  `json:"dtype"`
	Shape   []int64 `json:"shape"`
	Offsets []int64 `json:"data_offsets"`
}

type extent struct{ from, to int64 }

// safetensors checks a file as its own library does before mapping the data:
// the header is JSON, the length of every tensor matches type and shape, and
// the tensors fill the rest of the file without gaps.
func safetensors(r io.ReaderAt, size int64) (Finding, error) {
	if size < 8 {
		return Finding{Truncated, fmt.Sprintf("%d bytes, too few for a header", size)}, nil
	}
	var length [8]byte
	if _, err := r.ReadAt(length[:], 0); err != nil {
		return Finding{}, err
	}
	claimed := binary.LittleEndian.Uint64(length[:])
	if claimed > maxHeader {
		return Finding{Header, fmt.Sprintf("the header claims to have %d bytes, at most %d are allowed", claimed, maxHeader)}, nil
	}
	n := int64(claimed)
	if n > size-8 {
		return Finding{Truncated, fmt.Sprintf("the header has %d bytes, the file only %d", n, size)}, nil
	}
	header := io.NewSectionReader(r, 8, n)
	extents, err := tensors(header)
	var bad badHeader
	switch {
	case errors.As(err, &bad):
		return Finding{Header, string(bad)}, nil
	case err != nil:
		return Finding{}, err
	}
	return filled(extents, size-8-n), nil
}

// badHeader is an error of the content, not of reading.
type badHeader string

func (b badHeader) Error() string { return string(b) }

// tensors reads the header one tensor at a time, so that only offsets of a
// large header are kept.
func tensors(header io.Reader) ([]extent, error) {
	in := &failing{r: bufio.NewReaderSize(header, 64<<10)}
	d := json.NewDecoder(in)
	fail := func(err error) error { return cmp.Or(in.err, error(badHeader("the header is not JSON: "+err.Error()))) }
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fail(cmp.Or(err, errors.New("it does not begin with {")))
	}
	var extents []extent
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fail(err)
		}
		if name == "__metadata__" {
			var metadata map[string]string
			if err := d.Decode(&metadata); err != nil {
				return nil, fail(err)
			}
			continue
		}
		var t tensor
		if err := d.Decode(&t); err != nil {
			return nil, fail(err)
		}
		if why := t.wrong(); why != "" {
			return nil, badHeader(fmt.Sprintf("tensor %.100q: %s", name, why))
		}
		extents = append(extents, extent{t.Offsets[0], t.Offsets[1]})
	}
	if _, err := d.Token(); err != nil {
		return nil, fail(err)
	}
	rest, err := io.ReadAll(io.MultiReader(d.Buffered(), in))
	if err != nil {
		return nil, err
	}
	if strings.Trim(string(rest), " \t\r\n") != "" {
		return nil, badHeader("there is data after the header's object")
	}
	return extents, nil
}

// wrong checks the consistency of one tensor.
func (t tensor) wrong() string {
	if len(t.Offsets) != 2 || t.Offsets[0] < 0 || t.Offsets[1] < t.Offsets[0] {
		return fmt.Sprintf("data_offsets are %v", t.Offsets)
	}
	width, known := elementBits[t.Dtype]
	if !known {
		return "" // a type newer than this list
	}
	elements := int64(1)
	for _, n := range t.Shape {
		if n < 0 || n > 0 && elements > math.MaxInt64/64/n {
			return fmt.Sprintf("the shape %v is not possible", t.Shape)
		}
		elements *= n
	}
	if want, got := elements*width, (t.Offsets[1]-t.Offsets[0])*8; want != got {
		return fmt.Sprintf("%s %v takes %d bytes, data_offsets give it %d", t.Dtype, t.Shape, want/8, got/8)
	}
	return ""
}

// filled checks that the tensors cover the data without gaps or overlaps.
func filled(extents []extent, data int64) Finding {
	slices.SortFunc(extents, func(a, b extent) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	var at int64
	for _, e := range extents {
		if e.from != at {
			return Finding{Header, fmt.Sprintf("the tensors leave a gap or overlap at byte %d of the data", min(at, e.from))}
		}
		at = e.to
	}
	switch {
	case at > data:
		return Finding{Truncated, fmt.Sprintf("%d bytes of data, the header specifies %d", data, at)}
	case at < data:
		return Finding{Overlong, fmt.Sprintf("%d bytes of data, the header specifies %d", data, at)}
	}
	return Finding{Kind: Sound}
}

// failing records an error of reading, which a decoder would confuse with one
// of the content.
type failing struct {
	r   io.Reader
	err error
}

func (f *failing) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}
