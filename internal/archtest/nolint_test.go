// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v2"
)

// unknownLinters returns the linters that an exception names and the
// configuration does not enable.
func unknownLinters(line string, enabled map[string]bool) (unknown []string) {
	for _, m := range regexp.MustCompile(`//nolint:([a-z0-9,]+)`).FindAllStringSubmatch(line, -1) {
		for linter := range strings.SplitSeq(m[1], ",") {
			if !enabled[linter] {
				unknown = append(unknown, linter)
			}
		}
	}
	return unknown
}

// golangci-lint says nothing about an exception for a linter that is off.
func TestLayout_ExceptionsNameEnabledLinters(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Linters struct{ Enable []string }
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	enabled := map[string]bool{}
	for _, linter := range config.Linters.Enable {
		enabled[linter] = true
	}
	if got := unknownLinters("x() //"+"nolint:gosec,nosuch // why", enabled); len(got) != 1 || got[0] != "nosuch" {
		t.Errorf("%q of %d", got, len(enabled))
	}
	for name, text := range goFiles(t) {
		for i, line := range strings.Split(text, "\n") {
			for _, linter := range unknownLinters(line, enabled) {
				t.Errorf("%s:%d: an exception for %s, which .golangci.yml does not enable", name, i+1, linter)
			}
		}
	}
}

// goFiles returns every Go file of the repository, tests included.
func goFiles(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, top := range []string{"cmd", "internal", "packaging", "test"} {
		err := filepath.WalkDir(filepath.Join(repository, top), func(name string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(name) != ".go" {
				return err
			}
			text, err := os.ReadFile(name)
			files[name] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}
