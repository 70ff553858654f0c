// SPDX-License-Identifier: Apache-2.0

package contents

import (
	"bytes"
	"compress/gzip"
	"debug/buildinfo"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/catalogue"
	"justnews/internal/config"
	"justnews/internal/diag"
)

const repo = "../.."

var update = flag.Bool("update", false, "write debian/copyright")

// belongs lists the files of the repository that have to be installed on a host.
var belongs = []string{
	"cmd/*", "units/*.*", "units/*/*", "man/*.[1-9]", "*/*/*.schema.json", "packaging/examples/*", "examples/*/*", "packaging/compat/*.sh",
	"packaging/justnews.toml", "LICENSE", "CHANGELOG.md",
}

func TestContents_AreComplete(t *testing.T) {
	listed := map[string]bool{}
	for _, f := range Files {
		for _, name := range glob(t, f.Build+f.Source) {
			listed[name] = true
		}
	}
	found := 0
	for _, pattern := range belongs {
		for _, name := range glob(t, pattern) {
			if info, err := os.Stat(name); err != nil || info.IsDir() && !strings.HasPrefix(pattern, "cmd/") {
				continue
			}
			if strings.HasPrefix(name, filepath.Join(repo, "examples/ansible")+"/") {
				continue // for the machine that runs Ansible
			}
			found++
			if !listed[name] {
				t.Errorf("%s is in no package: add it to Files", name)
			}
		}
	}
	if found < 20 {
		t.Fatalf("found only %d files", found)
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(repo, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestContents_FilesAreUniqueAndNotWritable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repo, "units/tmpfiles.d/justnews.conf"))
	if err != nil {
		t.Fatal(err)
	}
	var created []string
	for line := range strings.Lines(string(text)) {
		created = append(created, strings.Join(strings.Fields(line), " "))
	}
	for _, format := range []string{"deb", "rpm"} {
		items, err := Expand(repo, For(Files, format))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, i := range items {
			if seen[i.Dest] {
				t.Errorf("%s: %s is there twice", format, i.Dest)
			}
			seen[i.Dest] = true
			// The gate and its helper are executed by others, and read by root alone.
			readable := fs.FileMode(0o444)
			if i.Build == "./cmd/justnews-gate" || i.Build == "./cmd/justnews-nvml" {
				readable = 0o400
			}
			if i.Kind == Ghost { // tmpfiles.d decides
				if line := fmt.Sprintf("d %s %04o root %s -", i.Dest, uint32(i.Mode), i.Group); !slices.Contains(created, line) {
					t.Errorf("%s: %q is not among %q", format, line, created)
				}
				continue
			}
			if i.Mode&0o022 != 0 || !filepath.IsAbs(i.Dest) || i.Mode&0o444 != readable {
				t.Errorf("%s: %s has mode %o", format, i.Dest, i.Mode)
			}
			if i.Build == "" && i.Kind != Dir && i.Kind != Ghost && len(i.Content) == 0 {
				t.Errorf("%s: %s is empty", format, i.Dest)
			}
			if strings.HasPrefix(i.Dest, "/etc/") && i.Kind != Config && i.Kind != Dir {
				t.Errorf("%s: %s is the administrator's, so it must be a configuration file", format, i.Dest)
			}
		}
		for _, want := range []string{"/usr/bin/justnews-gate", "/etc/justnews/justnews.toml", "/usr/share/man/man8/justnews-gate.8.gz"} {
			if !seen[want] {
				t.Errorf("%s: %s is missing", format, want)
			}
		}
	}
}

func TestContents_MissingFileIsAnErrorUnlessOptional(t *testing.T) {
	if _, err := Expand(repo, []File{{Source: "units/*.nothing", Dest: "/x/"}}); err == nil {
		t.Error("a pattern that matches nothing is no error")
	}
	if _, err := Expand(repo, []File{{Build: "./cmd/justnews-nothing", Dest: "/x/"}}); err == nil {
		t.Error("a missing program is no error")
	}
	items, err := Expand(repo, []File{{Source: "units/*.nothing", Dest: "/x/", Optional: true}})
	if err != nil || len(items) != 0 {
		t.Errorf("%v, %v", items, err)
	}
}

