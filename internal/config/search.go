// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"

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
	if info, err := os.Stat(src.Root + "/"); err != nil || !info.IsDir() {
		*problems = append(*problems, noRoot(src, err))
		return nil
	}
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
		*problems = append(*problems, src.unreadable(dir, aDirectory, "cannot be listed", err))
	}
}

func addDropIn(src Source, dir, name string, chosen map[string]string) {
	if _, taken := chosen[name]; taken || !isDropIn(name) {
		return
	}
	path := dir + "/" + name
	if masked(src, path) {
		path = ""
	}
	chosen[name] = path
}

func isDropIn(name string) bool {
	return strings.HasSuffix(name, ".toml") && !strings.HasPrefix(name, ".")
}

// copies are the endings of files that editors, package managers and people leave next to a
// configuration file.
var copies = []string{
	"~", "#", ".swp", ".bak", ".old", ".orig", ".save", ".disabled", ".off", ".example",
	".dpkg-old", ".dpkg-new", ".dpkg-dist", ".dpkg-bak", ".dpkg-tmp", ".ucf-old", ".ucf-new", ".ucf-dist", ".rpmnew", ".rpmsave", ".rpmorig",
}

// Ignored reports the files beside the drop-ins that are not read because of their names:
// with a warning, unless they are copies.
func Ignored(src Source) []diag.Problem {
	if src.File != "" {
		return nil
	}
	var problems []diag.Problem
	for _, dir := range directories {
		var settings, left []string
		sub := dir + "/" + dropIns
		path, _ := src.resolve(sub)
		entries, _ := os.ReadDir(path) // Load reports an error
		for _, entry := range entries {
			switch name := entry.Name(); {
			case isDropIn(name), strings.HasPrefix(name, "README"), strings.HasPrefix(name, ".") && !strings.HasSuffix(name, ".toml"):
			case slices.ContainsFunc(copies, func(end string) bool { return strings.HasSuffix(name, end) }):
				left = append(left, diag.Clean(name))
			default:
				settings = append(settings, diag.Clean(name))
			}
		}
		problems = append(append(problems, ignored(src, sub, settings, diag.Warning)...), ignored(src, sub, left, diag.Notice)...)
	}
	return problems
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
		*problems = append(*problems, src.unreadable(dir, aDirectory, "cannot be examined", err))
		return false
	case !info.Mode.IsDir():
		*problems = append(*problems, src.unreadable(dir, aDirectory, "is "+safefile.Describe(info.Mode)+", not a directory", nil))
		return false
	}
	if problem := ownerOf(src, dir, info); problem != nil {
		*problems = append(*problems, *problem)
		return false
	}
	return true
}

// maxFile bounds a configuration file, in bytes. Ten thousand instances need
// about that much.
const maxFile = 1 << 20

// resolve returns the path to open. Below a Root, links are resolved as chroot(2)
// would: an absolute link starts at Root, and no link leads out of it.
func (s Source) resolve(name string) (string, error) {
	if s.Root == "" {
		return name, nil
	}
	at, left, err := safefile.Follow(name, func(p string) (string, error) { return os.Readlink(s.Root + p) })
	if errors.Is(err, syscall.ELOOP) {
		return "", &fs.PathError{Op: "open", Path: name, Err: syscall.ELOOP}
	}
	return s.Root + path.Join(at, left), nil // what does not exist shows when it is opened
}

// readFile reads one file, or reports why it must not or cannot be read. It
// examines the open file, not its name: a link that root made to a file owned
// by root is fine.
func readFile(src Source, name string) (string, *diag.Problem) {
	at := name
	if src.File == "" {
		resolved, err := src.resolve(name)
		if err != nil {
			return "", new(src.unreadable(name, aFile, "cannot be opened", err))
		}
		at = resolved
	}
	f, err := safefile.Open(at, 0)
	if err != nil {
		return "", openProblem(src, name, at, err)
	}
	defer func() { _ = f.Close() }()
	if problem := ownerOf(src, name, f.Info); problem != nil {
		return "", problem
	}
	text, err := f.All(maxFile)
	switch {
	case errors.Is(err, safefile.ErrTooLarge):
		return "", new(src.unreadable(name, aFile, fmt.Sprintf("is too large: %d bytes, the limit is %d", f.Size, maxFile), nil))
	case err != nil:
		return "", new(src.unreadable(name, aFile, "cannot be read", err))
	}
	return string(text), nil
}

func openProblem(src Source, name, at string, err error) *diag.Problem {
	_, statErr := os.Lstat(at)
	switch {
	case src.File != "" && os.IsNotExist(err) && statErr != nil:
		return new(missing(src))
	case os.IsNotExist(err) && present(src, name):
		return new(src.unreadable(name, aFile, "is a dangling link", nil))
	case errors.Is(err, safefile.ErrNotRegular):
		why, _ := errors.AsType[*fs.PathError](err)
		return new(src.unreadable(name, aFile, why.Err.Error(), nil))
	}
	return new(src.unreadable(name, aFile, "cannot be opened", err))
}

// ownerOf rejects what a user other than root could have written: whoever can
// write the configuration can set ExecStart= of every agent.
func ownerOf(src Source, name string, info safefile.Info) *diag.Problem {
	uid := strconv.Itoa(info.UID)
	shown := src.shown(name)
	if !src.mayOwn(info.UID) {
		return new(inFile(diag.ConfigOwner, name, "is owned by uid "+uid+" and is not trusted",
			"uid "+uid, "owned by root", diag.Do(diag.Run("chown", "root:root", "--", shown), diag.Reload())))
	}
	if info.Mode&0o022 != 0 {
		mode := fmt.Sprintf("mode %04o", safefile.Bits(info.Mode))
		return new(inFile(diag.ConfigOwner, name, "is writable by group or others ("+mode+") and is not trusted",
			mode, "writable by its owner only", diag.Do(diag.Run("chmod", "go-w", "--", shown), diag.Reload())))
	}
	return nil
}

// shown is the path to type into a shell.
func (s Source) shown(name string) string {
	if s.File != "" {
		return name
	}
	return s.Root + name
}
