// SPDX-License-Identifier: Apache-2.0

// Package environ reads the environment files of the units in the two readings
// that they get: systemd's, which expands nothing, and that of a shell that
// sources them, which upstream's start scripts are. It runs no shell and
// nothing that a file may name, and it judges nothing.
package environ

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"justnews/internal/envfile"
	"justnews/internal/facts"
)

// Dir is where the units' environment files lie.
const Dir = "/etc/justnews"

// Files reads every file of Dir below root that is named *.env, global.env
// first: its variables are known when the others are sourced.
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
				seen = clone(known)
			}
			all = append(all, file(root, name, seen))
		}
	}
	return all
}

// file reads one file; known are the variables that a shell has by then, to
// which those of the file are added.
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

func clone(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}
