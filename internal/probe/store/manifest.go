// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"justnews/internal/digest"
	"justnews/internal/safefile"
)

// maxManifest is the longest manifest.json that is read, in bytes. JustNews'
// has three fields.
const maxManifest = 1 << 20

// unanswering reports whether an error of the system, such as a disk error or too many
// open files, leaves the state of the file unknown.
func unanswering(err error) bool {
	for _, of := range []error{fs.ErrNotExist, safefile.ErrNotRegular, safefile.ErrTooLarge} {
		if errors.Is(err, of) {
			return false
		}
	}
	return err != nil
}

// manifest reads JustNews' manifest.json.
func (c *proving) manifest() {
	text, err := safefile.Read(filepath.Join(c.proof.Path, digest.ManifestName), maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if unanswering(err) {
		c.unchecked(err)
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
		c.proof.ManifestFault = "it is not JSON in upstream's format: " + err.Error()
		return
	}
	c.proof.ManifestVersion = m.Version
	if m.Checksum == nil || *m.Checksum == "" {
		c.proof.ManifestFault = "it has no checksum"
		return
	}
	sum, ok := digest.Parse(*m.Checksum)
	if !ok {
		c.proof.ManifestFault = fmt.Sprintf("its checksum %.80q is not a SHA-256", *m.Checksum)
		return
	}
	c.want, c.proof.Expected = sum, sum.String()
}
