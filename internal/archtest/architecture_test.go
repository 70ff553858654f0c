// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"cmp"
	"flag"
	"fmt"
	"go/doc"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of packages in ARCHITECTURE.md")

const (
	tableBegin = "<!-- packages -->\n"
	tableEnd   = "<!-- end of packages -->\n"
)

// TestArchitecture_NamesEveryPackage compares the table in ARCHITECTURE.md with
// the floors and the package comments.
func TestArchitecture_NamesEveryPackage(t *testing.T) {
	file := filepath.Join(repository, "ARCHITECTURE.md")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(content), tableBegin)
	_, after, ends := strings.Cut(rest, tableEnd)
	if !begins || !ends {
		t.Fatal("ARCHITECTURE.md has no place for the table of packages")
	}
	want := before + tableBegin + packageTable(t) + tableEnd + after
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(content) {
		t.Error("the table of packages in ARCHITECTURE.md is out of date: make generate")
	}
}

// packageTable returns the released packages and programs, the highest floor
// first, with the first sentence of what each says of itself.
func packageTable(t *testing.T) string {
	t.Helper()
	names := slices.SortedFunc(maps.Keys(floors), func(a, b string) int {
		return cmp.Or(cmp.Compare(floors[b], floors[a]), cmp.Compare(a, b))
	})
	var b strings.Builder
	b.WriteString("| Floor | Package |\n|---:|---|\n")
	for _, name := range names {
		if floors[name] == tools {
			continue
		}
		floor := strconv.Itoa(floors[name])
		if floors[name] == programs {
			floor = "top"
		}
		fmt.Fprintf(&b, "| %s | `%s` %s |\n", floor, strings.TrimPrefix(name, "internal/"), synopsis(t, name))
	}
	return b.String()
}

// synopsis returns the first sentence of a package's comment, without "Package
// x" and "Command x".
func synopsis(t *testing.T, name string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repository, name, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		sentence := new(doc.Package).Synopsis(parsed.Doc.Text())
		if words := strings.Fields(sentence); len(words) > 2 {
			return strings.ReplaceAll(strings.Join(words[2:], " "), "|", `\|`)
		}
	}
	t.Fatalf("%s has no package comment", name)
	return ""
}
