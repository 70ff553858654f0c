// SPDX-License-Identifier: Apache-2.0

// Package seal reads and writes the manifest that lists every file of a version
// with its SHA-256, so that a damaged file can be identified and files are
// hashed in parallel. It does not access the files of the version.
//
// It is in VERSION/.justnews/manifest.json. JustNews' checksum leaves out every
// file of that name, in any directory, so a seal does not affect JustNews.
package seal

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"justnews/internal/safefile"
)

// The path of a seal below its version.
const (
	Dir  = ".justnews"
	name = "manifest.json"
	// Rel is the complete path.
	Rel = Dir + "/" + name
)

// Schema is the version of the text: seal.schema.json.
const Schema = 1

// maxBytes is the longest text that is read: 200,000 files.
const maxBytes = 64 << 20

// Manifest is one seal.
type Manifest struct {
	Schema    int    `json:"schema"`
	Version   string `json:"version"`   // the version's directory
	Algorithm string `json:"algorithm"` // "sha256"
	// Upstream is the checksum in the version's manifest.json when it was
	// sealed, "" if there was none: a version that is finalized again needs a
	// new seal.
	Upstream string `json:"upstream_checksum"`
	Files    []File `json:"files"` // sorted by path
	Links    []Link `json:"links"` // sorted by path
}

// File is one regular file.
type File struct {
	Path   string `json:"path"` // below the version, with /
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// Link is one symbolic link.
type Link struct {
	Path   string `json:"path"`
	Target string `json:"target"`
}

// Text returns the manifest as it is written, identical for the same version.
func (m Manifest) Text() ([]byte, error) {
	m.Schema, m.Algorithm = Schema, "sha256"
	m.Files, m.Links = slices.Clone(m.Files), slices.Clone(m.Links)
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(m.Links, func(a, b Link) int { return strings.Compare(a.Path, b.Path) })
	if m.Files == nil {
		m.Files = []File{}
	}
	if m.Links == nil {
		m.Links = []Link{}
	}
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, fmt.Errorf("cannot write the seal: %w", err)
	}
	return append(text, '\n'), nil
}

// Parse reads a manifest and rejects an invalid one.
func Parse(text []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return Manifest{}, fmt.Errorf("it is not a seal: %w", err)
	}
	if m.Schema != Schema || m.Algorithm != "sha256" {
		return Manifest{}, fmt.Errorf("it is a seal of schema %d with %q, this program reads schema %d with \"sha256\"", m.Schema, m.Algorithm, Schema)
	}
	last := ""
	for _, f := range m.Files {
		if !below(f.Path) || len(f.SHA256) != 2*sha256.Size || f.Size < 0 || f.Path <= last {
			return Manifest{}, fmt.Errorf("its entry %q is not valid", f.Path)
		}
		last = f.Path
	}
	for _, l := range m.Links {
		if !below(l.Path) || l.Target == "" {
			return Manifest{}, fmt.Errorf("its link %q is not valid", l.Path)
		}
	}
	return m, nil
}

// below reports whether a path stays below the version.
func below(p string) bool {
	return p != "" && p == path.Clean(p) && !path.IsAbs(p) && p != ".." && !strings.HasPrefix(p, "../")
}

// Read returns the text of a version's seal; fs.ErrNotExist if it has none.
func Read(version string) ([]byte, error) {
	return safefile.Read(filepath.Join(version, Rel), maxBytes)
}

// Write writes the text of a seal to a version, atomically, and with the
// permissions of the version itself.
func Write(version string, text []byte) error {
	if err := write(version, text); err != nil {
		return fmt.Errorf("cannot write the seal: %w", err)
	}
	return nil
}

func write(version string, text []byte) error {
	root, err := safefile.OpenRoot(version)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	made := root.Mkdir(Dir, 0o755)
	if made != nil && !errors.Is(made, fs.ErrExist) {
		return made
	}
	dir, err := safefile.Enter(root, Dir)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	seal := safefile.New{Data: text, Mode: 0o644, Sync: true}
	// A seal written by root gets the owner of the version, who must be able to
	// replace it, and so does the directory that root made for it: any other may be something
	// of root's, for example by a hard link.
	if os.Geteuid() == 0 {
		of, err := safefile.Of(root)
		if err != nil {
			return err
		}
		seal.Owner, seal.Group = of.UID, of.GID
		if made == nil {
			if err := dir.Chown(".", of.UID, of.GID); err != nil {
				return err
			}
		}
	}
	return seal.Replace(dir, name)
}
