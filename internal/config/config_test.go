// SPDX-License-Identifier: Apache-2.0

package config

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/diag"
)

var update = flag.Bool("update", false, "rewrite the expected files")

// compareFile compares text with a file of the repository. An empty text stands
// for a file that does not exist.
func compareFile(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if got == "" {
			_ = os.Remove(name)
		} else if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil && (got != "" || !os.IsNotExist(err)) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not as expected, -update rewrites it (-want +got):\n%s", name, diff)
	}
}

func caseDirs(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob("testdata/cases/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	return dirs
}

func tomlFiles(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, ".toml") && filepath.Base(path) != "show.toml" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// install copies a case to a directory of its own, with the modes that a
// package would give it: a checkout keeps neither modes nor owners.
func install(t *testing.T, dir string) Source {
	t.Helper()
	root := t.TempDir()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		to := filepath.Join(root, strings.TrimPrefix(path, dir))
		switch {
		case d.IsDir():
			return os.Mkdir(to, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, to)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return Source{Root: root, Owner: os.Getuid(), Build: "v1.4.0-3-gabcdef0"}
}

func TestCase_GivesTheExpectedProblemsAndConfiguration(t *testing.T) {
	for _, dir := range caseDirs(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			src := install(t, dir)
			c, problems := Load(src)
			if (c == nil) != (len(diag.Errors(problems)) > 0) {
				t.Errorf("Config is nil: %v, errors: %d", c == nil, len(diag.Errors(problems)))
			}
			compareFile(t, filepath.Join(dir, "problems.txt"), strings.ReplaceAll(problemText(problems), src.Root, ""))
			shown, _ := Effective(src, true)
			compareFile(t, filepath.Join(dir, "show.toml"), shown)
			if c != nil {
				sameAfterReload(t, c, shown)
				plain, _ := Effective(src, false)
				sameAfterReload(t, c, plain)
			}
		})
	}
}

func problemText(problems []diag.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		where := "nowhere"
		if p.Position != nil {
			where = p.Position.String()
		}
		fmt.Fprintf(&b, "%s %s %s\n  %s\n  seen: %s\n  expected: %s\n  fix: %s\n", p.Severity, p.Code, where, p.Message, p.Seen, p.Expected, p.Fix.String())
	}
	return b.String()
}

// sameAfterReload loads what Effective printed and compares.
func sameAfterReload(t *testing.T, want *Config, shown string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shown.toml")
	if err := os.WriteFile(file, []byte(shown), 0o600); err != nil {
		t.Fatal(err)
	}
	got, problems := Load(Source{File: file, Owner: os.Getuid(), Build: "v1.4.0"})
	if got == nil {
		t.Fatalf("what config show prints does not load:\n%s\n%s", problemText(problems), shown)
	}
	got.Files = want.Files
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what config show prints loads to something else (-want +got):\n%s", diff)
	}
}

func TestSchema_EveryKeyReachesTheConfig(t *testing.T) {
	set := setter{}
	keys := func(table string, to any, fields []field) {
		for i := range fields {
			if !set.field(reflect.ValueOf(to).Elem(), fields[i].name).IsValid() {
				t.Errorf("no field of %T has the key %s.%s", to, table, fields[i].name)
			}
		}
	}
	keys("probes.NAME", new(Probe), probeFields)
	keys("instances.NAME", new(Instance), instanceFields)
	keys("mps of an instance", new(InstanceMPS), instanceMPSFields)
	keys("guards", new(Guard), guardFields)
	for i := range schema {
		if f := &schema[i]; f.kind == group {
			table := set.field(reflect.ValueOf(new(Config)).Elem(), f.name)
			if !table.IsValid() {
				t.Fatalf("no field of Config has the table %s", f.name)
			}
			keys(f.name, table.Addr().Interface(), f.fields)
		}
	}
}

func TestSchema_DefaultsAreValid(t *testing.T) {
	for i := range schema {
		for _, f := range schema[i].fields {
			s, isText := f.def.(string)
			switch {
			case f.kind == text && isText && f.form != nil && !f.form.fits(s),
				f.kind == text && isText && f.words != nil && !slices.Contains(f.words, s):
				t.Errorf("the default of %s.%s is refused: %q", schema[i].name, f.name, s)
			case f.kind == span && f.def != nil:
				if d, err := spanOf(f.def); err != nil || d <= 0 {
					t.Errorf("the default of %s.%s is refused: %q", schema[i].name, f.name, s)
				}
			}
		}
	}
}

func TestSchema_CommentedFileHasTheDefaultsAndLoads(t *testing.T) {
	compareFile(t, "../../packaging/justnews.toml", Commented())
	for line := range strings.Lines(Commented()) {
		if line != "\n" && !strings.HasPrefix(line, "#") {
			t.Errorf("a line is not commented out: %s", line)
		}
	}
	var keys strings.Builder
	for line := range strings.Lines(Commented()) {
		if rest, ok := strings.CutPrefix(line, "#"); ok && rest[0] != ' ' && rest[0] != ':' && rest != "\n" {
			keys.WriteString(rest)
		}
	}
	text := keys.String() + "[instances.memory]\n[instances.gpu_orchestrator]\n[instances.mcp_bus]\n"
	c, problems := Load(write(t, text))
	if c == nil {
		t.Fatalf("uncommented, the file does not load:\n%s", problemText(problems))
	}
	if scout, ok := c.Instance("scout"); !ok || scout.MPS.Threads != 25 || c.Gate.Scope != "all" {
		t.Errorf("uncommented, the file means something else: %+v", scout)
	}
}

// write makes a file of its own for a text.
func write(tb testing.TB, text string) Source {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "justnews.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return Source{File: file, Owner: os.Getuid()}
}
