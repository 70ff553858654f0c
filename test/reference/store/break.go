// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Damage is one way to break a model, which Repair undoes.
type Damage string

// The ways, by the runbook's causes.
const (
	MissingModel    Damage = "missing-model"    // its directory is gone
	MissingSnapshot Damage = "missing-snapshot" // its directory is there, the snapshot is not
	EmptySnapshot   Damage = "empty-snapshot"   // the snapshot is an empty directory
	MissingBlob     Damage = "missing-blob"     // the snapshot's links point at nothing
	MissingCurrent  Damage = "missing-current"  // the agent has no current link
	HalfCopied      Damage = "half-copied"      // the version is still called v1.tmp
	Truncated       Damage = "truncated"        // the weights end early
	Corrupt         Damage = "corrupt"          // one byte of the weights is another: only a checksum sees it
	BadConfig       Damage = "bad-config"       // config.json is no JSON
	Unreadable      Damage = "unreadable"       // the weights have mode 0000
	Unsearchable    Damage = "unsearchable"     // the agent's directory has mode 0000
	WrongKey        Damage = "wrong-key"        // the map names the agent wrong
	WrongID         Damage = "wrong-id"         // the map names the model wrong
)

var damages = map[Damage]func(*Store, Model) error{
	MissingModel:    func(s *Store, m Model) error { return os.RemoveAll(s.Dir(m)) },
	MissingSnapshot: func(s *Store, m Model) error { return os.RemoveAll(s.Snapshot(m)) },
	EmptySnapshot:   emptySnapshot,
	MissingBlob:     func(s *Store, m Model) error { return os.RemoveAll(filepath.Join(s.Dir(m), "blobs")) },
	MissingCurrent:  func(s *Store, m Model) error { return os.Remove(filepath.Join(s.agent(m), "current")) },
	HalfCopied:      func(s *Store, m Model) error { return os.Rename(s.version(m), s.version(m)+".tmp") },
	Truncated:       func(s *Store, m Model) error { return os.Truncate(s.weights(m), weights/2) },
	Corrupt:         corrupt,
	BadConfig: func(s *Store, m Model) error {
		return os.WriteFile(filepath.Join(s.Snapshot(m), "config.json"), []byte("{\n"), 0o644)
	},
	Unreadable:   func(s *Store, m Model) error { return os.Chmod(s.weights(m), 0) },
	Unsearchable: func(s *Store, m Model) error { return os.Chmod(s.agent(m), 0) },
	WrongKey:     func(s *Store, m Model) error { return s.rename(m, Model{m.Agent + "s", m.ID}) },
	WrongID:      func(s *Store, m Model) error { return s.rename(m, Model{m.Agent, m.ID + "x"}) },
}

// Damages is every way, sorted.
func Damages() []Damage { return slices.Sorted(maps.Keys(damages)) }

// Break breaks one model.
func (s *Store) Break(d Damage, m Model) error {
	do, ok := damages[d]
	if !ok {
		return fmt.Errorf("cannot break a model by %q: there is %v", d, Damages())
	}
	if !slices.Contains(Models, m) {
		return fmt.Errorf("cannot break %s of %s: no such model", m.ID, m.Agent)
	}
	if err := do(s, m); err != nil {
		return fmt.Errorf("cannot break %s: %w", m.ID, err)
	}
	return nil
}

func (s *Store) weights(m Model) string { return filepath.Join(s.Snapshot(m), "model.safetensors") }

func emptySnapshot(s *Store, m Model) error {
	if err := os.RemoveAll(s.Snapshot(m)); err != nil {
		return err
	}
	return os.Mkdir(s.Snapshot(m), 0o755)
}

func corrupt(s *Store, m Model) error {
	data, err := os.ReadFile(s.weights(m))
	if err != nil {
		return err
	}
	data[len(data)-1] ^= 1
	return os.WriteFile(s.weights(m), data, 0o644)
}

// rename writes a map in which one model has another name.
func (s *Store) rename(from, to Model) error {
	list := slices.Clone(Models)
	for i, m := range list {
		if m == from || to.Agent != from.Agent && m.Agent == from.Agent {
			list[i].Agent = to.Agent
			if m == from {
				list[i].ID = to.ID
			}
		}
	}
	return s.WriteMap(list)
}
