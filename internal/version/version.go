// SPDX-License-Identifier: Apache-2.0

// Package version returns the version of this build.
package version

import "runtime/debug"

// described is git's name of this commit, set by the Makefile. A plain go build
// leaves it empty, and the build information is used. It is a variable because
// the linker's -X cannot set constants.
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
