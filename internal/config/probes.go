// SPDX-License-Identifier: Apache-2.0

package config

import (
	"maps"
	"slices"

	"justnews/internal/diag"
)

// probeKeys are the keys that the kinds of probes need; no other is allowed.
var probeKeys = map[string]string{"tcp": "address", "http": "url", "unit": "unit", "path": "path"}

// probes checks that each probe has the keys of its kind: after the merge,
// since a drop-in may add what is missing.
func (s *state) probes() {
	tables, _ := s.merged["probes"].(map[string]any)
	for _, name := range sortedKeys(tables) {
		if table, ok := tables[name].(map[string]any); ok {
			s.probe(name, table)
		}
	}
}

func (s *state) probe(name string, table map[string]any) {
	path := []string{"probes", name}
	kind, ok := table["kind"].(string)
	if !ok {
		if _, there := table["kind"]; !there {
			s.fail(diag.ConfigValue, path, atKey, dotted(path)+" has no kind", "", `kind = "tcp", "http", "unit" or "path"`, "add the kind")
		}
		return
	}
	need := probeKeys[kind]
	if need == "" {
		return
	}
	if _, there := table[need]; !there {
		s.fail(diag.ConfigValue, append(path, "kind"), atValue, dotted(path)+" has no "+need+", which kind "+quote(kind)+" needs",
			quote(kind), need+" = …", "add "+need)
	}
	for _, other := range sortedKeys(table) {
		if other == "kind" || other == need || find(probeFields, other) == nil {
			continue
		}
		s.fail(diag.ConfigConflict, append(path, other), atKey, dotted(append(path, other))+" is not valid for kind "+quote(kind),
			other, "kind and "+need, "remove it, or correct the kind")
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
