// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"justnews/internal/config"
	"justnews/test/bed"
)

const published = "test/docs/testdata/published.txt"

// names returns the interfaces that docs/compatibility.md keeps stable: keys, metrics, and the
// fields of every JSON document by their place in its schema.
func names(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, table := range config.Tables() {
		for _, k := range table.Keys {
			all = append(all, "key "+strings.TrimLeft(table.Name+" "+k.Name, " "))
		}
	}
	for _, name := range metrics(t) {
		all = append(all, "metric "+name)
	}
	schemas, err := filepath.Glob(filepath.Join(repository, "internal/*/*.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range schemas {
		if filepath.Base(file) == "justnews.schema.json" {
			continue // the keys
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var schema any
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		all = append(all, fields("json "+strings.TrimSuffix(filepath.Base(file), ".schema.json"), schema)...)
	}
	slices.Sort(all)
	return all
}

// fields returns the names of all properties below a node of a schema.
func fields(at string, node any) []string {
	var all []string
	switch node := node.(type) {
	case map[string]any:
		for name, child := range node {
			properties, ok := child.(map[string]any)
			if name != "properties" || !ok {
				all = append(all, fields(at+"/"+name, child)...)
				continue
			}
			for property, child := range properties {
				all = append(all, at+" "+property)
				all = append(all, fields(at+" "+property, child)...)
			}
		}
	case []any:
		for i, child := range node {
			all = append(all, fields(fmt.Sprint(at, "/", i), child)...)
		}
	}
	return all
}

// Published names exist until the end of their window.
func TestCompatibility_PageKeepsPublishedEntries(t *testing.T) {
	now := names(t)
	if *update {
		was := strings.Split(strings.TrimSpace(read(t, published)), "\n")
		all := slices.Compact(slices.Sorted(slices.Values(append(was, now...))))
		if err := os.WriteFile(filepath.Join(repository, published), []byte(strings.TrimSpace(strings.Join(all, "\n"))+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	was := strings.Split(strings.TrimSpace(read(t, published)), "\n")
	if len(was) < 300 {
		t.Fatalf("%s has only %d names", published, len(was))
	}
	for _, name := range was {
		if _, found := slices.BinarySearch(now, name); !found {
			t.Errorf("%q was published, and is gone: docs/compatibility.md", name)
		}
	}
}

// The page's statements about systemd and glibc match the packages and the tests.
func TestCompatibility_PageNamesTheTestedSuites(t *testing.T) {
	page, packages := read(t, "docs/compatibility.md"), read(t, "packaging/nfpm.yaml")
	oldest := regexp.MustCompile(`systemd \(>= (\d+)\)`).FindStringSubmatch(packages)
	glibc := regexp.MustCompile(`libc6 \(>= ([\d.]+)\)`).FindStringSubmatch(packages)
	if oldest == nil || glibc == nil {
		t.Fatal("packaging/nfpm.yaml names no oldest version")
	}
	for _, want := range []string{"the packages require " + oldest[1], "glibc " + glibc[1] + " or later"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	rows := regexp.MustCompile(`(?m)^\| (\d+) \| Debian (\d+) \| tested`).FindAllStringSubmatch(page, -1)
	debian := map[string]string{"13": bed.Trixie, "12": bed.Bookworm}
	var tested []string
	for _, row := range rows {
		tested = append(tested, debian[row[2]])
		// The bed itself verifies which systemd a suite has.
		if !strings.Contains(read(t, "test/bed/bed.go"), fmt.Sprintf("%q", debian[row[2]])) || !strings.Contains(read(t, "test/bed/bed.go"), "// systemd "+row[1]) {
			t.Errorf("the tests do not boot systemd %s of Debian %s", row[1], row[2])
		}
	}
	if want := []string{bed.Trixie, bed.Bookworm}; !slices.Equal(tested, want) {
		t.Errorf("the page says that %v are tested, want %v", tested, want)
	}
}
