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

// Every row of these pages names an existing test.
func TestDocuments_TestsExist(t *testing.T) {
	var code strings.Builder
	for _, root := range []string{"../../internal", "../../test"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			code.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, page := range []string{"security.md", "realhosts.md"} {
		text, err := os.ReadFile(filepath.Join("../../docs", page))
		if err != nil {
			t.Fatal(err)
		}
		named := regexp.MustCompile("`(Test[A-Za-z0-9_]+)`").FindAllStringSubmatch(string(text), -1)
		if len(named) < 15 {
			t.Errorf("docs/%s names only %d tests", page, len(named))
		}
		for _, m := range named {
			if !strings.Contains(code.String(), "\nfunc "+m[1]+"(t *testing.T)") {
				t.Errorf("docs/%s names %s, which does not exist", page, m[1])
			}
		}
	}
}
