// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"testing"

	"justnews/packaging/contents"
)

func TestChanges_AreThoseOfTheNewestSection(t *testing.T) {
	const text = `# Changelog

## [2.0.0]

### Changed

- Not of the packages.

### Packaging

- One entry
  in two lines.
- Another: "quoted".

### Not yet

- This.

## [1.0.0]

### Packaging

- Old.
`
	if got := packagingNotes(text); !slices.Equal(got, []string{"One entry in two lines.", `Another: "quoted".`}) {
		t.Errorf("%q", got)
	}
	if got := packagingNotes("# Changelog\n\n## [1.0.0]\n\n### Added\n\n- x\n"); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

func TestSBOM_VerificationCodeIgnoresTheOrder(t *testing.T) {
	a, b := verificationCode([]string{"b", "a"}), verificationCode([]string{"a", "b"})
	// printf ab | sha1sum
	if a != b || a != "da23614e02469a0d7c7bd1bdab5c9c474b1904dc" {
		t.Errorf("%s, %s", a, b)
	}
}

func TestSBOM_NamesModulesAsScannersDo(t *testing.T) {
	doc := &sbom{}
	doc.addModules([]contents.Module{
		{Path: "github.com/BurntSushi/toml", Version: "v1.6.0"},
		{Path: "example.org/x", Version: "v2.0.0+incompatible"},
		{Path: "std", Version: "go1.26.8"},
	})
	for i, want := range []string{"pkg:golang/github.com/burntsushi/toml@v1.6.0", "pkg:golang/example.org/x@v2.0.0%2Bincompatible", "pkg:golang/stdlib@1.26.8"} {
		if got := doc.Packages[i].Refs[0].Locator; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		// Element, type, related element: the package links the module statically.
		if r := doc.Relationships[i]; r != (relationship{thisPackage, "STATIC_LINK", doc.Packages[i].ID}) {
			t.Errorf("%+v", r)
		}
	}
}

func TestMaintainer_IsNamedAsForDebiansTools(t *testing.T) {
	for _, c := range []struct{ name, email, want string }{
		{"", "", "JustNews maintainers <justnews@localhost>"},
		{"Zoë Ax", "", "Zoë Ax <justnews@localhost>"},
		{"", "a@example.org", "JustNews maintainers <a@example.org>"},
		{"Zoë Ax", "a@example.org", "Zoë Ax <a@example.org>"},
		{"", "Zoë Ax <a@example.org>", "Zoë Ax <a@example.org>"},
		{"Bo", "Zoë Ax <a@example.org>", "Bo <a@example.org>"},
		{"", "<a@example.org>", "JustNews maintainers <a@example.org>"},
	} {
		t.Setenv("DEBFULLNAME", c.name)
		t.Setenv("DEBEMAIL", c.email)
		if got := maintainer(); got != c.want {
			t.Errorf("%q, %q: %s, want %s", c.name, c.email, got, c.want)
		}
	}
}