func TestContents_CompressionIsReproducible(t *testing.T) {
	text := []byte(strings.Repeat("justnews ", 100))
	a, b := compress(text), compress(text)
	if !bytes.Equal(a, b) {
		t.Error("two results")
	}
	r, err := gzip.NewReader(bytes.NewReader(a))
	if err != nil {
		t.Fatal(err)
	}
	if !r.ModTime.IsZero() || r.Name != "" {
		t.Errorf("it carries a time or a name: %v", r.Header)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, text) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestJournalCatalog_HasEveryProblem(t *testing.T) {
	text, err := journalCatalog(repo)
	if err != nil {
		t.Fatal(err)
	}
	// journald would put a field in its place.
	if m := regexp.MustCompile(`@[A-Z_]+@`).Find(text); m != nil {
		t.Errorf("%s would be replaced", m)
	}
	entries := strings.Split(string(text), "\n-- ")[1:]
	if len(entries) != len(catalogue.Entries()) {
		t.Fatalf("%d entries of %d", len(entries), len(catalogue.Entries()))
	}
	for i, e := range catalogue.Entries() {
		head, body, _ := strings.Cut(entries[i], "\n\n")
		if !strings.HasPrefix(head, e.MessageID+"\nSubject: "+string(e.Code)+": "+e.Title+"\n") {
			t.Errorf("%s: %s", e.Code, head)
		}
		words := strings.Join(strings.Fields(body), " ")
		for _, part := range []string{e.Cause, "Look: " + e.Check[0].String(), "Fix: " + e.Fix.Advice} {
			if !strings.Contains(words, strings.Join(strings.Fields(part), " ")) {
				t.Errorf("%s: %q is not in\n%s", e.Code, part, body)
			}
		}
	}
}

// The second judge: the real journalctl compiles it and finds every entry.
func TestJournalCatalog_IsReadByJournalctl(t *testing.T) {
	if _, err := exec.LookPath("journalctl"); err != nil {
		t.Skip("there is no journalctl")
	}
	text, err := journalCatalog(repo)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	dir := filepath.Join(root, "usr/lib/systemd/catalog")
	for _, d := range []string{dir, filepath.Join(root, "var/lib/systemd/catalog")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "justnews.catalog"), text, fs.FileMode(0o644)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "journalctl", "--root="+root, "--update-catalog").CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), "journalctl", "--root="+root, "--no-pager", "--dump-catalog").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range catalogue.Entries() {
		if !strings.Contains(string(out), "-- "+e.MessageID+"\nSubject: "+string(e.Code)) {
			t.Errorf("journalctl does not know %s", e.Code)
		}
	}
}

// What the builder's own programs are to have is not in a package for others.
func TestBuild_IgnoresTheBuildersSettings(t *testing.T) {
	for name, value := range map[string]string{
		"GOAMD64": "v3", "GOARM64": "v9.0", "GOFIPS140": "latest", "GOEXPERIMENT": "nogreenteagc", "GODEBUG": "madvdontneed=1",
		"CGO_CPPFLAGS": "-DX", "CGO_CXXFLAGS": "-DX", "GOWORK": filepath.Join(t.TempDir(), "go.work"), "GOFLAGS": "-tags=netcgo", "GOOS": "plan9", "GOARCH": "mips",
	} {
		t.Setenv(name, value)
	}
	dir := t.TempDir()
	for _, arch := range []string{"amd64", "arm64"} {
		if err := (Release{Version: "1.2.3", Arch: arch}).Build(repo, dir, false, "./cmd/justnews-generator"); err != nil {
			t.Fatal(err)
		}
		info, err := buildinfo.ReadFile(filepath.Join(dir, "justnews-generator"))
		if err != nil {
			t.Fatal(err)
		}
		level := map[string]string{"amd64": "GOAMD64=v1", "arm64": "GOARM64=v8.0"}[arch]
		want := []string{"-buildmode=exe", "-compiler=gc", "-trimpath=true", "CGO_ENABLED=0", "GOARCH=" + arch, "GOOS=linux", level}
		var got []string
		for _, s := range info.Settings {
			got = append(got, s.Key+"="+s.Value)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", arch, diff)
		}
	}
}

