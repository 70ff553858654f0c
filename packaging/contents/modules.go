// SPDX-License-Identifier: Apache-2.0

package contents

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Module is something that our programs are linked with: a module, or the
// standard library.
type Module struct {
	Path    string
	Version string
	SPDX    string   // its licence
	Holders []string // of the copyright, as its files name them
	Notice  string   // what its NOTICE says, verbatim; Apache's terms ask for it
	Text    string   // its licence, and its notice, verbatim
	Notices []Notice // terms of single files that are compiled
}

// standardLibrary is how Go's own packages are listed.
const standardLibrary = "std"

// Linked returns everything that the released programs are linked with, or those
// of the given packages, sorted by path. Terms that are missing or not recognised
// are an error.
func Linked(repository string, programs ...string) ([]Module, error) {
	if len(programs) == 0 {
		programs = []string{"./cmd/..."}
	}
	root, version, err := goRoot(repository)
	if err != nil {
		return nil, err
	}
	return modulesOf(repository, root, version, programs...)
}

// Vendored returns the modules that go mod vendor copies into the source: those of
// the programs, of the tools of this module and of all tests.
func Vendored(repository string) ([]Module, error) {
	return modulesOf(repository, "", "", "-test", "./...")
}

// modulesOf returns the modules of what go list -deps names, for all architectures.
// The standard library, of the given version, is in root; it is left out if there is
// none.
func modulesOf(repository, root, version string, args ...string) ([]Module, error) {
	found := map[string]*Module{}
	for _, arch := range slices.Sorted(maps.Keys(crossCompilers)) {
		packages, err := dependencies(repository, arch, args)
		if err != nil {
			return nil, err
		}
		if err := addModules(found, packages, root, version); err != nil {
			return nil, err
		}
	}
	var all []Module
	for _, path := range slices.Sorted(maps.Keys(found)) {
		all = append(all, *found[path])
	}
	return all, nil
}

// dependencies returns the packages that go list -deps names for one architecture,
// in Go's words.
func dependencies(repository, arch string, args []string) ([]linkedPackage, error) {
	cmd := exec.Command("go", append([]string{"list", "-deps",
		"-json=Module,Standard,Dir,GoFiles,CgoFiles,CFiles,HFiles,SFiles"}, args...)...)
	cmd.Dir = repository
	// With cgo, so that what only the NVML helper links is there.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOOS=linux", "GOARCH="+arch)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("cannot list what is linked: %w\n%s", err, said.String())
	}
	var all []linkedPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p linkedPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("cannot read go list: %w", err)
		}
		if !p.Standard && !p.Module.Main && p.Module.Dir == "" { // the modules are in vendor/
			if p.Module.Dir, err = filepath.Abs(filepath.Join(repository, "vendor", p.Module.Path)); err != nil {
				return nil, err
			}
		}
		all = append(all, p)
	}
}

// addModules adds the modules of packages to those that were found.
func addModules(found map[string]*Module, packages []linkedPackage, root, version string) error {
	for _, p := range packages {
		path, release, dir, terms := p.Module.Path, p.Module.Version, p.Module.Dir, p.Module.Dir
		switch {
		case p.Module.Main, p.Standard && root == "":
			continue
		case p.Standard:
			path, release, dir, terms = standardLibrary, version, root, termsOfGo(root, packages)
		}
		m := found[path]
		if m == nil {
			m = &Module{Path: path, Version: release}
			if err := m.read(terms); err != nil {
				return err
			}
			found[path] = m
		}
		if err := m.addNotices(dir, p); err != nil {
			return err
		}
	}
	return nil
}

// termsOfGo returns the directory that has Go's own licence. Debian's packages of Go
// leave it out of GOROOT; golang.org/x/sys, which every program uses, has the same one.
func termsOfGo(root string, packages []linkedPackage) string {
	if _, err := os.Stat(filepath.Join(root, "LICENSE")); errors.Is(err, fs.ErrNotExist) {
		for _, p := range packages {
			if p.Module.Path == sameTermsAsGo {
				return p.Module.Dir
			}
		}
	}
	return root
}

const sameTermsAsGo = "golang.org/x/sys"

