// SPDX-License-Identifier: Apache-2.0

package config

import "strings"

// merge merges the documents: tables key by key, everything else as a whole,
// later documents over earlier ones.
func (s *state) merge() {
	s.merged = map[string]any{}
	if len(s.docs) == 1 {
		s.merged = s.docs[0].data
		return
	}
	for _, d := range s.docs {
		mergeInto(s.merged, d.data)
	}
}

// mergeInto never writes to a map of src: a document always reflects its file.
func mergeInto(dst, src map[string]any) {
	for k, v := range src {
		table, isTable := v.(map[string]any)
		if !isTable {
			dst[k] = v
			continue
		}
		old, ok := dst[k].(map[string]any)
		if !ok {
			old = map[string]any{}
			dst[k] = old
		}
		mergeInto(old, table)
	}
}

// written returns the merged value of a path, and whether any file sets it to a
// value that was not rejected.
func (s *state) written(path ...string) (any, bool) {
	v, ok := lookUp(s.merged, path)
	return v, ok && !s.isBad(path)
}

func lookUp(m map[string]any, path []string) (any, bool) {
	for i, step := range path {
		v, ok := m[step]
		if !ok || i == len(path)-1 {
			return v, ok
		}
		if m, ok = v.(map[string]any); !ok {
			return nil, false
		}
	}
	return nil, false
}

// origin returns the document that set a path: the last that has it. An element of
// an array is in the document of the array.
func (s *state) origin(path []string) *document {
	if last := len(path) - 1; strings.HasPrefix(path[last], "[") {
		path = path[:last]
	}
	for i := len(s.docs) - 1; i >= 0; i-- {
		if _, ok := lookUp(s.docs[i].data, path); ok {
			return s.docs[i]
		}
	}
	return nil
}

func (s *state) markBad(path []string) {
	if s.bad == nil {
		s.bad = map[string]bool{}
	}
	s.bad[strings.Join(path, "\x00")] = true
}

func (s *state) isBad(path []string) bool {
	return s.bad != nil && s.bad[strings.Join(path, "\x00")]
}
