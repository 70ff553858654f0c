// SPDX-License-Identifier: Apache-2.0

package modelmap

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// File is what was found at the path of AGENT_MODEL_MAP.json.
type File struct {
	Path    string
	Missing bool  // there is no file
	Err     error // it could not be read; nil where Missing
	// Map is what it holds, nil where it could not be read or is wrong;
	// warnings come along with a map.
	Map      *Map
	Problems []Problem
}

// ReadFile reads AGENT_MODEL_MAP.json. It opens without blocking, so that a
// pipe in its place cannot hold the gate, and reads no more than a map may be
// long.
func ReadFile(path string) File {
	f := File{Path: path}
	text, err := read(path, MaxBytes)
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

func read(path string, limit int64) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("it is no regular file but %s", info.Mode().Type())
	}
	text, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("it is larger than %d bytes", limit)
	}
	return text, nil
}
