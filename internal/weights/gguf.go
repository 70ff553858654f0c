// SPDX-License-Identifier: Apache-2.0

package weights

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
)

// The key of the metadata that has the alignment of the data, and the types of values
// that are read in their own way.
const (
	ggufAlignment = "general.alignment"
	ggufUint32    = 4
	ggufString    = 8
	ggufArray     = 9
)

// ggufWidth is the size of a metadata value, in bytes, by its type; 0 if it varies.
var ggufWidth = [...]uint64{1, 1, 2, 2, 4, 4, 4, 1, ggufString: 0, ggufArray: 0, 8, 8, 8}

// ggufBlock is the number of elements in one block of a tensor type and its size in
// bytes (GGML_QUANT_SIZES in ggml's gguf-py).
var ggufBlock = map[uint32]struct{ elements, size uint64 }{
	0: {1, 4}, 1: {1, 2}, 2: {32, 18}, 3: {32, 20}, 6: {32, 22}, 7: {32, 24}, 8: {32, 34},
	10: {256, 84}, 11: {256, 110}, 12: {256, 144}, 13: {256, 176}, 14: {256, 210}, 15: {256, 292},
	16: {256, 66}, 17: {256, 74}, 18: {256, 98}, 19: {256, 50}, 20: {32, 18}, 21: {256, 110},
	22: {256, 82}, 23: {256, 136}, 24: {1, 1}, 25: {1, 2}, 26: {1, 4}, 27: {1, 8}, 28: {1, 8},
	29: {256, 56}, 30: {1, 2}, 34: {256, 54}, 35: {256, 66}, 39: {32, 17}, 40: {64, 36}, 41: {128, 18},
}

// gguf checks a file as llama.cpp and Ollama do before they map the data (docs/gguf.md
// of ggml): a version that they read, valid metadata, and every tensor within the file.
func gguf(r io.ReaderAt, size int64) (Finding, error) {
	source := &failing{r: io.NewSectionReader(r, 0, min(size, maxHeader))}
	h := &ggufHeader{in: bufio.NewReaderSize(source, 64<<10), alignment: 32}
	end, err := h.read()
	var bad badHeader
	switch {
	case source.err != nil:
		return Finding{}, source.err
	case errors.As(err, &bad):
		return Finding{Header, string(bad)}, nil
	case errors.Is(err, errFuture):
		return Finding{Opaque, err.Error()}, nil
	case err != nil && size > maxHeader:
		return Finding{Header, fmt.Sprintf("the header has more than %d bytes", maxHeader)}, nil
	case err != nil: // io.EOF
		return Finding{Truncated, fmt.Sprintf("the file ends after %d bytes, within its header", size)}, nil //nolint:nilerr // the content is at fault, not reading
	case end > uint64(size): //nolint:gosec // a size is not negative
		return Finding{Truncated, fmt.Sprintf("%d bytes, the header specifies %d", size, end)}, nil
	}
	return Finding{Kind: Sound}, nil
}

var errFuture = errors.New("a version of GGUF newer than 3")

// ggufHeader reads what precedes the data, without keeping it.
type ggufHeader struct {
	in        *bufio.Reader
	at        uint64 // bytes read
	alignment uint64 // of the data and of each tensor, in bytes
}

// read returns where the last tensor ends, in bytes from the start of the file.
func (h *ggufHeader) read() (uint64, error) {
	var magic [4]byte
	if err := h.value(&magic); err != nil {
		return 0, err
	}
	if string(magic[:]) != "GGUF" {
		return 0, badHeader(fmt.Sprintf("begins with % x, not with % x", magic, "GGUF"))
	}
	var version uint32
	if err := h.value(&version); err != nil {
		return 0, err
	}
	switch {
	case version&math.MaxUint16 == 0:
		return 0, badHeader("its byte order is not this machine's, or it has no version")
	case version == 1:
		return 0, badHeader("version 1, which llama.cpp no longer reads")
	case version > 3:
		return 0, errFuture
	}
	var tensors, pairs uint64
	if err := errors.Join(h.value(&tensors), h.value(&pairs)); err != nil {
		return 0, err
	}
	for range pairs {
		if err := h.pair(); err != nil {
			return 0, err
		}
	}
	var last uint64 // where the tensors end within the data
	for range tensors {
		end, err := h.tensor()
		if err != nil {
			return 0, err
		}
		last = max(last, end)
	}
	if last == 0 { // nothing follows, so nothing has to be aligned
		return h.at, nil
	}
	return sum(sum(h.at, h.alignment-1)/h.alignment*h.alignment, last), nil
}

