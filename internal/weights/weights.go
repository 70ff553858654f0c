// SPDX-License-Identifier: Apache-2.0

// Package weights inspects the files of a model without loading it: whether a
// file contains weights and is not a git-lfs pointer, whether its header is
// valid and matches its length, whether a .json file is JSON. It reads headers
// and ends, not weights; only a checksum can verify the content.
package weights

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
)

// Kind is the result of inspecting a file. The zero value means not inspected.
type Kind byte

// The kinds.
const (
	Unknown   Kind = iota
	Sound          // what can be checked is correct
	Opaque         // nothing about this format can be checked
	Empty          // no bytes at all
	Pointer        // a git-lfs pointer: the content was never fetched
	Header         // the header is invalid
	Truncated      // shorter than its header or its end states
	Overlong       // longer than its header states
	NotJSON        // the text is not JSON
)

// Finding is the result of inspecting a file.
type Finding struct {
	Kind   Kind
	Detail string // evidence for a person
}

// Look inspects a file. Its name decides what is expected; it only returns
// errors of reading.
func Look(name string, r io.ReaderAt, size int64) (Finding, error) {
	if size == 0 {
		return Finding{Kind: Empty}, nil
	}
	head := make([]byte, min(size, 1024))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return Finding{}, err
	}
	if f, ok := pointer(head, size); ok {
		return f, nil
	}
	name = strings.ToLower(path.Base(name))
	switch ext := path.Ext(name); {
	case ext == ".safetensors":
		return safetensors(r, size)
	case ext == ".json":
		return jsonText(name, r, size)
	case ext == ".gguf":
		return gguf(r, size)
	case ext == ".h5":
		return magic(head, "\x89HDF\r\n\x1a\n"), nil
	case IsTorch(name):
		return torch(head, r, size)
	}
	return Finding{Kind: Opaque}, nil
}

// IsTorch reports whether a name is that of weights as torch.save writes them.
func IsTorch(name string) bool {
	switch path.Ext(name) {
	case ".pt", ".pth", ".ckpt":
		return true
	case ".bin":
		return strings.Contains(name, "pytorch_model") || strings.HasPrefix(name, "adapter_model") // diffusion_pytorch_model.bin
	}
	return false
}

// IsWeights reports whether a file with that name contains weights of a model.
func IsWeights(name string) bool {
	name = strings.ToLower(path.Base(name))
	switch path.Ext(name) {
	case ".safetensors", ".gguf", ".ggml", ".h5", ".onnx", ".msgpack", ".pt", ".pth", ".ckpt", ".npz", ".tflite", ".pb", ".ot":
		return true
	case ".bin":
		return !strings.Contains(name, "args") && !strings.Contains(name, "vocab")
	}
	return name == "model" || name == "weights" // spaCy
}

// pointer recognizes what git checks out if git-lfs did not fetch the content.
func pointer(head []byte, size int64) (Finding, bool) {
	const first = "version https://git-lfs.github.com/spec/v1\n"
	if size > 1024 || !bytes.HasPrefix(head, []byte(first)) {
		return Finding{}, false
	}
	detail := ""
	for line := range strings.Lines(string(head)) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "size "); ok {
			detail = "the content has " + n + " bytes"
		}
	}
	return Finding{Pointer, detail}, true
}

func magic(head []byte, want string) Finding {
	if !bytes.HasPrefix(head, []byte(want)) {
		return Finding{Header, fmt.Sprintf("begins with % x, not with % x", head[:min(len(head), len(want))], want)}
	}
	return Finding{Kind: Sound}
}

// maxIndex is the longest index that is read, in bytes.
const maxIndex = 32 << 20

// IsIndex reports whether a file lists the parts of weights.
func IsIndex(name string) bool {
	return strings.HasSuffix(name, ".json") && (strings.Contains(name, ".safetensors.index.") || strings.Contains(name, ".bin.index."))
}

var errNoParts = errors.New("weight_map does not map tensors to files")

// Parts returns the files that an index of weights lists, sorted.
func Parts(r io.Reader) ([]string, error) {
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	err := json.NewDecoder(io.LimitReader(r, maxIndex)).Decode(&index)
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) || err == nil && len(index.WeightMap) == 0 {
		return nil, errNoParts
	}
	if err != nil {
		return nil, err
	}
	return slices.Compact(slices.Sorted(maps.Values(index.WeightMap))), nil
}
