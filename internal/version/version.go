// SPDX-License-Identifier: Apache-2.0

// Package version returns the version of this build.
package version

import (
	"cmp"
	"runtime/debug"
	"strings"
)

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

// Release is the newest section of CHANGELOG.md. A build from sources without a
// tag counts as this release.
const Release = "0.9.0"

// Number is a released version: major, minor and patch.
type Number [3]int

// Parse reads one to three numbers without leading zeros and of at most six
// digits, such as "1.4" or "0.9.0". What is left out is 0.
func Parse(s string) (Number, bool) {
	n, rest, ok := leading(s)
	return n, ok && rest == ""
}

// leading reads the version that a text begins with and returns what follows it.
func leading(s string) (n Number, rest string, ok bool) {
	for i := range n {
		digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
		if digits == 0 || digits > 6 || s[0] == '0' && digits > 1 {
			return Number{}, "", false
		}
		for _, c := range s[:digits] {
			n[i] = n[i]*10 + int(c-'0')
		}
		s = s[digits:]
		if i == len(n)-1 || s == "" || s[0] != '.' {
			break
		}
		s = s[1:]
	}
	return n, s, true
}

// Compare returns -1, 0 or 1 for n before, equal to or after m.
func (n Number) Compare(m Number) int {
	for i := range n {
		if c := cmp.Compare(n[i], m[i]); c != 0 {
			return c
		}
	}
	return 0
}

// AtLeast reports whether a build, named as String names it, is that version or later. A
// build between releases counts as the release before it (v1.4.0-3-gHASH and
// 1.4.0+3.gHASH are 1.4.0), a pre-release is before its release (v1.4.0-rc.1,
// 1.4.0~rc.1 and Go's v1.4.0-0.DATE-HASH), and a build without a tag (a hash,
// v0.0.0-DATE-HASH, 0.0.0~gitN.gHASH) is Release.
func AtLeast(build string, least Number) bool {
	if Untagged(build) {
		build = Release
	}
	n, rest, _ := leading(strings.TrimPrefix(build, "v"))
	c := n.Compare(least)
	return c > 0 || c == 0 && !preRelease(rest)
}

// Untagged reports whether the name of a build has no version, so that it counts as
// Release.
func Untagged(build string) bool {
	n, rest, ok := leading(strings.TrimPrefix(build, "v"))
	return !ok || n == (Number{}) || rest != "" && !strings.ContainsAny(rest[:1], "-+~")
}

// preRelease reports whether what follows the number makes a version earlier than
// the number: not build metadata, nor what git describe adds (-3-gHASH, -dirty).
func preRelease(rest string) bool {
	if rest == "" || rest[0] == '+' || rest == "-dirty" {
		return false
	}
	commits, hash, described := strings.Cut(rest[1:], "-g")
	return rest[0] != '-' || !described || !only(commits, "0123456789") ||
		!only(strings.TrimSuffix(strings.TrimSuffix(hash, "-dirty"), "+dirty"), "0123456789abcdef")
}

// only reports whether a text consists of these characters, at least one.
func only(s, characters string) bool { return s != "" && strings.Trim(s, characters) == "" }
