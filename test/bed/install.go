// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"crypto/sha256"
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"slices"

	"justnews/packaging/contents"
)

// ReferenceFiles are the stand-ins for the JustNews software itself, which we cannot
// distribute: an orchestrator and bus, and the agents' start script.
var ReferenceFiles = []contents.File{
	{Build: "./test/reference/cmd/justnews-reference", Dest: "/usr/local/bin/", Mode: 0o755},
	{Source: "test/bed/justnews-start-agent.sh", Dest: "/usr/local/bin/", Mode: 0o755},
	{Source: "test/bed/justnews-test.conf", Dest: "/usr/lib/tmpfiles.d/", Mode: 0o644},
	{Source: "test/bed/90-bed.conf", Dest: "/etc/systemd/system/justnews@.service.d/", Mode: 0o644},
}

// Install puts our files where the packages put them and creates users and groups as their
// maintainer scripts do. It also enables justnews.target, as an operator would.
// Documentation is omitted.
func (tree *Tree) Install() {
	tree.t.Helper()
	tree.Put(slices.DeleteFunc(contents.For(contents.Files, "deb"), func(f contents.File) bool {
		return f.Kind == contents.Doc || f.Kind == contents.Licence || f.Kind == contents.Config || f.Only != ""
	})...)
	tree.Run("systemd-sysusers", "justnews.conf")
	tree.Run("systemctl", "enable", "justnews.target")
}

// InstallReference installs the stand-ins.
func (tree *Tree) InstallReference() {
	tree.t.Helper()
	tree.Put(ReferenceFiles...)
}

// Put installs files from this repository. A program that needs a C compiler is omitted if
// there is none.
func (tree *Tree) Put(list ...contents.File) {
	tree.t.Helper()
	repo, err := repository()
	if err != nil {
		tree.t.Fatal(err)
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		list = slices.DeleteFunc(slices.Clone(list), func(f contents.File) bool { return f.Cgo })
	}
	items, err := contents.Expand(repo, list)
	if err != nil {
		tree.t.Fatal(err)
	}
	// One for each clone: two clones may be tested at the same time.
	at := sha256.Sum256([]byte(repo))
	binaries := filepath.Join(tree.cache, fmt.Sprintf("bin-%x", at[:4]))
	lock, err := lockFile(binaries + ".lock") // nothing is copied while it is being built
	if err != nil {
		tree.t.Fatal(err)
	}
	defer func() { _ = lock.Close() }()
	if err := build(repo, binaries, items); err != nil {
		tree.t.Fatal(err)
	}
	for _, item := range items {
		switch {
		case item.Kind == contents.Dir:
			tree.Mkdir(item.Dest, item.Mode)
		case item.Build != "":
			tree.Copy(filepath.Join(binaries, path.Base(item.Build)), item.Dest, item.Mode)
		default:
			tree.WriteFile(item.Dest, string(item.Content), item.Mode)
		}
	}
}

// OneWeight is a complete safetensors file: the length of its header in 8 bytes, the header,
// one number. A snapshot without weights is not a model.
const OneWeight = "\x36\x00\x00\x00\x00\x00\x00\x00" + `{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}` + "\x00\x00\x80\x3f"
