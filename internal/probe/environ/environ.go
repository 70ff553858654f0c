// SPDX-License-Identifier: Apache-2.0

// Package environ reads the environment files of the units in two ways: as
// systemd does, which expands nothing, and as a shell that sources them does,
// like JustNews' start scripts. It runs no shell and nothing that a file may
// name, and it judges nothing.
package environ

import (
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"strings"

	"justnews/internal/envfile"
	"justnews/internal/facts"
)

// Dir is the directory of the units' environment files.
const Dir = "/etc/justnews"

// Files reads every *.env file in Dir below root, global.env first: its
// variables are set when the others are sourced.
func Files(root string) []facts.EnvFile {
	names, _ := filepath.Glob(filepath.Join(root, Dir, "*.env"))
	var all []facts.EnvFile
	known := map[string]string{}
	for _, global := range []bool{true, false} {
		for _, name := range names {
			if (filepath.Base(name) == "global.env") != global {
				continue
			}
			seen := known
			if !global {
				seen = maps.Clone(known)
			}
			all = append(all, file(root, name, seen))
		}
	}
	return all
}

// file reads one file; known are the variables that a shell has by then; those
// of the file are added.
func file(root, name string, known map[string]string) facts.EnvFile {
	f := facts.EnvFile{Path: strings.TrimPrefix(name, root)}
	text, err := envfile.Text(name)
	switch {
	case errors.Is(err, fs.ErrPermission):
		f.Denied = true
		return f
	case err != nil:
		f.Err = err.Error()
		return f
	}
	detail, err := envfile.Details(text)
	if err != nil {
		f.Lost = err.Error()
		return f
	}
	f.Bare, f.Open = detail.Bare, detail.Open
	for _, a := range detail.Assignments {
		f.Systemd = append(f.Systemd, facts.EnvVar{Name: a.Name, Value: a.Value, Line: a.Line})
	}
	source(&f, text, known)
	return f
}
