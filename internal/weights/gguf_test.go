// SPDX-License-Identifier: Apache-2.0

package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/big"
	"strings"
	"testing"
)

// fields are the bytes of a GGUF file: numbers little-endian, strings with their length.
func fields(values ...any) string {
	var b bytes.Buffer
	for _, v := range values {
		if s, is := v.(string); is {
			v = append(binary.LittleEndian.AppendUint64(nil, uint64(len(s))), s...)
		}
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err) // of a type without a fixed size
		}
	}
	return b.String()
}

// ggufFile is a file of that version with pairs of metadata, tensors and n bytes of data.
func ggufFile(version uint32, pairs, tensors []string, n int) string {
	head := "GGUF" + fields(version, uint64(len(tensors)), uint64(len(pairs))) + strings.Join(pairs, "") + strings.Join(tensors, "")
	return head + strings.Repeat("\x00", (32-len(head)%32)%32) + strings.Repeat("\x01", n)
}

// ggufTensor is the description of a tensor.
func ggufTensor(kind uint32, offset uint64, shape ...uint64) string {
	return fields("t", uint32(len(shape)), shape, kind, offset)
}

var (
	ggufPairs = []string{
		fields("general.architecture", uint32(8), "llama"),
		fields("n", uint32(4), uint32(1)),
		fields("tokens", uint32(9), uint32(8), uint64(2), "a", "bc"),
		fields("scores", uint32(9), uint32(6), uint64(3), float32(0), float32(0), float32(0)),
		fields("nested", uint32(9), uint32(9), uint64(1), uint32(0), uint64(2), uint16(0)),
	}
	ggufTensors = []string{ggufTensor(0, 0, 4, 2), ggufTensor(2, 32, 64), ggufTensor(30, 96)}
)

