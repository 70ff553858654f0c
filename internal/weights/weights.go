// SPDX-License-Identifier: Apache-2.0

// Package weights looks inside the files of a model as far as can be judged
// without loading it: is this really a file of weights and not a git-lfs
// pointer, does its header parse, is it as long as the header says, is a .json
// file JSON. It reads headers and ends, not weights; whether every byte is
// right only a checksum can say.
package weights

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"
)

// Kind is what a look into a file amounts to. The zero value is no look.
type Kind byte

// The kinds.
const (
	Unknown   Kind = iota
	Sound          // what can be checked is right
	Opaque         // nothing about this format can be checked
	Empty          // no bytes at all
	Pointer        // a git-lfs pointer: the content was never fetched
	Header         // the header does not parse
	Truncated      // shorter than its header or its end says
	Overlong       // longer than its header says
	NotJSON        // the text is not JSON
)

// Finding is what a look into a file found.
type Finding struct {
	Kind   Kind
	Detail string // evidence for a person
}

// Look looks into a file. The name decides what is expected of it; an error is
// one of reading.
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
		return jsonText(r, size)
	case ext == ".gguf":
		return magic(head, "GGUF"), nil
	case ext == ".h5":
		return magic(head, "\x89HDF\r\n\x1a\n"), nil
	case Torch(name):
		return torch(head, r, size)
	}
	return Finding{Kind: Opaque}, nil
}

// Torch reports whether a name is that of weights as torch.save writes them.
func Torch(name string) bool {
	switch path.Ext(name) {
	case ".pt", ".pth", ".ckpt":
		return true
	case ".bin":
		return strings.HasPrefix(name, "pytorch_model") || strings.HasPrefix(name, "adapter_model")
	}
	return false
}

// Weighty reports whether a file of that name holds weights of a model.
func Weighty(name string) bool {
	name = strings.ToLower(path.Base(name))
	switch path.Ext(name) {
	case ".safetensors", ".gguf", ".ggml", ".h5", ".onnx", ".msgpack", ".pt", ".pth", ".ckpt", ".npz", ".tflite", ".pb", ".ot":
		return true
	case ".bin":
		return !strings.Contains(name, "args") && !strings.Contains(name, "vocab")
	}
	return name == "model" || name == "weights" // spaCy
}

// pointer recognizes what git checks out where git-lfs did not fetch.
func pointer(head []byte, size int64) (Finding, bool) {
	const first = "version https://git-lfs.github.com/spec/v1\n"
	if size > 1024 || !bytes.HasPrefix(head, []byte(first)) {
		return Finding{}, false
	}
	detail := "a git-lfs pointer"
	for line := range strings.Lines(string(head)) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "size "); ok {
			detail += " to " + n + " bytes"
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
