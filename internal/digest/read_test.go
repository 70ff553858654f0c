// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What was read of a file is nobody's digest if the file changed meanwhile, also where its size
// is the same.
func TestRead_FileThatChangesMeanwhileIsAnError(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"the same size": func(path string) error { return os.WriteFile(path, []byte("bbbb"), 0o600) },
		"longer":        func(path string) error { return os.WriteFile(path, []byte("bbbbb"), 0o600) },
		"only its mode": func(path string) error { return os.Chmod(path, 0o640) },
		"nothing":       func(string) error { return nil },
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte("aaaa"), 0o600); err != nil {
			t.Fatal(err)
		}
		id, _, err := Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * tick) // or the change would have the same time stamps
		r := newReader(func(int) {})
		hash := sha256.New()
		err = r.file(t.Context(), Segment{Path: path, Identity: id}, func() []byte { return r.buffers[0] }, func(b []byte) {
			hash.Write(b)
			if err := change(path); err != nil {
				t.Error(err)
			}
		})
		if errors.Is(err, ErrChanged) == (name == "nothing") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
