// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A row of docs/security.md is worth as much as the test that it names.
func TestSecurityPageNamesTestsThatExist(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 15 {
		t.Errorf("only %d tests are named", len(named))
	}
	var all strings.Builder
	for _, root := range []string{"../../internal", "../../test"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			code, err := os.ReadFile(path)
			all.Write(code)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range named {
		if !strings.Contains(all.String(), "\nfunc "+m[1]+"(t *testing.T)") {
			t.Errorf("docs/security.md names %s, which does not exist", m[1])
		}
	}
}
