// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// File says where one thing of this repository belongs on a host. Exactly one of
// Build and Source is set.
type File struct {
	Build    string // a main package, built as it is released
	Cgo      bool   // with a C compiler; left out where there is none
	Source   string // a file or a pattern, relative to the repository
	Dest     string // absolute; a directory if it ends in a slash
	Mode     fs.FileMode
	Optional bool // a pattern may match nothing
}

// Files is what the packages install, and where.
var Files = []File{
	{Build: "./cmd/justnews-generator", Dest: "/usr/lib/systemd/system-generators/", Mode: 0o755},
	{Build: "./cmd/justnews-gate", Dest: "/usr/bin/", Mode: 0o755},
	{Build: "./cmd/justnews-nvml", Cgo: true, Dest: "/usr/libexec/justnews/", Mode: 0o755},
	{Source: "units/*.service", Dest: "/usr/lib/systemd/system/", Mode: 0o644},
	{Source: "units/*.target", Dest: "/usr/lib/systemd/system/", Mode: 0o644},
	{Source: "units/*.timer", Dest: "/usr/lib/systemd/system/", Mode: 0o644, Optional: true},
	{Source: "units/justnews@.service.d/*.conf", Dest: "/usr/lib/systemd/system/justnews@.service.d/", Mode: 0o644},
	{Source: "units/sysusers.d/justnews.conf", Dest: "/usr/lib/sysusers.d/", Mode: 0o644},
	{Source: "units/tmpfiles.d/justnews.conf", Dest: "/usr/lib/tmpfiles.d/", Mode: 0o644},
	{Source: "units/polkit-1/*.rules", Dest: "/usr/share/polkit-1/rules.d/", Mode: 0o644},
	{Source: "man/*.5", Dest: "/usr/share/man/man5/", Mode: 0o644},
	{Source: "man/*.7", Dest: "/usr/share/man/man7/", Mode: 0o644},
	{Source: "man/*.8", Dest: "/usr/share/man/man8/", Mode: 0o644},
}

// ReferenceFiles is what stands in for the JustNews software itself, which is
// not ours to ship: an orchestrator and bus, and the agents' start script.
var ReferenceFiles = []File{
	{Build: "./internal/reference/cmd/justnews-reference", Dest: "/usr/local/bin/", Mode: 0o755},
	{Source: "test/bed/justnews-start-agent.sh", Dest: "/usr/local/bin/", Mode: 0o755},
	{Source: "test/bed/justnews-test.conf", Dest: "/usr/lib/tmpfiles.d/", Mode: 0o644},
	{Source: "test/bed/90-bed.conf", Dest: "/etc/systemd/system/justnews@.service.d/", Mode: 0o644},
}

// Install puts our files where the packages put them and does what their
// maintainer scripts do: users and groups, and justnews.target enabled.
func (tree *Tree) Install() {
	tree.t.Helper()
	tree.Put(Files...)
	tree.Run("systemd-sysusers", "justnews.conf")
	tree.Run("systemctl", "enable", "justnews.target")
}

// InstallReference puts the stand-ins there.
func (tree *Tree) InstallReference() {
	tree.t.Helper()
	tree.Put(ReferenceFiles...)
}

// Put installs files of this repository.
func (tree *Tree) Put(list ...File) {
	tree.t.Helper()
	repo, err := repository()
	if err != nil {
		tree.t.Fatal(err)
	}
	list = slices.DeleteFunc(slices.Clone(list), func(f File) bool { return f.Cgo && !compiler() })
	// One for each clone: two that are tested side by side have two programs.
	at := sha256.Sum256([]byte(repo))
	binaries := filepath.Join(tree.cache, fmt.Sprintf("bin-%x", at[:4]))
	for _, cgo := range []bool{false, true} {
		if err := build(repo, binaries, packagesOf(list, cgo), cgo); err != nil {
			tree.t.Fatal(err)
		}
	}
	for _, f := range list {
		sources := []string{filepath.Join(binaries, filepath.Base(f.Build))}
		if f.Build == "" {
			if sources, err = filepath.Glob(filepath.Join(repo, f.Source)); err != nil {
				tree.t.Fatal(err)
			}
		}
		if len(sources) == 0 && !f.Optional {
			tree.t.Fatal(fmt.Errorf("cannot install %s: the repository has none", f.Source))
		}
		for _, from := range sources {
			to := f.Dest
			if strings.HasSuffix(to, "/") {
				to += filepath.Base(from)
			}
			tree.Copy(from, to, f.Mode)
		}
	}
}

// packagesOf returns the main packages of a list that are built with cgo, or
// those that are not.
func packagesOf(list []File, cgo bool) []string {
	var packages []string
	for _, f := range list {
		if f.Build != "" && f.Cgo == cgo {
			packages = append(packages, f.Build)
		}
	}
	return packages
}
