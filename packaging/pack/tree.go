// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"justnews/packaging/contents"
)

// layOut builds the programs for this machine and lays out what a format installs:
// each package of contents.Split below a directory of its name, or, where lists of
// files tell them apart, all of them below one.
func layOut(o origin, format, dir string, lists bool) error {
	bin, err := os.MkdirTemp("", "justnews-pack-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(bin) }()
	items, err := contents.Expand(repository, contents.For(contents.Files, format))
	if err != nil {
		return err
	}
	if err := buildAll(o, runtime.GOARCH, bin, items); err != nil {
		return err
	}
	for name, part := range contents.Split(items) {
		root := dir
		if !lists {
			root = filepath.Join(dir, name)
		}
		if err := stage(part, bin, o.when, func(i contents.Item) string { return filepath.Join(root, i.Dest) }); err != nil {
			return err
		}
		if !lists {
			continue
		}
		for _, i := range part { // rpmbuild requires them in its root
			if i.Kind == contents.Ghost {
				if err := os.MkdirAll(filepath.Join(root, i.Dest), 0o755); err != nil {
					return err
				}
			}
		}
		if err := os.WriteFile(name+".files", rpmFiles(part), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// rpmFiles is a list of files as %files -f takes it.
func rpmFiles(items []contents.Item) []byte {
	kinds := map[contents.Kind]string{
		contents.Config: "%config(noreplace) ", contents.Doc: "%doc ", contents.Licence: "%license ",
		contents.Dir: "%dir ", contents.Ghost: "%ghost %dir ",
	}
	var b bytes.Buffer
	for _, i := range items {
		// How a backslash is quoted depends on rpm's version. What matches it does not.
		fmt.Fprintf(&b, "%s%%attr(%04o,root,%s) %s\n", kinds[i.Kind], i.Mode, i.Group, strings.ReplaceAll(i.Dest, `\`, "?"))
	}
	return b.Bytes()
}
