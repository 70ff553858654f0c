// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"justnews/internal/digest"
)

// maxManifest is the longest manifest.json that is read, in bytes. Upstream's
// has three fields.
const maxManifest = 1 << 20

// manifest reads upstream's manifest.json.
func (c *proving) manifest() {
	text, err := readSmall(filepath.Join(c.proof.Path, digest.ManifestName), maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		c.proof.ManifestFault = plain(err)
		return
	}
	var m struct {
		Version  string  `json:"version"`
		Checksum *string `json:"checksum"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		c.proof.ManifestFault = "it is not JSON as upstream writes it: " + err.Error()
		return
	}
	c.proof.ManifestVersion = m.Version
	if m.Checksum == nil || *m.Checksum == "" {
		c.proof.ManifestFault = "it has no checksum"
		return
	}
	sum, ok := digest.Parse(*m.Checksum)
	if !ok {
		c.proof.ManifestFault = fmt.Sprintf("its checksum %.80q is no SHA-256", *m.Checksum)
		return
	}
	c.want, c.proof.Expected = sum, sum.String()
}

func readSmall(path string, most int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Size() > most:
		return nil, fmt.Errorf("it is larger than %d bytes", most)
	}
	return io.ReadAll(io.LimitReader(f, most))
}
