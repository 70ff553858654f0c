// SPDX-License-Identifier: Apache-2.0

// Package unitfiles finds the files that override the packaged units and the
// generator's drop-ins. It reads them by systemd's own rules; their effect is
// reported by systemd and judged elsewhere.
package unitfiles

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/safefile"
	"justnews/internal/unitfile"
)

// dirs take precedence over the directories of packages and generators
// (systemd.unit(5)), highest first.
var dirs = []string{
	"/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient",
	"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
}

const maxSize = 1 << 20

// Overrides returns every file there that concerns one of our units, below
// root.
func Overrides(root string) []facts.UnitFile {
	var all []facts.UnitFile
	for _, dir := range dirs {
		entries, err := os.ReadDir(filepath.Join(root, dir))
		if err != nil {
			continue
		}
		for _, e := range entries {
			name := e.Name()
			switch {
			case !strings.HasPrefix(name, "justnews"):
			case strings.HasSuffix(name, ".d"):
				all = append(all, dropIns(root, dir, name)...)
			case isUnit(name):
				all = append(all, look(root, dir, "", name))
			}
		}
	}
	return all
}

func dropIns(root, dir, name string) []facts.UnitFile {
	entries, err := os.ReadDir(filepath.Join(root, dir, name))
	if err != nil {
		return nil
	}
	var all []facts.UnitFile
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".conf") {
			all = append(all, look(root, dir, name, e.Name()))
		}
	}
	return all
}

func isUnit(name string) bool {
	return slices.Contains([]string{".service", ".target", ".timer", ".socket", ".path"}, filepath.Ext(name))
}

// look reads one file. A link to a unit file, as systemctl enable creates, is
// not an override.
func look(root, dir, sub, name string) facts.UnitFile {
	f := facts.UnitFile{Path: filepath.Join(dir, sub, name), Dir: sub, Name: name}
	if target, err := os.Readlink(filepath.Join(root, f.Path)); err == nil && target == "/dev/null" {
		f.Null = true
		return f
	}
	text, err := read(filepath.Join(root, f.Path))
	switch {
	case errors.Is(err, fs.ErrPermission): // nothing is known of it
	case err != nil:
		f.Broken = []facts.UnitFault{{Reason: err.Error(), Rest: true}}
	default:
		f.Null = len(text) == 0
		settings, faults := unitfile.Scan(text)
		f.Keys = lists.Map(settings, func(s unitfile.Setting) string { return s.Key })
		f.Broken = lists.Map(faults, func(x unitfile.Fault) facts.UnitFault { return facts.UnitFault(x) })
	}
	return f
}

func read(name string) ([]byte, error) {
	text, err := safefile.Read(name, maxSize)
	if errors.Is(err, safefile.ErrNotRegular) {
		err = safefile.ErrNotRegular
	}
	return text, err
}
