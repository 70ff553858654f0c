// SPDX-License-Identifier: Apache-2.0

// Package version says which build this is.
package version

import "runtime/debug"

// described is what git calls this commit; the Makefile sets it. A plain
// go build leaves it empty, and the build information is asked instead. It is a
// variable because the linker's -X sets no constant.
var described string

// String returns the version: a tag, a commit, or "unknown".
func String() string {
	if described != "" {
		return described
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return "unknown"
}
