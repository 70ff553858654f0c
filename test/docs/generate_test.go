// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// updaters returns the packages whose tests write files when run with -update.
func updaters(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(repository, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		if strings.Contains(string(text), "flag.Bool("+`"update"`) {
			dir, _ := filepath.Rel(repository, filepath.Dir(name))
			found = append(found, "./"+dir)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestMakefile_UpdatesEveryGeneratedFile(t *testing.T) {
	var known []string
	for _, m := range regexp.MustCompile(`(?m)^\t\$\(GO\) test (.*) -update$`).FindAllStringSubmatch(read(t, "Makefile"), -1) {
		for word := range strings.FieldsSeq(m[1]) {
			if strings.HasPrefix(word, "./") {
				known = append(known, word)
			}
		}
	}
	slices.Sort(known)
	known = slices.Compact(known) // the constants come first, and what else that package has in a second run
	found := updaters(t)
	slices.Sort(found)
	if !slices.Equal(found, known) {
		t.Errorf("the tests of %q have -update, make generate and make screens run those of %q", found, known)
	}
}