func TestGGUF_LookFindsEachFault(t *testing.T) {
	whole := ggufFile(3, ggufPairs, ggufTensors, 98)
	one := func(tensor string) string { return ggufFile(3, nil, []string{tensor}, 64) }
	aligned := func(n uint32) string {
		return ggufFile(3, []string{fields("general.alignment", uint32(4), n)}, []string{ggufTensor(0, 64, 1)}, 256)
	}
	for _, c := range []struct {
		what, data string
		want       Kind
		says       string
	}{
		{"whole", whole, Sound, ""},
		{"version 2", ggufFile(2, ggufPairs, ggufTensors, 98), Sound, ""},
		{"no tensors", ggufFile(3, nil, nil, 0)[:24], Sound, ""},
		{"padding after the data", whole + strings.Repeat("\x00", 30), Sound, ""},
		{"a type newer than ours", one(ggufTensor(999, 32, 7)), Sound, ""},
		{"alignment of 64", aligned(64), Sound, ""},
		{"one byte short", whole[:len(whole)-1], Truncated, "the header specifies"},
		{"no data", whole[:len(whole)-98], Truncated, "the header specifies"},
		{"cut in the tensors", whole[:300], Truncated, "within its header"},
		{"cut in the version", whole[:6], Truncated, "within its header"},
		{"a string longer than the file", "GGUF" + fields(uint32(3), uint64(0), uint64(1), uint64(1<<63)), Truncated, "within its header"},
		{"an array longer than the file", "GGUF" + fields(uint32(3), uint64(0), uint64(1), "k", uint32(9), uint32(10), uint64(1<<61)), Truncated, "within its header"},
		{"an unknown type beyond the end", one(ggufTensor(999, 96, 7)), Truncated, "the header specifies"},
		{"another magic number", "GGML" + whole[4:], Header, "begins with 47 47 4d 4c"},
		{"too short for a magic number", "GG", Truncated, ""},
		{"the other byte order", "GGUF\x00\x00\x00\x03" + whole[8:], Header, "byte order"},
		{"version 0", ggufFile(0, nil, nil, 0), Header, "no version"},
		{"version 1", ggufFile(1, nil, nil, 0), Header, "no longer"},
		{"version 4", ggufFile(4, nil, nil, 0), Opaque, "newer than 3"},
		{"metadata of an unknown type", ggufFile(3, []string{fields("k", uint32(13))}, nil, 64), Header, "unknown type"},
		{"arrays in arrays without end", ggufFile(3, []string{fields("k", uint32(9)) + strings.Repeat(fields(uint32(9), uint64(1)), 9)}, nil, 64), Header, "unknown type"},
		{"alignment of 48", aligned(48), Header, "not a power of two"},
		{"alignment of 0", aligned(0), Header, "not a power of two"},
		{"alignment as text", ggufFile(3, []string{fields("general.alignment", uint32(8), "32")}, nil, 64), Header, "not uint32"},
		{"four dimensions", one(ggufTensor(24, 0, 2, 2, 2, 2)), Sound, ""},
		{"arrays in arrays", ggufFile(3, []string{fields("k", uint32(9)) + strings.Repeat(fields(uint32(9), uint64(1)), 3) + fields(uint32(0), uint64(1), uint8(0))}, nil, 64), Sound, ""},
		{"the deepest arrays", ggufFile(3, []string{fields("k", uint32(9)) + strings.Repeat(fields(uint32(9), uint64(1)), 3) + fields(uint32(8), uint64(1), "")}, nil, 64), Sound, ""},
		{"arrays that are deeper", ggufFile(3, []string{fields("k", uint32(9)) + strings.Repeat(fields(uint32(9), uint64(1)), 4) + fields(uint32(8), uint64(1), "")}, nil, 64), Header, "unknown type"},
		{"an array of an unknown type", ggufFile(3, []string{fields("k", uint32(9), uint32(13), uint64(1), uint64(0))}, nil, 64), Header, "unknown type (13)"},
		{"a shape at the limit of all numbers", one(ggufTensor(24, 0, 1<<31, 1<<32)), Header, "not possible"},
		{"a shape just below it", one(ggufTensor(24, 0, 1<<31, 1<<32-1)), Truncated, "the header specifies"},
		{"five dimensions", one(ggufTensor(0, 0, 1, 1, 1, 1, 1)), Header, "5 dimensions"},
		{"an offset between", one(ggufTensor(0, 16, 1)), Header, "not aligned"},
		{"an offset that alignment refuses", aligned(128), Header, "not aligned"},
		{"part of a block", one(ggufTensor(2, 0, 33)), Header, "not whole blocks"},
		{"a shape beyond all numbers", one(ggufTensor(0, 0, 1<<40, 1<<40)), Header, "not possible"},
		{"an offset beyond all numbers", one(ggufTensor(0, 1<<64-32, 64)), Truncated, "the header specifies"},
		{"no data", one(ggufTensor(0, 0, 0)), Sound, ""},
	} {
		got, err := Look("model.GGUF", strings.NewReader(c.data), int64(len(c.data)))
		if err != nil || got.Kind != c.want || !strings.Contains(got.Detail, c.says) {
			t.Errorf("%s: %+v %v, want kind %d", c.what, got, err, c.want)
		}
		if second, sure := readGGUF([]byte(c.data)); sure && second != (c.want == Sound) {
			t.Errorf("%s: the second judge says sound is %t", c.what, second)
		}
	}
}

// A read error is no finding about the content.
func TestGGUF_ReadErrorIsNotAFinding(t *testing.T) {
	header := "GGUF" + fields(uint32(3), uint64(0), uint64(1), uint64(1<<19)) + strings.Repeat("k", 1<<20)
	for _, upto := range []int64{1 << 10, 1 << 16} {
		f, err := Look("m.gguf", brokenText{header, upto}, 2<<20)
		if !errors.Is(err, errDisk) || f.Kind != Unknown {
			t.Errorf("%d: %+v %v", upto, f, err)
		}
	}
}

