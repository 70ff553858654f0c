// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/emit"
	"justnews/internal/facts"
	"justnews/internal/plan"
)

func TestGenerated_DropInsAreComparedWithTheConfiguration(t *testing.T) {
	denied := []facts.EnvFile{{Path: "/etc/justnews/scout.env", Denied: true}}
	for name, c := range map[string]struct {
		change func(t *testing.T, cfg *config.Config, dir string)
		env    []facts.EnvFile
		code   diag.Code
	}{
		"nothing changed":  {func(*testing.T, *config.Config, string) {}, nil, ""},
		"nothing is there": {func(t *testing.T, _ *config.Config, dir string) { remove(t, dir) }, nil, diag.GeneratorAbsent},
		"a file is missing": {func(t *testing.T, _ *config.Config, dir string) {
			remove(t, filepath.Join(dir, scoutUnit+".d/60-justnews-instance.conf"))
		}, nil, diag.GeneratorStale},
		"a link is missing": {func(t *testing.T, _ *config.Config, dir string) {
			remove(t, filepath.Join(dir, "justnews.target.wants/"+scoutUnit))
		}, nil, diag.GeneratorStale},
		"a file too many": {func(t *testing.T, _ *config.Config, dir string) {
			put(t, dir, "justnews@old.service.d/60-justnews-instance.conf", "x")
		}, nil, diag.GeneratorStale},
		"another text": {func(t *testing.T, _ *config.Config, dir string) {
			put(t, dir, scoutUnit+".d/00-justnews-instance.conf", "x")
		}, nil, diag.GeneratorStale},
		"another timeout": {func(t *testing.T, cfg *config.Config, dir string) { shorten(t, cfg, dir) }, nil, diag.GeneratorStale},
		"a guard's file too many": {func(t *testing.T, _ *config.Config, dir string) {
			put(t, dir, "justnews-x.service.d/"+plan.GuardName, "x")
		}, nil, diag.GeneratorStale},
		"one that is not ours":       {func(t *testing.T, _ *config.Config, dir string) { put(t, dir, "local-fs.target.d/x.conf", "x") }, nil, ""},
		"a timeout beyond the limit": {func(t *testing.T, cfg *config.Config, dir string) { shorten(t, cfg, dir) }, denied, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, dir := load(t, toml), t.TempDir()
			files, problems := emit.Render(plan.Build(cfg, plan.Machine{}))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if err := emit.Write(dir, files); err != nil {
				t.Fatal(err)
			}
			c.change(t, cfg, dir)
			found := unit.Generated(generated(dir, cfg, c.env, plan.Machine{}))
			switch {
			case c.code == "" && len(found) > 0, c.code != "" && (len(found) != 1 || found[0].Code != c.code):
				t.Errorf("%v, want %s", found, c.code)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// shorten writes another timeout, as another GATE_TIMEOUT would.
func shorten(t *testing.T, cfg *config.Config, dir string) {
	t.Helper()
	files, _ := emit.Render(plan.Build(cfg, plan.Machine{EnvTimeouts: map[string]time.Duration{"scout": time.Hour}}))
	for _, f := range files {
		if f.Name == plan.BaseName { // an instance that has a budget of its own changes the common one
			put(t, dir, f.Path(), string(f.Text))
		}
	}
}
