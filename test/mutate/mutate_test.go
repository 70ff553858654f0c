// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

const source = `package small

import "strings"

const most = 3 > 2

func Big(n int) bool {
	if n == 7 {
		return !strings.HasPrefix("x", "y")
	}
	return n > 9 && n < 100
}
`

const tests = `package small

import "testing"

func TestBig(t *testing.T) {
	for n, want := range map[int]bool{%s} {
		if Big(n) != want {
			t.Error(n)
		}
	}
}
`

func TestMutate_FindsAnUntestedBoundary(t *testing.T) {
	const known = "small/small.go Big: > in n > 9 -> >= # it is said not to matter\n"
	for name, c := range map[string]struct {
		rows     string
		known    string
		survived bool
		fails    bool
	}{
		"tests that notice all":         {rows: "7: true, 9: false, 10: true, 50: true, 100: false"},
		"tests without one boundary":    {rows: "7: true, 8: false, 10: true, 50: true, 100: false", survived: true},
		"a boundary that is explained":  {rows: "7: true, 8: false, 10: true, 50: true, 100: false", known: known},
		"tests that fail as it is":      {rows: "7: false", fails: true},
		"another one that is explained": {rows: "7: true, 9: false, 50: true", known: known, survived: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(module(t, map[string]string{
				"go.mod": "module small\n\ngo 1.22\n", "small/small.go": source, "small/small_test.go": fmt.Sprintf(tests, c.rows), equivalents: "# FILE FUNCTION: CHANGE # REASON\n" + c.known,
			}))
			survived, err := mutate([]string{"./small"}, []string{"./small"}, 1)
			if survived != c.survived || (err != nil) != c.fails {
				t.Errorf("survived: %t, %v", survived, err)
			}
		})
	}
}

// module writes files below a new directory and returns that.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