// linkedPackage is what go list reports about one package.
type linkedPackage struct {
	Module struct {
		Path, Version, Dir string
		Main               bool
	}
	Standard                                  bool
	Dir                                       string
	GoFiles, CgoFiles, CFiles, HFiles, SFiles []string
}

// addNotices adds the notices in the files of a package that are compiled. dir
// is the module's directory.
func (m *Module) addNotices(dir string, p linkedPackage) error {
	below, err := filepath.Rel(dir, p.Dir)
	if err != nil {
		return err
	}
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles, p.CFiles, p.HFiles, p.SFiles) {
		list, err := notices(p.Dir, name, m.SPDX)
		if err != nil {
			return err
		}
		for _, n := range list {
			n.File = filepath.Join(below, name)
			if !slices.ContainsFunc(m.Notices, func(o Notice) bool { return o.Text == n.Text }) {
				m.Notices = append(m.Notices, n)
				m.Holders = append(m.Holders, holders(n.Text)...)
			}
		}
	}
	return nil
}

func goRoot(repository string) (dir, version string, err error) {
	cmd := exec.Command("go", "env", "GOROOT", "GOVERSION")
	cmd.Dir = repository
	out, err := cmd.Output()
	if err != nil {
		return "", "", fmt.Errorf("cannot find Go's own licence: %w", err)
	}
	dir, version, _ = strings.Cut(strings.TrimSpace(string(out)), "\n")
	return dir, version, nil
}

// termsFile matches the name of a file with a module's terms.
var termsFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice)(\.(md|txt))?$`)

// furtherTerms matches the name of a file with the terms of parts of a module, as
// yaml's LICENSE.libyaml.
var furtherTerms = regexp.MustCompile(`^LICENSE\.lib\w+$`)

// read reads the terms of a module from its directory.
func (m *Module) read(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("cannot read the licence of %s: %w", m.Path, err)
	}
	var texts []string
	for _, e := range entries {
		if !e.Type().IsRegular() || !termsFile.MatchString(e.Name()) && !furtherTerms.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return fmt.Errorf("cannot read the licence of %s: %w", m.Path, err)
		}
		plain := strings.Trim(strings.ReplaceAll(string(text), "\r", ""), "\n")
		if furtherTerms.MatchString(e.Name()) {
			m.Notices = append(m.Notices, Notice{File: e.Name(), SPDX: recognise(plain), Text: plain})
			continue
		}
		texts = append(texts, plain)
		if strings.HasPrefix(strings.ToUpper(e.Name()), "NOTICE") {
			m.Notice = plain
		}
	}
	m.Text = strings.Join(texts, "\n\n")
	m.Holders = holders(m.Text)
	if m.SPDX = recognise(m.Text); m.SPDX == "" {
		return fmt.Errorf("cannot tell the licence of %s from the files in %s: teach recognise about it", m.Path, dir)
	}
	return nil
}

// recognise returns the SPDX identifier of a licence, "" for one that it does
// not know. It looks for the sentences that only that licence has.
func recognise(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	has := func(s string) bool { return strings.Contains(text, s) }
	switch {
	case has("Apache License Version 2.0"):
		return "Apache-2.0"
	case has("Permission is hereby granted, free of charge, to any person obtaining a copy"):
		return "MIT"
	case has("Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee"):
		return "ISC"
	case !has("Redistribution and use in source and binary forms, with or without modification, are permitted"):
		return ""
	case has("Neither the name of") || has("may not be used to endorse or promote products"):
		return "BSD-3-Clause"
	default:
		return "BSD-2-Clause"
	}
}

var holder = regexp.MustCompile(`(?im)^\s*copyright\s+(?:©\s*|\(c\)\s*)*((?:\d|the ).*?)\s*$`)

// holders finds the lines that name copyright holders.
func holders(text string) []string {
	var found []string
	for _, m := range holder.FindAllStringSubmatch(text, -1) {
		who := strings.TrimSuffix(strings.TrimSuffix(m[1], " All rights reserved."), ".")
		if !slices.Contains(found, who) {
			found = append(found, who)
		}
	}
	return found
}
