// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/tomlpos"
	"justnews/internal/version"
)

// Source is where the configuration is read from. The zero value is the running
// system, with files and directories owned by root only.
type Source struct {
	// Root is put before every path of the search (--root DIR): tests, images.
	// Links are resolved below it. "" is the running system.
	Root string
	// If File is set, only that file is read (--config FILE). It is a path as
	// the caller sees it, without Root.
	File string
	// Owner is the uid that may own files and directories besides root. Only
	// used if Root or File is set: the caller's (os.Getuid).
	Owner int
	// Build is the version that min_version is compared with, "": that of this
	// program.
	Build string
}

func (s Source) mayOwn(uid int) bool {
	return uid == 0 || (s.Root != "" || s.File != "") && uid == s.Owner
}

// Load reads, merges and checks the configuration. It returns every problem of
// every file, sorted by place; the Config is nil if and only if one of them is
// an error. Positions and Config.Files are paths without Root.
func Load(src Source) (*Config, []diag.Problem) {
	s := load(src)
	return s.config, s.problems
}

// Effective returns the configuration that Load would return, as TOML: every
// key with its value, in the order of the manual, and with origin the file and
// line that set it as a comment. Loaded again it yields the same Config. It is
// empty if the Config is nil.
func Effective(src Source, origin bool) (string, []diag.Problem) {
	s := load(src)
	if s.config == nil {
		return "", s.problems
	}
	return s.show(origin), s.problems
}

type state struct {
	docs     []*document // in the order in which they are merged
	minimum  *minimum    // the highest min_version of all files, nil: none
	merged   map[string]any
	config   *Config
	problems []diag.Problem
	partial  bool            // a file or line is missing from docs, so references cannot be checked
	more     int             // problems beyond maxProblems
	hints    int             // nearest names searched among the instances
	bad      map[string]bool // paths with rejected values, which are not reported twice
}

func load(src Source) *state {
	s := &state{}
	files := s.read(src)
	if s.outdated(files, cmp.Or(src.Build, version.String())) {
		return s
	}
	for _, f := range files {
		s.add(decode(f))
	}
	s.judge()
	return s
}

// judge checks what was read and, if there are no errors, builds the Config.
func (s *state) judge() {
	for _, d := range s.docs {
		(&checker{state: s, doc: d}).table(schema, d.data)
	}
	s.merge()
	cfg := s.translate()
	if !s.partial && !s.isBad([]string{"instances"}) {
		s.crossCheck(cfg)
	}
	sortProblems(s.problems)
	if s.more > 0 {
		s.problems = append(s.problems, moreProblems(s.more, s.docs))
	}
	if len(diag.Errors(s.problems)) == 0 {
		s.config = cfg
	}
}

func (s *state) read(src Source) []file {
	paths := search(src, &s.problems)
	s.partial = len(s.problems) > 0
	var files []file
	for _, path := range paths {
		text, problem := readFile(src, path)
		if problem != nil {
			s.problems = append(s.problems, *problem)
			s.partial = true
			continue
		}
		files = append(files, file{path, strings.TrimPrefix(text, "\ufeff"), src.shown(path)})
	}
	if len(paths) == 0 && !s.partial {
		s.problems = append(s.problems, missing(src))
		s.partial = true
	}
	return files
}

func (s *state) add(d *document, problems []diag.Problem) {
	s.problems = append(s.problems, problems...)
	if d == nil {
		s.partial = true
		return
	}
	s.docs = append(s.docs, d)
	s.partial = s.partial || d.holes
}

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
