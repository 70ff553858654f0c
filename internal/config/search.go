// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/safefile"
)

// directories are searched in this order; the first one with a name wins.
var directories = [...]string{"/etc/justnews", "/run/justnews", "/usr/lib/justnews"}

const (
	mainFile = "justnews.toml"
	dropIns  = "justnews.toml.d"
)

// search returns the files to read, in the order in which they are merged: the
// main file, then the drop-ins by name. A directory that users other than root
// can change is a problem, and nothing in it is read.
func search(src Source, problems *[]diag.Problem) []string {
	if src.File != "" {
		return []string{src.File}
	}
	var files []string
	chosen := map[string]string{} // drop-in name -> path, "" if masked
	haveMain := false
	for _, dir := range directories {
		if !usable(src, dir, problems) {
			continue
		}
		if path := dir + "/" + mainFile; !haveMain && present(src, path) {
			haveMain = true
			if !masked(src, path) {
				files = append(files, path)
			}
		}
		if sub := dir + "/" + dropIns; usable(src, sub, problems) {
			collect(src, sub, chosen, problems)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(chosen)) {
		if chosen[name] != "" {
			files = append(files, chosen[name])
		}
	}
	return files
}

// collect adds the drop-ins of one directory that no earlier one has.
func collect(src Source, dir string, chosen map[string]string, problems *[]diag.Problem) {
	path, err := src.resolve(dir)
	if err == nil {
		var entries []os.DirEntry
		entries, err = os.ReadDir(path)
		for _, entry := range entries {
			addDropIn(src, dir, entry.Name(), chosen)
		}
	}
	if err != nil {
		*problems = append(*problems, unreadable(dir, "cannot be listed", err))
	}
}

func addDropIn(src Source, dir, name string, chosen map[string]string) {
	if _, taken := chosen[name]; taken || !strings.HasSuffix(name, ".toml") || strings.HasPrefix(name, ".") {
		return
	}
	path := dir + "/" + name
	if masked(src, path) {
		path = ""
	}
	chosen[name] = path
}

// present reports whether anything has that name. A dangling link is a broken
// file, not a missing one.
func present(src Source, path string) bool {
	_, err := os.Lstat(src.Root + path)
	return err == nil || !os.IsNotExist(err)
}

func masked(src Source, path string) bool {
	target, err := os.Readlink(src.Root + path)
	return err == nil && target == os.DevNull
}

func usable(src Source, dir string, problems *[]diag.Problem) bool {
	path, err := src.resolve(dir)
	var info safefile.Info
	if err == nil {
		info, err = safefile.Stat(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && !present(src, dir):
		return false
	case err != nil:
		*problems = append(*problems, unreadable(dir, "cannot be examined", err))
		return false
	case !info.Mode.IsDir():
		*problems = append(*problems, unreadable(dir, "is "+safefile.Describe(info.Mode)+", not a directory", nil))
		return false
	}
	if problem := ownerOf(src, dir, info); problem != nil {
		*problems = append(*problems, *problem)
		return false
	}
	return true
}
