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
	release := contents.Release{Version: o.version, Arch: arch}
	for _, cgo := range []bool{false, true} {
		if err := release.Build(repository, bin, cgo, contents.Builds(all, cgo)...); err != nil {
			return err
		}
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

// packOne makes one package of what is built and returns its name.
func packOne(o origin, arch, format, bin, scratch, out string) (string, error) {
	items, err := contents.Expand(repository, contents.For(contents.Files, format))
	if err != nil {
		return "", err
	}
	root := filepath.Join(scratch, "root")
	if err := stage(items, root, bin, o.when); err != nil {
		return "", err
	}
	changes := filepath.Join(scratch, "changes.yaml")
	if err := os.WriteFile(changes, changelog(o), 0o644); err != nil {
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
	return nfpm(o, arch, format, file, out)
}

// stage lays everything out below a directory as it will be on the host.
func stage(items []contents.Item, root, bin string, when time.Time) error {
	for _, item := range items {
		to := staged(root, item)
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
		text := item.Content
		if item.Build != "" {
			var err error
			if text, err = os.ReadFile(filepath.Join(bin, path.Base(item.Build))); err != nil {
				return err
			}
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
		e.Info.Mode, e.Info.Owner, e.Info.Group = item.Mode, "root", "root"
		if item.Kind != contents.Dir {
			e.Src = staged(root, item)
		}
		entries = append(entries, e)
	}
	list, err := json.MarshalIndent(entries, "", "  ")
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(head, "\nchangelog: %q\n\ncontents: %s\n", changes, list), nil
}

// changelog is the package's own entry; the changes of the toolkit are in its
// changelog.
func changelog(o origin) []byte {
	return fmt.Appendf(nil, `- semver: %q
  date: %s
  packager: JustNews maintainers <maintainers@justnews.example>
  deb: {urgency: medium, distributions: [unstable]}
  changes:
    - note: Made from the sources of this version; see the changelog.
`, o.version+"-1", o.when.Format(time.RFC3339))
}

// nfpm runs nfpm, in the version that packaging/tools pins.
func nfpm(o origin, arch, format, file, out string) (string, error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return "", err
	}
	cmd := exec.Command(contents.GoCommand(), "tool", "-modfile="+tools, "nfpm", "package",
		"--config", file, "--packager", format, "--target", out+"/")
	cmd.Env = append(os.Environ(), "VERSION="+o.version, "ARCH="+arch, "SOURCE_DATE_EPOCH="+strconv.FormatInt(o.when.Unix(), 10))
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
