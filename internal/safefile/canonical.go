// SPDX-License-Identifier: Apache-2.0

package safefile

import (
	"context"
	"path/filepath"
	"strings"
)

// Canonical returns a path as every host resolves it: without redundant slashes,
// and below /run where it goes through the links that are kept for old programs.
// Paths are compared in this form. It reads nothing.
func Canonical(p string) string {
	p = filepath.Clean(p)
	for _, link := range [][2]string{{"/var/run", "/run"}, {"/var/lock", "/run/lock"}} {
		if rest, ok := strings.CutPrefix(p, link[0]); ok && (rest == "" || rest[0] == '/') {
			return link[1] + rest
		}
	}
	return p
}

// Within reports whether a path is a directory or below it, as the text says.
func Within(dir, p string) bool {
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}

// SameDirectory reports whether two paths lead to one directory, also through
// links. If that is not known when ctx ends, they do not.
func SameDirectory(ctx context.Context, one, other string) bool {
	if Canonical(one) == Canonical(other) {
		return true
	}
	same, err := Do(ctx, func() (bool, error) {
		a, err := Stat(one)
		if err != nil {
			return false, err
		}
		b, err := Stat(other)
		return a.Mode.IsDir() && a.Same(b), err
	})
	return err == nil && same
}
