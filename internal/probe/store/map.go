// SPDX-License-Identifier: Apache-2.0

// Package store looks at the Model Store and at the map of what belongs into
// it. It judges nothing and changes nothing.
package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"justnews/internal/modelmap"
)

// MapFile is what was found at the path of AGENT_MODEL_MAP.json.
type MapFile struct {
	Path    string
	Missing bool  // there is no file
	Err     error // it could not be read; nil where Missing
	// Map is what it holds, nil where it could not be read or is wrong;
	// warnings come along with a map.
	Map      *modelmap.Map
	Problems []modelmap.Problem
}

// ReadMap reads AGENT_MODEL_MAP.json. It opens without blocking, so that a
// pipe in its place cannot hold the gate, and reads no more than a map may be
// long.
func ReadMap(path string) MapFile {
	f := MapFile{Path: path}
	text, err := read(path, modelmap.MaxBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Missing = true
	case err != nil:
		f.Err = err
	default:
		f.Map, f.Problems = modelmap.Parse(text)
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
