// SPDX-License-Identifier: Apache-2.0

package weights

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
)

// maxIndex is the longest index that is read, in bytes.
const maxIndex = 32 << 20

// IsIndex reports whether a file lists the parts of weights.
func IsIndex(name string) bool {
	return strings.HasSuffix(name, ".json") && (strings.Contains(name, ".safetensors.index.") || strings.Contains(name, ".bin.index."))
}

// Parts returns the files that an index of weights lists, sorted.
func Parts(r io.Reader) ([]string, error) {
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.NewDecoder(io.LimitReader(r, maxIndex)).Decode(&index); err != nil {
		return nil, err
	}
	parts := map[string]bool{}
	for _, part := range index.WeightMap {
		parts[part] = true
	}
	return slices.Sorted(maps.Keys(parts)), nil
}