func TestExamples_SeventeenLoads(t *testing.T) {
	cfg, problems := config.Load(config.Source{File: filepath.Join(repo, "packaging/examples/seventeen.toml"), Owner: os.Getuid()})
	if cfg == nil || len(problems) > 0 || len(cfg.Instances) != 17 {
		t.Errorf("%v", problems)
	}
}

func TestExamples_FixesHaveTheirPaths(t *testing.T) {
	if examples != diag.Examples {
		t.Errorf("%s is not %s", diag.Examples, examples)
	}
}

func TestLicences_UnknownLicenceIsAnError(t *testing.T) {
	for text, want := range map[string]string{
		"Apache License\n   Version 2.0, January 2004":                                                                        "Apache-2.0",
		"Permission is hereby granted, free of charge, to any\nperson obtaining a copy":                                       "MIT",
		"Redistribution and use in source and binary forms, with or without\nmodification, are permitted":                     "BSD-2-Clause",
		"Redistribution and use in source and binary forms, with or without modification, are permitted\nNeither the name of": "BSD-3-Clause",
		"Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee":                "ISC",
		"GNU GENERAL PUBLIC LICENSE Version 3":                                                                                "",
		"":                                                                                                                    "",
	} {
		if got := recognise(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	m := Module{Path: "example.org/none"}
	if err := m.read(t.TempDir()); err == nil {
		t.Error("a module without terms is no error")
	}
}

func TestLicences_CoverEverythingLinked(t *testing.T) {
	modules, err := Linked(repo)
	if err != nil {
		t.Fatal(err)
	}
	if len(modules) < 5 || !slices.ContainsFunc(modules, func(m Module) bool { return m.Path == standardLibrary }) {
		t.Fatalf("only %v", modules)
	}
	head, err := os.ReadFile(filepath.Join(repo, "packaging/nfpm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "\nlicense: " + Expression(modules) + "\n"; !strings.Contains(string(head), want) {
		t.Errorf("packaging/nfpm.yaml lacks%s", want)
	}
	copyright, err := debianCopyright(repo)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := thirdParties(repo)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range modules {
		if !strings.Contains(string(copyright), "Comment: "+m.Path+" "+m.Version+"\n") || !strings.Contains(string(texts), "\n"+m.Path+" "+m.Version+": "+m.SPDX+"\n") {
			t.Errorf("%s %s is not named", m.Path, m.Version)
		}
		if !strings.Contains(string(texts), m.Text) {
			t.Errorf("the terms of %s are not there in full", m.Path)
		}
		for _, n := range m.Notices {
			if !strings.Contains(string(texts), n.Text) || !strings.Contains(string(copyright), deb822(n.Text)) {
				t.Errorf("the notice in %s of %s is not there in full", n.File, m.Path)
			}
		}
	}
	// nvml.h asks for its notice in the user documentation.
	for name, text := range map[string]string{"copyright": string(copyright), "licences": string(texts)} {
		words := strings.Join(strings.Fields(text), " ")
		for _, want := range []string{
			"NVIDIA MAKES NO REPRESENTATION ABOUT THE SUITABILITY OF THIS SOURCE CODE FOR ANY PURPOSE.",
			"U.S. Government End Users acquire the source code with only those rights set forth herein.",
		} {
			if !strings.Contains(words, want) {
				t.Errorf("%s lacks NVIDIA's notice: %q", name, want)
			}
		}
	}
}

func TestLicences_UnknownTermsAreAnError(t *testing.T) {
	for text, want := range map[string]string{
		"// Copyright 2009 The Go Authors.\n// Use of this source code is governed by a BSD-style\n// license that can be found in the LICENSE file.\n":                "",
		"package x\n\n/*\n * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.\n * freely granted, provided that this notice\n * is preserved.\n */\n": "SunPro",
		"// SPDX-License-Identifier: MIT\n":                                         "",
		"// SPDX-License-Identifier: MIT\n// Copyright (c) 2020 Somebody\n":         "",
		"/*\n * Copyright 2020 Somebody\n * SPDX-License-Identifier: MIT\n */\nx\n": "",
	} {
		name := filepath.Join(t.TempDir(), "x.go")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := notices(filepath.Dir(name), "x.go", "MIT")
		if got := (Module{Notices: found}).fileLicences(); err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %v, %v; want %q", text, got, err, want)
		}
	}
	name := filepath.Join(t.TempDir(), "x.h")
	for _, text := range []string{
		"/* Copyright (c) 2020 Somebody. All rights reserved. */\n",
		"// Permission is hereby granted, free of charge, to nobody.\n",
		// Copied from a project with another licence.
		"// Copyright 2020 Somebody\n//\n// Licensed under the Apache License, Version 2.0 (the \"License\");\n",
		"// SPDX-License-Identifier: GPL-2.0-only\n",
		"/* SPDX-License-Identifier: MIT OR GPL-2.0-only */\n",
		"// SPDX-License-Identifier: MIT AND BSD-3-Clause\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if found, err := notices(filepath.Dir(name), "x.h", "MIT"); err == nil {
			t.Errorf("%q has the terms %v", text, found)
		}
	}
}

// What Debian's source package has, tests included: vendor/ is made from go.mod.
func TestLicences_DebianCopyrightCoversVendoredModules(t *testing.T) {
	const name = "debian/copyright"
	want, err := SourceCopyright(repo)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(filepath.Join(repo, name), want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(filepath.Join(repo, name))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from what go.mod requires: make generate", name)
	}
}

// Debian's packages of Go have no licence in GOROOT.
func TestLicences_OfGoAreIncluded(t *testing.T) {
	root := t.TempDir()
	goroot, _, err := goRoot(repo)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(goroot)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == "LICENSE" || e.Name() == "PATENTS" {
			continue
		}
		if err := os.Symlink(filepath.Join(goroot, e.Name()), filepath.Join(root, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	want, err := thirdParties(repo)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOROOT", root)
	got, err := thirdParties(repo)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the terms differ:\n%s", cmp.Diff(string(want), string(got)))
	}
}

func TestSplit_FreePackageLinksNothingOfNVIDIA(t *testing.T) {
	for _, format := range []string{"deb", "rpm"} {
		plain := slices.DeleteFunc(For(Files, format), func(f File) bool { return f.Make != nil })
		items, err := Expand(repo, plain)
		if err != nil {
			t.Fatal(err)
		}
		split := Split(items)
		if len(split) != 2 || len(split["justnews"])+len(split["justnews-nvidia"]) != len(items) {
			t.Fatalf("%d packages, %d and %d items of %d", len(split), len(split["justnews"]), len(split["justnews-nvidia"]), len(items))
		}
		for _, dest := range nvidia {
			dir := format == "deb" && dest+"/" == libexec // dpkg makes it itself
			if !dir && !slices.ContainsFunc(split["justnews-nvidia"], func(i Item) bool { return i.Dest == dest }) {
				t.Errorf("%s: there is no %s", format, dest)
			}
		}
		modules, err := Linked(repo, slices.Concat(Builds(split["justnews"], false), Builds(split["justnews"], true))...)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range modules {
			if strings.Contains(m.Path, "NVIDIA") {
				t.Errorf("%s: justnews is linked with %s", format, m.Path)
			}
		}
	}
}
