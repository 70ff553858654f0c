// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"justnews/packaging/contents"
)

const (
	repository = "."
	config     = "packaging/nfpm.yaml"
	tools      = "packaging/tools/go.mod"
)

// packArch makes the packages of one architecture and prints their names.
func packArch(o origin, arch string, formats []string, out string) error {
	scratch, err := os.MkdirTemp("", "justnews-pack-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	bin := filepath.Join(scratch, "bin")
	all, err := contents.Expand(repository, contents.Programs(contents.Files))
	if err != nil {
		return err
	}
	if err := buildAll(o, arch, bin, all); err != nil {
		return err
	}
	for _, format := range formats {
		file, err := packOne(o, arch, format, bin, filepath.Join(scratch, format), out)
		if err != nil {
			return err
		}
		fmt.Println(file)
	}
	return nil
}

func buildAll(o origin, arch, bin string, programs []contents.Item) error {
	release := contents.Release{Version: o.version, Arch: arch, VCS: o.vcs}
	for _, cgo := range []bool{false, true} {
		if err := release.Build(repository, bin, cgo, contents.Builds(programs, cgo)...); err != nil {
			return err
		}
	}
	return nil
}

// packOne makes one package of what is built and returns its name.
func packOne(o origin, arch, format, bin, scratch, out string) (string, error) {
	list := contents.For(contents.Files, format)
	if format == "deb" {
		list = append(list, contents.File{Make: debianChangelog(o), Dest: "/usr/share/doc/justnews/changelog.Debian", Mode: 0o644, Gzip: true})
	}
	items, err := contents.Expand(repository, list)
	if err != nil {
		return "", err
	}
	root := filepath.Join(scratch, "root")
	if err := stage(items, bin, o.when, func(i contents.Item) string { return staged(root, i) }); err != nil {
		return "", err
	}
	log, err := rpmChangelog(o)
	if err != nil {
		return "", err
	}
	changes := filepath.Join(scratch, "changes.yaml")
	if err := os.WriteFile(changes, log, 0o644); err != nil {
		return "", err
	}
	text, err := nfpmConfig(items, format, root, changes)
	if err != nil {
		return "", err
	}
	file := filepath.Join(scratch, "nfpm.yaml")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return "", err
	}
	name, err := nfpm(o, arch, format, file, out)
	if err != nil {
		return "", err
	}
	return name, writeSBOM(o, name, items, bin)
}

// stage lays everything out as it will be on the host, each item in its place.
func stage(items []contents.Item, bin string, when time.Time, place func(contents.Item) string) error {
	for _, item := range items {
		if item.Kind == contents.Ghost {
			continue
		}
		to := place(item)
		dir := filepath.Dir(to)
		if item.Kind == contents.Dir {
			dir = to
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if item.Kind == contents.Dir {
			continue
		}
		text, err := content(item, bin)
		if err != nil {
			return err
		}
		if err := os.WriteFile(to, text, item.Mode); err != nil {
			return err
		}
		if err := os.Chtimes(to, when, when); err != nil {
			return err
		}
	}
	return nil
}

// content returns what is in a file of the package. bin has the built programs.
func content(item contents.Item, bin string) ([]byte, error) {
	if item.Build != "" {
		return os.ReadFile(filepath.Join(bin, path.Base(item.Build)))
	}
	return item.Content, nil
}

// staged returns where stage puts an item. nfpm takes it for a pattern, in which
// a backslash means something.
func staged(root string, item contents.Item) string {
	return filepath.Join(root, strings.ReplaceAll(item.Dest, `\`, "_"))
}

// buildable returns why a package cannot be built for an architecture here.
func buildable(arch string) error {
	items, err := contents.Expand(repository, contents.Programs(contents.Files))
	if err != nil || len(contents.Builds(items, true)) == 0 {
		return err
	}
	_, err = contents.CCompiler(arch)
	return err
}

// entry is one file in nfpm's words.
type entry struct {
	Src  string `json:"src,omitempty"`
	Dst  string `json:"dst"`
	Type string `json:"type,omitempty"`
	Info struct {
		Mode  fs.FileMode `json:"mode"`
		Owner string      `json:"owner"`
		Group string      `json:"group"`
	} `json:"file_info"`
}

// nfpmConfig is packaging/nfpm.yaml with the contents and the changes; JSON is
// YAML, too.
func nfpmConfig(items []contents.Item, format, root, changes string) ([]byte, error) {
	head, err := os.ReadFile(config)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, item := range items {
		e := entry{Dst: item.Dest, Type: string(item.Kind)}
		if format != "rpm" && (item.Kind == contents.Doc || item.Kind == contents.Licence) {
			e.Type = "" // nfpm would leave out what only rpm marks
		}
		e.Info.Mode, e.Info.Owner, e.Info.Group = item.Mode, "root", item.Group
		switch item.Kind {
		case contents.Dir:
		case contents.Ghost:
			e.Info.Mode |= unix.S_IFDIR // nfpm has no type for a directory
		default:
			e.Src = staged(root, item)
		}
		entries = append(entries, e)
	}
	list, err := json.MarshalIndent(entries, "", "  ")
	if err != nil {
		return nil, err
	}
	if format == "rpm" { // a deb has its changelog among its contents
		head = fmt.Appendf(head, "\nchangelog: %q\n", changes)
	}
	return fmt.Appendf(head, "\ncontents: %s\n", list), nil
}

// nfpm runs nfpm, in the version that packaging/tools pins.
func nfpm(o origin, arch, format, file, out string) (string, error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "tool", "-modfile="+tools, "nfpm", "package",
		"--config", file, "--packager", format, "--target", out+"/")
	cmd.Env = append(os.Environ(), "VERSION="+o.version, "MAINTAINER="+maintainer(), "ARCH="+arch, "SOURCE_DATE_EPOCH="+strconv.FormatInt(o.when.Unix(), 10))
	said, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("cannot pack the %s for %s: %w\n%s", format, arch, err, said)
	}
	for line := range strings.Lines(string(said)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "created package: "); ok {
			return name, nil
		}
	}
	return "", fmt.Errorf("cannot find the name of the %s in what nfpm says:\n%s", format, said)
}
