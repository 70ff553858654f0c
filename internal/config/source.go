// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"strings"

	"justnews/internal/diag"
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
