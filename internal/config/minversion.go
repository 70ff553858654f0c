// SPDX-License-Identifier: Apache-2.0

package config

import (
	"strings"

	"justnews/internal/diag"
	"justnews/internal/tomlpos"
	"justnews/internal/version"
)

// minVersion is the key that is read before everything else, since a file for a
// later program may have keys, values and syntax that this one does not know.
const minVersion = "min_version"

// maxMinVersion bounds the value, in bytes: three numbers of six digits, each digit
// an escape, and a comment.
const maxMinVersion = 1024

// file is the text of one file, without a byte order mark.
type file struct {
	path, text string
	shown      string // the path to type into a shell
}

type minimum struct {
	version.Number
	text     string
	position diag.Position
}

// outdated reports whether a file needs a later program than build. Then that is the only
// problem reported about the files' content: any other may be due to the program's age.
func (s *state) outdated(files []file, build string) bool {
	for _, f := range files {
		m := f.minimum()
		if m != nil && (s.minimum == nil || m.Compare(s.minimum.Number) > 0) {
			s.minimum = m
		}
	}
	if s.minimum == nil || version.AtLeast(build, s.minimum.Number) {
		return false
	}
	named := build
	if version.Untagged(build) {
		named = version.Release + " (" + build + ")"
	}
	s.problems = append(s.problems, diag.Problem{
		Code:     diag.ConfigVersion,
		Position: &s.minimum.position,
		Message:  "needs " + s.minimum.text + " or later, this program is " + named,
		Seen:     build,
		Expected: s.minimum.text + " or later",
		Fix:      diag.Advise("install justnews "+s.minimum.text+" or later; lower min_version only if no file needs it", diag.Reload()),
	})
	sortProblems(s.problems)
	return true
}

// minimum returns the min_version at the top level of a file, nil if there is none.
// One that is invalid, or a second one, is reported with the rest of the file.
func (f file) minimum() *minimum {
	var found *minimum
	seen := false
	note := func(base int) func(e tomlpos.Entry) {
		return func(e tomlpos.Entry) {
			if seen || len(e.Path) != 1 || e.Kind != tomlpos.Scalar || e.Path[0].Text != minVersion {
				return
			}
			seen = true
			text := leadingString(f.text[base+e.Value:])
			if n, ok := version.Parse(text); ok {
				at := tomlpos.At(f.text, base+e.Path[0].Offset)
				found = &minimum{n, text, diag.Position{File: f.path, Line: at.Line, Column: at.Column}}
			}
		}
	}
	if err := tomlpos.Walk(f.text, note(0)); err != nil && !seen {
		f.eachTopLine(func(offset int, line string) { _ = tomlpos.Walk(line, note(offset)) })
	}
	return found
}

// leadingString returns the string that a text begins with, "" if there is none that
// ends at the end of one of its lines.
func leadingString(text string) string {
	end := 0
	for line := range strings.Lines(text[:min(len(text), maxMinVersion)]) {
		end += len(line)
		if data, _, message := decodeTOML("v = " + text[:end]); message == "" {
			s, _ := data["v"].(string)
			return s
		}
	}
	return ""
}

// eachTopLine calls visit for the lines before the first header, each a text of its
// own: with syntax that is not known, where a value ends is not known either.
func (f file) eachTopLine(visit func(offset int, line string)) {
	offset := 0
	for line := range strings.Lines(f.text) {
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), "[") {
			return
		}
		visit(offset, line)
		offset += len(line)
	}
}
