// SPDX-License-Identifier: Apache-2.0

package records

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"justnews/internal/safefile"
)

// stateVersion is that of the envelope and of T together: a change of either
// changes it, and other versions of the gate then ignore the record.
const stateVersion = 1

// maxState is the largest record that is read, in bytes.
const maxState = 64 << 10

// State is a record of type T in a file next to a lock, which the gates of a
// host share. Whoever can write to the directory can write the record, so it
// must only ever delay a gate, never open one.
type State[T any] struct {
	// Dir is the directory of the lock, "" if there is none: then nothing can
	// be saved.
	Dir string
	// Name is that of the lock, without a suffix.
	Name string
	// Boot identifies this boot: records of other boots are ignored.
	Boot string
}

type envelope[T any] struct {
	Version int    `json:"version"`
	Boot    string `json:"boot_id"`
	Record  T      `json:"record"`
}

// Load returns the record. The zero T without an error means that there is
// none: no file, another version, another boot. A file that is not one of
// ours (a link, a device, too large, not JSON, an unknown key) is an error.
func (s State[T]) Load() (T, error) {
	var none T
	if s.Dir == "" {
		return none, nil
	}
	data, err := s.read()
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return none, fmt.Errorf("cannot read the record: %w", err)
	}
	// The version first: other versions may have another format.
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return none, fmt.Errorf("cannot read the record %s: %w", s.file(), err)
	}
	if head.Version != stateVersion {
		return none, nil
	}
	var e envelope[T]
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return none, fmt.Errorf("cannot read the record %s: %w", s.file(), err)
	}
	if e.Boot != s.Boot {
		return none, nil
	}
	return e.Record, nil
}

// Save replaces the record; readers see the old or the new one. The file is
// 0660, its group that of the directory: gates of all users write it.
func (s State[T]) Save(record T) error {
	if s.Dir == "" {
		return errors.New("cannot save the record: no directory is shared")
	}
	data, err := json.Marshal(envelope[T]{stateVersion, s.Boot, record})
	if err != nil {
		return fmt.Errorf("cannot save the record: %w", err)
	}
	if len(data) > maxState {
		return fmt.Errorf("cannot save the record: %d bytes, at most %d", len(data), maxState)
	}
	root, err := safefile.OpenRoot(s.Dir)
	if err != nil {
		return fmt.Errorf("cannot save the record: %w", err)
	}
	defer func() { _ = root.Close() }()
	if err := replace(root, s.file(), append(data, '\n'), 0o660, false); err != nil {
		return fmt.Errorf("cannot save the record in %s: %w", s.Dir, err)
	}
	return nil
}

func (s State[T]) file() string { return s.Name + ".json" }

// read returns the content of a regular file with one name. It neither follows
// a link nor waits for a FIFO.
func (s State[T]) read() ([]byte, error) {
	root, err := safefile.OpenRoot(s.Dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	// It does not matter if it has been replaced since: a replaced file has no
	// name left.
	f, err := safefile.OpenIn(root, s.file(), safefile.NoFollow)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if f.Links > 1 {
		return nil, fmt.Errorf("%s has %d names", s.file(), f.Links)
	}
	return f.All(maxState)
}