// FuzzGGUF compares with a second judge.
func FuzzGGUF(f *testing.F) {
	f.Add([]byte(ggufFile(3, ggufPairs, ggufTensors, 98)))
	f.Add([]byte(ggufFile(2, nil, ggufTensors, 98)))
	f.Add([]byte(ggufFile(3, []string{fields("general.alignment", uint32(4), uint32(64))}, []string{ggufTensor(12, 64, 256, 3)}, 500)))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Look("m.gguf", bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if sound, sure := readGGUF(data); sure && sound != (got.Kind == Sound) {
			t.Fatalf("%+v, by the description of the format sound is %t: %q", got, sound, data)
		}
	})
}

// readGGUF is the second judge: it cuts the file into its fields, computes without
// bounds, and takes a field that the file does not have for the end. It is not sure of
// the versions that only one of the two reads.
func readGGUF(data []byte) (sound, sure bool) {
	defer func() {
		if recover() != nil {
			sound, sure = false, true
		}
	}()
	if len(data) == 0 || bytes.HasPrefix(data, []byte("version https://git-lfs")) {
		return false, false
	}
	all := len(data)
	take := func(n uint64) []byte {
		var got []byte
		got, data = data[:n:n], data[n:] // panics at the end
		return got
	}
	u32 := func() uint32 { return binary.LittleEndian.Uint32(take(4)) }
	u64 := func() uint64 { return binary.LittleEndian.Uint64(take(8)) }
	text := func() string { return string(take(u64())) }
	if string(take(4)) != "GGUF" {
		return false, true
	}
	switch u32() {
	case 2, 3:
	default:
		return false, true
	}
	tensors, pairs, alignment, bad := u64(), u64(), uint64(32), false
	var value func(kind uint32, depth int)
	value = func(kind uint32, depth int) {
		switch kind {
		case 0, 1, 7:
			take(1)
		case 2, 3:
			take(2)
		case 4, 5, 6:
			take(4)
		case 10, 11, 12:
			take(8)
		case 8:
			text()
		case 9:
			for element, n := u32(), u64(); n > 0; n-- {
				value(element, depth+1)
			}
		}
		if kind > 12 || depth > 4 {
			panic("invalid")
		}
	}
	for ; pairs > 0; pairs-- {
		if key, kind := text(), u32(); key == "general.alignment" {
			alignment = uint64(u32())
			bad = bad || kind != 4 || alignment == 0 || alignment&(alignment-1) != 0
		} else {
			value(kind, 0)
		}
	}
	if bad {
		return false, true
	}
	need := new(big.Int)
	for ; tensors > 0; tensors-- {
		text()
		dimensions := u32()
		if dimensions > 4 {
			return false, true
		}
		shape := make([]uint64, dimensions)
		elements, impossible := big.NewInt(1), false
		for i := range shape {
			shape[i] = u64()
			elements.Mul(elements, new(big.Int).SetUint64(shape[i]))
			impossible = impossible || elements.BitLen() > 63
		}
		kind, offset := u32(), u64()
		block, known := ggufBlock[kind]
		if offset%alignment != 0 {
			return false, true
		}
		end := new(big.Int).SetUint64(offset)
		if known {
			if len(shape) > 0 && shape[0]%block.elements != 0 || impossible {
				return false, true
			}
			blocks := elements.Add(elements, new(big.Int).SetUint64(block.elements-1))
			blocks.Div(blocks, new(big.Int).SetUint64(block.elements))
			end.Add(end, blocks.Mul(blocks, new(big.Int).SetUint64(block.size)))
		}
		if end.Cmp(need) > 0 {
			need = end
		}
	}
	start := uint64(all - len(data))
	if need.Sign() > 0 {
		start = (start + alignment - 1) / alignment * alignment
	}
	return need.Add(need, new(big.Int).SetUint64(start)).Cmp(big.NewInt(int64(all))) <= 0, true
}