// pair reads one key of the metadata and its value.
func (h *ggufHeader) pair() error {
	key, err := h.text()
	if err != nil {
		return err
	}
	var kind uint32
	if err := h.value(&kind); err != nil {
		return err
	}
	if key != ggufAlignment {
		return h.skip(key, kind, 0)
	}
	var alignment uint32
	if kind != ggufUint32 {
		return badHeader(fmt.Sprintf("%s has type %d, not uint32", key, kind))
	}
	if err := h.value(&alignment); err != nil {
		return err
	}
	if bits.OnesCount32(alignment) != 1 {
		return badHeader(fmt.Sprintf("%s is %d, not a power of two", key, alignment))
	}
	h.alignment = uint64(alignment)
	return nil
}

// skip reads a value of the metadata without keeping it. Arrays may contain arrays.
func (h *ggufHeader) skip(key string, kind uint32, depth int) error {
	switch {
	case kind >= uint32(len(ggufWidth)) || depth > 4:
		return badHeader(fmt.Sprintf("%.100q has an unknown type (%d)", key, kind))
	case kind == ggufString:
		_, err := h.text()
		return err
	case kind != ggufArray:
		return h.discard(ggufWidth[kind])
	}
	var element uint32
	var n uint64
	if err := errors.Join(h.value(&element), h.value(&n)); err != nil {
		return err
	}
	if element < uint32(len(ggufWidth)) && ggufWidth[element] > 0 {
		if n > maxHeader {
			return io.EOF
		}
		return h.discard(n * ggufWidth[element])
	}
	for range n {
		if err := h.skip(key, element, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// tensor reads the description of one tensor and returns where it ends within the data.
func (h *ggufHeader) tensor() (uint64, error) {
	name, err := h.text()
	if err != nil {
		return 0, err
	}
	var dimensions uint32
	if err := h.value(&dimensions); err != nil {
		return 0, err
	}
	if dimensions > 4 { // GGML_MAX_DIMS
		return 0, badHeader(fmt.Sprintf("tensor %.100q has %d dimensions", name, dimensions))
	}
	shape := make([]uint64, dimensions)
	var kind uint32
	var offset uint64
	if err := errors.Join(h.value(shape), h.value(&kind), h.value(&offset)); err != nil {
		return 0, err
	}
	if offset%h.alignment != 0 {
		return 0, badHeader(fmt.Sprintf("tensor %.100q is at %d, which is not aligned to %d bytes", name, offset, h.alignment))
	}
	block, known := ggufBlock[kind]
	if !known {
		return offset, nil // a type newer than this list
	}
	elements := uint64(1)
	for _, n := range shape {
		high, low := bits.Mul64(elements, n)
		if high > 0 || low > math.MaxInt64 {
			return 0, badHeader(fmt.Sprintf("tensor %.100q: the shape %d is not possible", name, shape))
		}
		elements = low
	}
	if dimensions > 0 && shape[0]%block.elements != 0 {
		return 0, badHeader(fmt.Sprintf("tensor %.100q: %d elements are not whole blocks of %d", name, shape[0], block.elements))
	}
	high, length := bits.Mul64((elements+block.elements-1)/block.elements, block.size)
	if high > 0 {
		length = math.MaxUint64
	}
	return sum(offset, length), nil
}

// sum is a+b, or the largest number if that is larger.
func sum(a, b uint64) uint64 {
	if s, carry := bits.Add64(a, b, 0); carry == 0 {
		return s
	}
	return math.MaxUint64
}

func (h *ggufHeader) value(to any) error {
	if err := binary.Read(h.in, binary.LittleEndian, to); err != nil {
		return io.EOF
	}
	h.at += uint64(binary.Size(to)) //nolint:gosec // of a type with a fixed size
	return nil
}

// text reads a string and returns its beginning.
func (h *ggufHeader) text() (string, error) {
	var n uint64
	if err := h.value(&n); err != nil {
		return "", err
	}
	begin := make([]byte, min(n, 256))
	if err := h.value(begin); err != nil {
		return "", err
	}
	return string(begin), h.discard(n - uint64(len(begin)))
}

func (h *ggufHeader) discard(n uint64) error {
	if n > maxHeader {
		return io.EOF
	}
	if _, err := h.in.Discard(int(n)); err != nil {
		return io.EOF
	}
	h.at += n
	return nil
}
