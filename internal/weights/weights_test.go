// SPDX-License-Identifier: Apache-2.0

package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tensorsFile is a safetensors file with that header and n bytes of data.
func tensorsFile(header string, n int) string {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return string(out) + header + strings.Repeat("\x01", n)
}

func archive(t testing.TB) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("archive/data.pkl")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write([]byte("weights"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const two = `{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"I8","shape":[3],"data_offsets":[16,19]}}`

func TestWeights_LookIdentifiesAFile(t *testing.T) {
	whole := archive(t)
	lfs := "version https://git-lfs.github.com/spec/v1\noid sha256:4665\nsize 438011\n"
	for _, c := range []struct {
		what, name, data string
		want             Kind
		says             string
	}{
		{"whole", "model.safetensors", tensorsFile(two, 19), Sound, ""},
		{"spaces behind the header", "model.safetensors", tensorsFile(two+"   ", 19), Sound, ""},
		{"no tensors", "model.safetensors", tensorsFile("{}", 0), Sound, ""},
		{"a scalar", "model.safetensors", tensorsFile(`{"a":{"dtype":"F16","shape":[],"data_offsets":[0,2]}}`, 2), Sound, ""},
		{"a type of the future", "model.safetensors", tensorsFile(`{"a":{"dtype":"Q1","shape":[7],"data_offsets":[0,1]}}`, 1), Sound, ""},
		{"one byte short", "model.safetensors", tensorsFile(two, 18), Truncated, "18 bytes of data, the header specifies 19"},
		{"one byte more", "model.safetensors", tensorsFile(two, 20), Overlong, "20 bytes of data"},
		{"cut in the header", "model.safetensors", tensorsFile(two, 0)[:40], Truncated, "the file only 40"},
		{"cut in the length", "model.safetensors", "\x01\x02\x03", Truncated, "3 bytes"},
		{"zeros", "model.safetensors", strings.Repeat("\x00", 64), Header, "not JSON"},
		{"noise", "model.safetensors", strings.Repeat("\xff", 64), Header, "claims"},
		{"header without an end", "model.safetensors", tensorsFile(two[:len(two)-1], 19), Header, "not JSON"},
		{"a list", "model.safetensors", tensorsFile(`[]`, 0), Header, "does not begin with {"},
		{"two objects", "model.safetensors", tensorsFile(`{}{}`, 0), Header, "data after"},
		{"a gap", "model.safetensors", tensorsFile(`{"a":{"dtype":"I8","shape":[2],"data_offsets":[1,3]}}`, 3), Header, "gap"},
		{"an overlap", "model.safetensors", tensorsFile(`{"a":{"dtype":"I8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"I8","shape":[2],"data_offsets":[1,3]}}`, 3), Header, "overlap"},
		{"a shape that does not match", "model.safetensors", tensorsFile(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), Header, `tensor "a": F32 [2] takes 8 bytes`},
		{"a shape beyond all numbers", "model.safetensors", tensorsFile(`{"a":{"dtype":"F32","shape":[9007199254740993,9007199254740993],"data_offsets":[0,4]}}`, 4), Header, "not possible"},
		{"backward offsets", "model.safetensors", tensorsFile(`{"a":{"dtype":"I8","shape":[2],"data_offsets":[4,2]}}`, 4), Header, "data_offsets"},
		{"an empty tensor", "model.safetensors", tensorsFile(`{"a":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"b":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}`, 1), Sound, ""},
		{"a negative shape", "model.safetensors", tensorsFile(`{"a":{"dtype":"I8","shape":[-1,-2],"data_offsets":[0,2]}}`, 2), Header, "not possible"},
		{"a length and nothing else", "model.safetensors", strings.Repeat("\x00", 8), Header, "not JSON"},
		{"the longest header", "model.safetensors", "\x00\xe1\xf5\x05\x00\x00\x00\x00{}", Truncated, "the header has 100000000 bytes"},
		{"a longer header", "model.safetensors", "\x01\xe1\xf5\x05\x00\x00\x00\x00{}", Header, "claims"},
		{"no offsets", "model.safetensors", tensorsFile(`{"a":{}}`, 4), Header, "data_offsets"},

		{"a git-lfs pointer", "model.safetensors", lfs, Pointer, "the content has 438011 bytes"},
		{"a git-lfs pointer for a tokenizer", "tokenizer.json", lfs, Pointer, ""},
		{"a git-lfs pointer of the longest size", "model.safetensors", lfs + strings.Repeat("x", 1024-len(lfs)), Pointer, ""},
		{"text that begins like a git-lfs pointer", "notes.txt", lfs + strings.Repeat("x", 1025-len(lfs)), Opaque, ""},
		{"a git-lfs pointer in a file of no known kind", "spiece.model", lfs, Pointer, ""},
		{"nothing", "model.safetensors", "", Empty, ""},

		{"JSON", "config.json", `{"a": [1, 2]}`, Sound, ""},
		{"Python's JSON", "config.json", `{"a": NaN, "b": -Infinity, "c": "NaN \" Infinity"}`, Sound, ""},
		{"NaN after a backslash", "config.json", `{"a": "\NaN"}`, NotJSON, "escape"},
		{"an HDF5 file", "tf_model.h5", "\x89HDF\r\n\x1a\nrest", Sound, ""},
		{"zeros for HDF5", "tf_model.h5", strings.Repeat("\x00", 16), Header, "begins with 00 00"},
		{"an open brace", "config.json", "{\n\"a\":\n", NotJSON, "line"},
		{"a comment", "config.json", "{\n# a\n}", NotJSON, "line 2"},
		{"a list for settings", "config.json", "[]", NotJSON, "not an object"},
		{"null for settings", "adapter_config.json", " null", NotJSON, "not an object"},
		{"a list of modules", "modules.json", "[]", Sound, ""},
		{"a byte order mark", "config.json", "\ufeff{}", NotJSON, "byte order mark"},
		{"not UTF-8", "config.json", "{\"a\":\"\xff\"}", NotJSON, "UTF-8"},
		{"zeros for JSON", "config.json", strings.Repeat("\x00", 10), NotJSON, ""},
		{"HTML for JSON", "config.json", "<!DOCTYPE html>", NotJSON, "invalid character '<'"},

		{"a torch archive", "pytorch_model.bin", whole, Sound, ""},
		{"a torch archive that was cut", "pytorch_model.bin", whole[:len(whole)-30], Truncated, "no directory at its end"},
		{"a diffusion model that was cut", "diffusion_pytorch_model.bin", whole[:len(whole)-30], Truncated, "no directory at its end"},
		{"a CLIP model of zeros", "open_clip_pytorch_model.bin", "\x00\x00\x00\x00", Header, "neither"},
		{"a torch archive of another name", "model.pt", whole, Sound, ""},
		{"a pickle", "pytorch_model.bin", "\x80\x02rest", Opaque, ""},
		{"zeros for torch", "pytorch_model-00001-of-00002.bin", "\x00\x00\x00\x00", Header, "neither"},
		{"anything", "vocab.txt", "[PAD]\n", Opaque, ""},
		{"a .bin of no known kind", "training_args.bin", "abc", Opaque, ""},
	} {
		got, err := Look(c.name, strings.NewReader(c.data), int64(len(c.data)))
		if err != nil || got.Kind != c.want || !strings.Contains(got.Detail, c.says) {
			t.Errorf("%s: %+v %v, want kind %d", c.what, got, err, c.want)
		}
	}
}

// long is a file that begins with some text and is filled with one byte.
type long struct {
	text string
	fill byte
	size int64
}

func (l long) ReadAt(p []byte, at int64) (int, error) {
	n := int(min(int64(len(p)), l.size-at))
	for i := range p[:n] {
		p[i] = l.fill
	}
	if at < int64(len(l.text)) {
		copy(p[:n], l.text[at:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func TestWeights_LargeFilesAreReadInPart(t *testing.T) {
	const large = maxHeader + 1
	for what, c := range map[string]struct {
		name string
		file long
		want Kind
		says string
	}{
		"a sound GGUF file":           {"m.gguf", long{text: ggufFile(3, nil, []string{ggufTensor(24, 0, 64)}, 64), size: large}, Sound, ""},
		"a GGUF header without end":   {"m.gguf", long{text: "GGUF" + fields(uint32(3), uint64(0), uint64(1), uint64(large)), size: 2 * large}, Header, "more than 100000000 bytes"},
		"a GGUF header that is cut":   {"m.gguf", long{text: "GGUF" + fields(uint32(3), uint64(0), uint64(1), uint64(large)), size: maxHeader}, Truncated, "within its header"},
		"a sound safetensors file":    {"m.safetensors", long{text: tensorsFile(`{"a":{"dtype":"I8","shape":[100000001],"data_offsets":[0,100000001]}}`, 0), size: large + 8 + 69}, Sound, ""},
		"a text that is not examined": {"tokenizer.json", long{text: "{", size: maxJSON + 1}, Opaque, ""},
		"a text that is":              {"tokenizer.json", long{text: "{", fill: ' ', size: maxJSON}, NotJSON, ""},
	} {
		if got, err := Look(c.name, c.file, c.file.size); err != nil || got.Kind != c.want || !strings.Contains(got.Detail, c.says) {
			t.Errorf("%s: %+v %v, want kind %d", what, got, err, c.want)
		}
	}
}

// brokenText reads well up to a byte.
type brokenText struct {
	text string
	upto int64
}

var errDisk = errors.New("input/output error")

func (b brokenText) ReadAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) > b.upto {
		return 0, errDisk
	}
	return copy(p, b.text[at:]), nil
}

func TestWeights_ReadErrorIsNotAFinding(t *testing.T) {
	header := tensorsFile(`{"a":`+strings.Repeat(" ", 1<<20), 0)
	for _, upto := range []int64{0, 1024, 4096} {
		f, err := Look("model.safetensors", brokenText{header, upto}, 2<<20)
		if !errors.Is(err, errDisk) || f.Kind != Unknown {
			t.Errorf("%d: %+v %v", upto, f, err)
		}
	}
}

func TestWeights_IndexNamesItsPartsOnce(t *testing.T) {
	got, err := Parts(strings.NewReader(`{"metadata":{},"weight_map":{"a":"m-2.safetensors","b":"m-1.safetensors","c":"m-2.safetensors"}}`))
	if diff := cmp.Diff([]string{"m-1.safetensors", "m-2.safetensors"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestWeights_IndexWithoutPartsIsInvalid(t *testing.T) {
	for _, text := range []string{"{}", "[]", "null", `{"weight_map":{}}`, `{"weight_map":[]}`, `{"weight_map":{"a":1}}`} {
		if got, err := Parts(strings.NewReader(text)); !errors.Is(err, errNoParts) {
			t.Errorf("%s: %q %v", text, got, err)
		}
	}
}

// FuzzLook asks that no content makes a look panic, hang or take a file for
// sound that is shorter than what its own header promises.
func FuzzLook(f *testing.F) {
	f.Add([]byte(tensorsFile(two, 19)))
	f.Add([]byte(tensorsFile(two, 3)))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Look("model.safetensors", bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if got.Kind == Sound && len(data) > 8 {
			if cut, _ := Look("model.safetensors", bytes.NewReader(data[:len(data)-1]), int64(len(data)-1)); cut.Kind == Sound && data[len(data)-1] != ' ' {
				t.Fatalf("sound with and without its last byte: %q", data)
			}
		}
		if sound, sure := covered(data); sure && sound != (got.Kind == Sound) {
			t.Fatalf("%+v, by the format's description sound is %t: %q", got, sound, data)
		}
	})
}

// covered is a second judge: it paints every byte of the data that a tensor has, and
// a file is sound if each was painted once. It is not sure of what it does not read
// the same way: names that occur twice, and types that only one of the two knows.
func covered(data []byte) (sound, sure bool) {
	if len(data) < 8 {
		return false, true
	}
	n := binary.LittleEndian.Uint64(data)
	if n > uint64(len(data)-8) {
		return false, true
	}
	header, rest := data[8:8+n], data[8+n:]
	var names map[string]json.RawMessage
	if json.Unmarshal(header, &names) != nil || names == nil || !bytes.HasPrefix(bytes.TrimLeft(header, " \t\r\n"), []byte("{")) {
		return false, true
	}
	tensors := len(names)
	if _, has := names["__metadata__"]; has {
		tensors--
	}
	if strings.Count(string(header), "data_offsets") != tensors {
		return false, false
	}
	painted := make([]int, len(rest))
	for name, text := range names {
		if name == "__metadata__" {
			if json.Unmarshal(text, new(map[string]string)) != nil {
				return false, true
			}
			continue
		}
		ok, sure := paint(painted, text)
		if !ok || !sure {
			return false, sure
		}
	}
	return !slices.ContainsFunc(painted, func(times int) bool { return times != 1 }), true
}

func paint(painted []int, text json.RawMessage) (ok, sure bool) {
	var t struct {
		Dtype   string
		Shape   []int64
		Offsets []int64 `json:"data_offsets"`
	}
	if json.Unmarshal(text, &t) != nil || len(t.Offsets) != 2 {
		return false, true
	}
	from, to := t.Offsets[0], t.Offsets[1]
	if from < 0 || from > to || to > int64(len(painted)) {
		return false, true
	}
	width, known := map[string]int64{"F32": 4, "I8": 1, "F16": 2, "I64": 8}[t.Dtype]
	if !known {
		return false, false
	}
	for _, n := range t.Shape {
		if n < 0 || n > 1<<20 || width > 1<<20 {
			return false, false
		}
		width *= n
	}
	for i := from; i < to; i++ {
		painted[i]++
	}
	return width == to-from, true
}

// zip64 is an archive that claims to have n entries, in a record that its locator says
// is at where, or in the right place with -1.
func zip64(t testing.TB, n uint64, where int64) string {
	file := archive(t)
	end := strings.LastIndex(file, "PK\x05\x06")
	if where < 0 {
		where = int64(end)
	}
	record := "PK\x06\x06" + fields(uint64(44), make([]byte, 12), n, n, uint64(1), uint64(0))
	locator := "PK\x06\x07" + fields(uint32(0), where, uint32(1))
	return file[:end] + record + locator + file[end:]
}

// Package zip would allocate as many entries as the end of a file claims.
func TestWeights_ClaimedArchiveEntriesAreNotAllocated(t *testing.T) {
	for _, n := range []uint64{maxArchived + 1, 7_500_000_000, 1 << 62} {
		for what, file := range map[string]string{"no comment": zip64(t, n, -1), "a comment": zip64(t, n, -1) + strings.Repeat("c", 1<<16)} {
			allocated := testing.AllocsPerRun(1, func() {
				f, err := Look("pytorch_model.bin", strings.NewReader(file), int64(len(file)))
				if err != nil || f.Kind != Header || !strings.Contains(f.Detail, "claims") {
					t.Errorf("%d entries, %s: %+v %v", n, what, f, err)
				}
			})
			if allocated > 1000 {
				t.Errorf("%d entries, %s: %.0f allocations", n, what, allocated)
			}
		}
	}
	for what, file := range map[string]string{
		"as many as are read": zip64(t, maxArchived, -1), "no record": zip64(t, 1<<62, 0),
		"a record beyond the end": zip64(t, 1<<62, 1<<40), "a record at the end": zip64(t, 1<<62, int64(len(archive(t))+76-10)),
	} {
		if f, err := Look("pytorch_model.bin", strings.NewReader(file), int64(len(file))); err != nil || strings.Contains(f.Detail, "claims") {
			t.Errorf("%s: %+v %v", what, f, err)
		}
	}
}

func TestWeights_ReadErrorOfAnArchiveIsNotAFinding(t *testing.T) {
	file := archive(t) + strings.Repeat("\x00", 1024)
	f, err := Look("pytorch_model.bin", brokenText{file, 1024}, 1<<20)
	if !errors.Is(err, errDisk) || f.Kind != Unknown {
		t.Errorf("%+v %v", f, err)
	}
}
