// SPDX-License-Identifier: Apache-2.0

package modelmap

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestModelMap_OnlyARegularFileOfLimitedSizeIsRead(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("map"), []byte(`{"scout": ["a", "b"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("broken"), []byte(`{"scout": `), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("huge"), bytes.Repeat([]byte(" "), maxBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(at("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f := ReadFile(at("map")); f.Err != nil || f.Missing || f.Map == nil || f.Map.Total() != 2 {
		t.Errorf("a map: %+v", f)
	}
	if f := ReadFile(at("none")); !f.Missing || f.Map != nil {
		t.Errorf("nothing there: %+v", f)
	}
	if f := ReadFile(at("broken")); f.Map != nil || len(f.Problems) == 0 {
		t.Errorf("broken JSON: %+v", f)
	}
	for _, name := range []string{"huge", "pipe", "."} {
		if f := ReadFile(at(name)); f.Err == nil || f.Missing || f.Map != nil {
			t.Errorf("%s: %+v, want an error and no map", name, f)
		}
	}
}
