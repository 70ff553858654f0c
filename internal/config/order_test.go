// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// The name of a drop-in decides, whatever directory it is in.
func TestLoad_LastDropInByNameWins(t *testing.T) {
	root := t.TempDir()
	var want []string
	for n, dir := range []string{"usr/lib", "etc", "run", "etc", "usr/lib", "run", "etc", "usr/lib"} {
		name := fmt.Sprintf("/%s/justnews/justnews.toml.d/%d0-x.toml", dir, n+1)
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), fmt.Appendf(nil, "[gate]\ntimeout = \"%ds\"\n", n+11), 0o644); err != nil {
			t.Fatal(err)
		}
		want = append(want, name)
	}
	cfg, problems := Load(Source{Root: root, Owner: os.Getuid()})
	if cfg == nil {
		t.Fatal(problems)
	}
	if !slices.Equal(cfg.Files, want) || cfg.Gate.Timeout != 18*time.Second {
		t.Errorf("%v from %q", cfg.Gate.Timeout, cfg.Files)
	}
}
