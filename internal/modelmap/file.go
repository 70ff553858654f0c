// SPDX-License-Identifier: Apache-2.0

package modelmap

import (
	"errors"
	"io/fs"

	"justnews/internal/safefile"
)

// File is what was found at the path of AGENT_MODEL_MAP.json.
type File struct {
	Path    string
	Missing bool  // there is no file
	Err     error // it could not be read; nil if Missing
	// Map is its content, nil if it could not be read or is invalid; warnings
	// come with a map.
	Map      *Map
	Problems []Problem
}

// ReadFile reads AGENT_MODEL_MAP.json. It opens without blocking, so that a
// FIFO cannot hold the gate, and reads at most the maximum size of a map.
func ReadFile(path string) File {
	f := File{Path: path}
	text, err := safefile.Read(path, maxBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Missing = true
	case err != nil:
		f.Err = err
	default:
		f.Map, f.Problems = Parse(text)
	}
	return f
}
