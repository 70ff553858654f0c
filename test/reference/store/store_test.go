// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/modelmap"
)

// tree is every path below root with its content, a link with its target.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		switch {
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			all[rel] = "-> " + target
			return err
		case d.IsDir():
			all[rel] = "directory"
		case filepath.Base(path) == "manifest.json":
			all[rel] = "manifest" // its checksum depends on the file system's order
		default:
			data, err := os.ReadFile(path)
			all[rel] = string(data)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func mustMake(t *testing.T) *Store {
	t.Helper()
	s, err := Make(filepath.Join(t.TempDir(), "models"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore_TwoStoresHoldTheSameBytes(t *testing.T) {
	if diff := cmp.Diff(tree(t, mustMake(t).Root), tree(t, mustMake(t).Root)); diff != "" {
		t.Error(diff)
	}
}

func TestStore_MapIsTheOldUpstreamMap(t *testing.T) {
	s := mustMake(t)
	data, err := os.ReadFile(s.Map)
	if err != nil {
		t.Fatal(err)
	}
	m, problems := modelmap.Parse(data)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if len(m.Agents) != 9 || m.Total() != 16 {
		t.Errorf("%d agents with %d models, want 9 with 16", len(m.Agents), m.Total())
	}
	i := 0
	for _, a := range m.Agents {
		for _, model := range a.Models {
			if got := (Model{a.Name, model.ID}); got != Models[i] {
				t.Errorf("model %d is %v, want %v", i, got, Models[i])
			}
			i++
		}
	}
}

func TestStore_IsAFewHundredKiB(t *testing.T) {
	var size int64
	err := filepath.WalkDir(mustMake(t).Root, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			info, err := d.Info()
			size += info.Size()
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if size < 100<<10 || size > 900<<10 {
		t.Errorf("%d bytes", size)
	}
}

func TestStore_ManifestHoldsTheChecksumOfItsVersion(t *testing.T) {
	s := mustMake(t)
	for _, m := range Models {
		data, err := os.ReadFile(filepath.Join(s.Root, m.Agent, "current", "manifest.json"))
		if err != nil {
			t.Fatal(err)
		}
		var manifest struct{ Version, Checksum string }
		if err := json.Unmarshal(data, &manifest); err != nil {
			t.Fatal(err)
		}
		sum, err := Checksum(s.version(m))
		if err != nil {
			t.Fatal(err)
		}
		if manifest.Checksum != sum || manifest.Version != Version {
			t.Errorf("%s: manifest %+v, checksum %s", m.Agent, manifest, sum)
		}
	}
}

func TestStore_EveryDamageIsUndoneByRepair(t *testing.T) {
	for _, d := range Damages() {
		t.Run(string(d), func(t *testing.T) {
			s, m := mustMake(t), Models[1]
			before := tree(t, s.Root)
			modes := map[string]fs.FileMode{s.weights(m): 0, s.agent(m): 0}
			for path := range modes {
				info, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				modes[path] = info.Mode()
			}
			if err := s.Break(d, m); err != nil {
				t.Fatal(err)
			}
			if !damaged(t, s, before, modes) {
				t.Error("nothing is broken")
			}
			if err := s.Repair(m); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, tree(t, s.Root)); diff != "" {
				t.Error(diff)
			}
			if damaged(t, s, before, modes) {
				t.Error("still broken")
			}
		})
	}
}

// damaged says whether modes or contents differ. Modes first: root reads all.
func damaged(t *testing.T, s *Store, before map[string]string, modes map[string]fs.FileMode) bool {
	t.Helper()
	for path, mode := range modes {
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			return true
		}
	}
	return !cmp.Equal(before, tree(t, s.Root))
}

func TestStore_UnknownModelOrDamageIsRefused(t *testing.T) {
	s := mustMake(t)
	if err := s.Break(Truncated, Model{"scout", "nosuch"}); err == nil {
		t.Error("broke a missing model")
	}
	if err := s.Break("by-wishing", Models[0]); err == nil {
		t.Error("broke a model in an unknown way")
	}
}
