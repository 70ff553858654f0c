// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/config"
	"justnews/internal/diag"
)

var update = flag.Bool("update", false, "rewrite the expected output")

// hosts are trees of hosts that were set up by hand: root/ below each.
func hosts(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("testdata/*/root")
	if err != nil || len(found) < 5 {
		t.Fatal("there are no hosts", err)
	}
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found
}

func converted(t *testing.T, dir string) Result {
	t.Helper()
	h, err := Read(filepath.Join(dir, "root"))
	if err != nil {
		t.Fatal(err)
	}
	return Convert(h)
}

// load reads the result as the generator does.
func load(t *testing.T, text string) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "justnews.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, problems := config.Load(config.Source{File: file, Owner: os.Getuid()})
	if cfg == nil || len(problems) > 0 {
		t.Fatalf("it does not load: %v\n%s", problems, text)
	}
	return cfg
}

func TestWrite_ConfigurationLoads(t *testing.T) {
	for _, dir := range hosts(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			r := converted(t, dir)
			var problems strings.Builder
			for _, p := range r.Problems {
				fmt.Fprintf(&problems, "%s: %s\n  seen: %s\n  expected: %s\n  fix: %s\n", p.Severity, p, diag.Clean(p.Seen), p.Expected, p.Fix.String())
			}
			golden(t, filepath.Join(dir, "expected.toml"), r.TOML)
			golden(t, filepath.Join(dir, "expected.problems"), problems.String())
			if r.TOML == "" {
				return
			}
			cfg := load(t, r.TOML)
			if len(cfg.Instances) != len(r.Instances) {
				t.Errorf("%d instances were found and %d written", len(r.Instances), len(cfg.Instances))
			}
			for _, secret := range []string{"do-not-print-this", "not-for-anybody"} {
				if strings.Contains(r.TOML+problems.String(), secret) {
					t.Errorf("%s was printed", secret)
				}
			}
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: -want +got\n%s", name, diff)
	}
}
