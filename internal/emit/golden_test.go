// SPDX-License-Identifier: Apache-2.0

package emit_test

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/emit"
	"justnews/internal/plan"
)

var update = flag.Bool("update", false, "rewrite testdata/*/expected")

// refused are the trees with an invalid configuration.
var refused = []string{"07-broken", "08-missing", "12-gate-off-and-broken", "16-needs-a-later-program"}

func TestGolden_EachConfigurationGivesItsDropIns(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			status, problems := generator(copyTree(t, filepath.Join("testdata", name, "root")), out).Run()
			if want := slices.Contains(refused, name); want != (status == diag.StatusConfig) || !want && status != 0 {
				t.Errorf("status %d, problems %v", status, problems)
			}
			expected := filepath.Join("testdata", name, "expected")
			if *update {
				replaceTree(t, expected, readTree(t, out))
			}
			if diff := cmp.Diff(readTree(t, expected), readTree(t, out)); diff != "" {
				t.Errorf("-want +got (go test ./internal/emit -update rewrites it):\n%s", diff)
			}
		})
	}
}

func TestGolden_SameInputGivesTheSameBytes(t *testing.T) {
	for _, name := range cases(t) {
		root, first, second := copyTree(t, filepath.Join("testdata", name, "root")), t.TempDir(), t.TempDir()
		generator(root, first).Run()
		generator(root, second).Run()
		generator(root, second).Run() // over what is there already
		if diff := cmp.Diff(readTree(t, first), readTree(t, second)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestGolden_GateLineIsInEveryBaseByteForByte(t *testing.T) {
	const line = "\nExecStartPre=/usr/bin/justnews-gate --gate-only %i\n"
	if plan.Gate != strings.Trim(line, "\n") {
		t.Errorf("plan.Gate is %q", plan.Gate)
	}
	bases := []string{filepath.Join("..", "..", "units", plan.BaseDir, plan.BaseName)}
	for _, name := range cases(t) {
		bases = append(bases, filepath.Join("testdata", name, "expected", plan.BaseDir, plan.BaseName))
	}
	for _, base := range bases {
		text, err := os.ReadFile(base)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(text), "\nExecStartPre=") != 1 || !strings.Contains(string(text), line) {
			t.Errorf("%s does not hold exactly the line %q", base, line)
		}
	}
}

// generator is a run by hand over a tree.
func generator(root, out string) *emit.Generator {
	none := func(string) string { return "" }
	return &emit.Generator{
		Dir: out, Getenv: none,
		Load: func() (*config.Config, []diag.Problem) {
			return config.Load(config.Source{Root: root, Owner: os.Getuid()})
		},
		Look:   func() plan.Machine { return emit.Look(root, none) },
		GiveUp: func(status diag.Status, problems []diag.Problem) { panic(fmt.Sprint(status, problems)) },
	}
}

func cases(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && e.Name()[0] >= '0' && e.Name()[0] <= '9' {
			names = append(names, e.Name())
		}
	}
	if len(names) < 12 {
		t.Fatalf("only %d trees in testdata", len(names))
	}
	return names
}

// copyTree gives a tree the modes that the configuration wants, whatever the
// umask of the checkout was.
func copyTree(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "root")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o755)
		}
		return os.Chmod(path, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// readTree returns every file by its path, a link as "-> target".
func readTree(t *testing.T, dir string) map[string]string {
	t.Helper()
	tree := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.Type() == fs.ModeSymlink {
			target, err := os.Readlink(path)
			tree[name] = "-> " + target
			return err
		}
		text, err := os.ReadFile(path)
		tree[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func replaceTree(t *testing.T, dir string, tree map[string]string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		target, isLink := strings.CutPrefix(tree[name], "-> ")
		var err error
		if isLink {
			err = os.Symlink(target, path)
		} else {
			err = os.WriteFile(path, []byte(tree[name]), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
