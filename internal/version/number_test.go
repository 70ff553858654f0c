// SPDX-License-Identifier: Apache-2.0

package version

import (
	"os"
	"regexp"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Number{
		"1": {1}, "1.4": {1, 4}, "0.9.0": {0, 9, 0}, "10.20.30": {10, 20, 30}, "999999.0.1": {999999, 0, 1}, "0": {},
	} {
		if got, ok := Parse(text); !ok || got != want {
			t.Errorf("%q is %v, %v; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "v1.4", "1.", ".1", "1..2", "1.2.3.4", "1.2.", "01.4", "1.04", "1.4-rc.1", "1.4+1", "1.4 ", " 1.4", "1,4", "-1", "latest",
		"1000000", "1.99999999999999999999", ">=1.4",
	} {
		if got, ok := Parse(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestVersion_AtLeast(t *testing.T) {
	for _, c := range []struct {
		build string
		least []string // what it is at least
		not   []string
	}{
		{"1.4.0", []string{"1.4", "1.4.0", "1.3.9", "0.9.0", "1"}, []string{"1.4.1", "1.5", "2", "1.10"}},
		{"v1.4.0", []string{"1.4"}, []string{"1.4.1"}},
		{"1.10.0", []string{"1.9", "1.10"}, []string{"1.11"}},
		// between releases: git describe, the packages, go build
		{"v1.4.0-3-gabcdef0", []string{"1.4"}, []string{"1.4.1"}},
		{"v1.4.0-3-gabcdef0-dirty", []string{"1.4"}, []string{"1.4.1"}},
		{"v1.4.0-3-gabcdef0+dirty", []string{"1.4"}, []string{"1.4.1"}},
		{"v1.4.0-dirty", []string{"1.4"}, []string{"1.4.1"}},
		{"1.4.0+3.gabcdef0", []string{"1.4"}, []string{"1.4.1"}},
		{"1.4.0+3.gabcdef0+dirty", []string{"1.4"}, []string{"1.4.1"}},
		{"v1.4.0+dirty", []string{"1.4"}, []string{"1.4.1"}},
		// before a release
		{"v1.4.0-rc.1", []string{"1.3", "1.3.9"}, []string{"1.4"}},
		{"v1.4.0-rc.1-3-gabcdef0", []string{"1.3"}, []string{"1.4"}},
		{"1.4.0~rc.1", []string{"1.3"}, []string{"1.4"}},
		{"1.4.0~rc.1+3.gabcdef0", []string{"1.3"}, []string{"1.4"}},
		{"v1.4.1-0.20261127120000-abcdef012345", []string{"1.4.0"}, []string{"1.4.1"}},
		{"v1.4.1-0.20261127120000-abcdef012345+dirty", []string{"1.4.0"}, []string{"1.4.1"}},
		{"v1.4.0--gabc", []string{"1.3"}, []string{"1.4"}},
		{"v1.4.0-3-g", []string{"1.3"}, []string{"1.4"}},
		// without a tag
		{"abcdef0", []string{Release}, []string{"1000"}},
		{"1234567", []string{Release}, []string{"1000"}},
		{"1234567-dirty", []string{Release}, []string{"1000"}},
		{"12e4567", []string{Release}, []string{"1000"}},
		{"unknown", []string{Release}, []string{"1000"}},
		{"", []string{Release}, []string{"1000"}},
		{"v0.0.0-20261127120000-abcdef012345", []string{Release}, []string{"1000"}},
		{"0.0.0~git107.gabcdef012345", []string{Release}, []string{"1000"}},
	} {
		for _, text := range c.least {
			if n, ok := Parse(text); !ok || !AtLeast(c.build, n) {
				t.Errorf("%q is not at least %s", c.build, text)
			}
		}
		for _, text := range c.not {
			if n, ok := Parse(text); !ok || AtLeast(c.build, n) {
				t.Errorf("%q is at least %s", c.build, text)
			}
		}
	}
}

func TestVersion_IsTheNewestSectionOfTheChangelog(t *testing.T) {
	text, err := os.ReadFile("../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^## \[(\d\S*)\]`).FindSubmatch(text)
	if len(m) < 2 || string(m[1]) != Release {
		t.Errorf("Release is %s, CHANGELOG.md begins with %s", Release, m)
	}
}
