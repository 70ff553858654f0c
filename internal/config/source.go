// SPDX-License-Identifier: Apache-2.0

package config

import "justnews/internal/diag"

// Source says where the configuration is read from. The zero value is the
// running system's, with files and directories of root only.
type Source struct {
	// Root is put before every path of the search (--root DIR): tests, images.
	// Links are resolved below it. "" is the running system.
	Root string
	// File is read instead of the search, alone (--config FILE). It is a path
	// as the caller sees it: Root is not put before it.
	File string
	// Owner is the uid that may own files and directories besides root. It
	// counts only where Root or File is set: the caller's (os.Getuid).
	Owner int
}

// mayOwn reports whether a file of that uid may be believed.
func (s Source) mayOwn(uid int) bool {
	return uid == 0 || (s.Root != "" || s.File != "") && uid == s.Owner
}

// Load reads, merges and checks the configuration. It returns every problem of
// every file, sorted by place; the Config is nil exactly where one of them is
// an error. Positions and Config.Files are paths without Root.
func Load(src Source) (*Config, []diag.Problem) {
	s := load(src)
	return s.config, s.problems
}

// Effective returns the configuration that Load would return, as TOML: every
// key with its value, in the order of the manual, and with origin the file and
// line that set it as a comment. Loaded again it yields the same Config. It is
// empty where the Config is nil.
func Effective(src Source, origin bool) (string, []diag.Problem) {
	s := load(src)
	if s.config == nil {
		return "", s.problems
	}
	return s.show(origin), s.problems
}

// state is one run of Load.
type state struct {
	docs     []*document // in the order in which they are merged
	merged   map[string]any
	config   *Config
	problems []diag.Problem
	partial  bool            // some file or line is missing from docs: references cannot be judged
	more     int             // problems beyond maxProblems
	hints    int             // nearest names searched among the instances
	bad      map[string]bool // paths whose value is refused: no second complaint about them
}

func load(src Source) *state {
	s := &state{}
	s.read(src)
	s.judge()
	return s
}

// judge checks what was read and, without errors, makes the Config of it.
func (s *state) judge() {
	for _, d := range s.docs {
		(&checker{state: s, doc: d}).document()
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

// read fills docs from the files, or reports that there is none.
func (s *state) read(src Source) {
	files := search(src, &s.problems)
	s.partial = len(s.problems) > 0
	for _, path := range files {
		text, problem := readFile(src, path)
		if problem != nil {
			s.problems = append(s.problems, *problem)
			s.partial = true
			continue
		}
		s.add(decode(path, text))
	}
	if len(files) == 0 && !s.partial {
		s.problems = append(s.problems, missing(src))
		s.partial = true
	}
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
