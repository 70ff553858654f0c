// SPDX-License-Identifier: Apache-2.0

package records

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// leave makes a file that was last written so long ago.
func leave(t *testing.T, path string, age time.Duration) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-age)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestSweep_RemovesOnlyLeftoversOfKilledWriters(t *testing.T) {
	d := unit(t)
	at := d.Preflight()
	name := func(dir, prefix string) string { return filepath.Join(at, dir, prefix+rand.Text()) }
	const summary = ".summary_20260101T000000.000000Z_scout.json."
	old, young := time.Hour, time.Minute
	gone := []string{name("", summary), name("", ".summary_20260101T000000.000000Z_memory.json."), name("scout", ".latest.json.")}
	kept := []string{
		name("", summary),               // being written
		name("", ".summary_x."),         // not ours
		name("", ".bashrc."),            // not ours
		name("memory", ".latest.json."), // of an instance that did not run
		filepath.Join(at, summary+"short"),
		filepath.Join(at, "notes.json"),
	}
	for _, path := range gone {
		leave(t, path, old)
	}
	leave(t, kept[0], young)
	for _, path := range kept[1:] {
		leave(t, path, old)
	}
	if _, err := Write(d, "scout", noon, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	for _, path := range gone {
		if exists(path) {
			t.Errorf("%s was left", path)
		}
	}
	for _, path := range kept {
		if !exists(path) {
			t.Errorf("%s was removed", path)
		}
	}
}

func TestSweep_RemovesLeftoversNextToTheLock(t *testing.T) {
	s := state(t)
	left := filepath.Join(s.Dir, "."+s.file()+"."+rand.Text())
	other := filepath.Join(s.Dir, ".another.json."+rand.Text())
	leave(t, left, time.Hour)
	leave(t, other, time.Hour)
	if err := s.Save(history{Refreshes: 1}); err != nil {
		t.Fatal(err)
	}
	if exists(left) || !exists(other) {
		t.Errorf("ours is there: %v, another's is there: %v", exists(left), exists(other))
	}
}
