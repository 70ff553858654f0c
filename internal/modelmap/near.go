// SPDX-License-Identifier: Apache-2.0

package modelmap

import (
	"fmt"
	"slices"

	"justnews/internal/spell"
	"justnews/internal/strictjson"
)

// The keys of the map's objects. JustNews silently ignores unknown keys.
var (
	sections  = []string{agentsKey, basesKey, vllmKey}
	entryKeys = []string{
		"id", "type", "base_ref", "adapter_name", "adapter_model_store_path", "variant_preference", "legacy_model_id", "model_id",
		"adapter_version", "adapter_agent", "adapter_subdir",
	}
	baseKeys = []string{
		"hf_id", "model_store_agent", "model_store_version", "model_store_path", "agent", "quantized_variants", "approx_vram_mb",
	}
)

func (m *Map) nearestBase(name string) string {
	var names []string
	for _, b := range m.BaseModels {
		names = append(names, b.Name)
	}
	return spell.Hint(name, names)
}

// warnMisspelt warns of unknown keys that are similar to a known one. Others may
// be notes.
func (r *reader) warnMisspelt(o strictjson.Object, known []string) {
	for _, e := range o.Members() {
		if near, ok := nearKnown(e.Key, known); ok {
			r.warn(e.Value, "not read; did you mean %q?", near)
		}
	}
}

// misspelt returns a hint about the first key of an object that is similar to a
// known one.
func misspelt(o strictjson.Object, known []string) string {
	for _, e := range o.Members() {
		if near, ok := nearKnown(e.Key, known); ok {
			return fmt.Sprintf("; did you mean %q instead of %q?", near, e.Key)
		}
	}
	return ""
}

func nearKnown(key string, known []string) (string, bool) {
	if slices.Contains(known, key) {
		return "", false
	}
	return spell.Nearest(key, known)
}
