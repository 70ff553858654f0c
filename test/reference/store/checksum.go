// SPDX-License-Identifier: Apache-2.0

package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"slices"
)

// Checksum is upstream's checksum of a version: SHA-256 over the relative path
// and the bytes of each file, manifest.json left out. It walks as Python's
// os.walk does: the files of a directory sorted, then its directories in the
// order in which the file system lists them, which is not sorted and may
// change with a copy. Links to files are followed.
func Checksum(version string) (string, error) {
	h := sha256.New()
	if err := sumDir(h, version, ""); err != nil {
		return "", fmt.Errorf("cannot sum %s: %w", version, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func sumDir(h hash.Hash, root, rel string) error {
	dir, err := os.Open(filepath.Join(root, rel))
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	entries, err := dir.ReadDir(-1) // unlike os.ReadDir, in the file system's order
	if err != nil {
		return err
	}
	var names, dirs []string
	for _, e := range entries {
		if e.IsDir() {
			dirs = append(dirs, e.Name())
			continue
		}
		// os.walk counts a link to a directory among the directories, and does
		// not follow it.
		if info, err := os.Stat(filepath.Join(root, rel, e.Name())); err == nil && info.IsDir() {
			continue
		}
		if e.Name() != "manifest.json" {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	for _, name := range names {
		path := filepath.Join(rel, name)
		data, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return err
		}
		h.Write([]byte(path))
		h.Write(data)
	}
	for _, name := range dirs {
		if err := sumDir(h, root, filepath.Join(rel, name)); err != nil {
			return err
		}
	}
	return nil
}
