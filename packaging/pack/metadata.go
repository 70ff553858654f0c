// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"justnews/packaging/contents"
)

// maintainer returns who builds these packages, named as for Debian's tools: DEBEMAIL may
// have the name, too. A build without a name is for the host that it was built on: there
// is no release yet, and so no address.
func maintainer() string {
	name, address := os.Getenv("DEBFULLNAME"), cmp.Or(os.Getenv("DEBEMAIL"), "justnews@localhost")
	if before, after, found := strings.Cut(strings.TrimSuffix(address, ">"), "<"); found {
		name, address = cmp.Or(name, strings.TrimSpace(before)), after
	}
	return fmt.Sprintf("%s <%s>", cmp.Or(name, "JustNews maintainers"), address)
}

// changes returns what CHANGELOG.md says about packaging in its newest section;
// the rest is in the toolkit's own changelog.
func changes(repository string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(repository, "CHANGELOG.md"))
	if err != nil {
		return nil, err
	}
	if notes := packagingNotes(string(text)); len(notes) > 0 {
		return notes, nil
	}
	return []string{"No change of the packaging."}, nil
}

// debianChangelog is changelog.Debian (deb-changelog(5)).
func debianChangelog(o origin) contents.Maker {
	return func(repository string) ([]byte, error) {
		notes, err := changes(repository)
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		fmt.Fprintf(&b, "justnews (%s-1) unstable; urgency=medium\n\n", o.version)
		for _, note := range notes {
			fmt.Fprintf(&b, "  * %s\n", strings.Join(contents.Fold(note, 74), "\n    "))
		}
		fmt.Fprintf(&b, "\n -- %s  %s\n", maintainer(), o.when.Format(time.RFC1123Z))
		return b.Bytes(), nil
	}
}

// rpmChangelog is the same for rpm, in nfpm's format.
func rpmChangelog(o origin) ([]byte, error) {
	notes, err := changes(repository)
	if err != nil {
		return nil, err
	}
	type note struct {
		Note string `json:"note"`
	}
	entry := struct {
		Semver   string `json:"semver"`
		Date     string `json:"date"`
		Packager string `json:"packager"`
		Changes  []note `json:"changes"`
	}{Semver: o.version + "-1", Date: o.when.Format(time.RFC3339), Packager: maintainer()}
	for _, n := range notes {
		entry.Changes = append(entry.Changes, note{n})
	}
	return json.Marshal([]any{entry}) // JSON is YAML, too
}

// packagingNotes returns the entries below "### Packaging" of the first section
// of a changelog, each in one line.
func packagingNotes(text string) []string {
	_, section, _ := strings.Cut(text, "\n## ")
	section, _, _ = strings.Cut(section, "\n## ")
	_, part, _ := strings.Cut(section, "\n### Packaging\n")
	part, _, _ = strings.Cut(part, "\n### ")
	var notes []string
	for entry := range strings.SplitSeq("\n"+part, "\n- ") {
		if entry = strings.Join(strings.Fields(entry), " "); entry != "" {
			notes = append(notes, entry)
		}
	}
	return notes
}
