// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"justnews/packaging/contents"
)

// sbom is the suffix of the SPDX document of a package.
const sbom = ".spdx.json"

// The document is compared with its package: the package's checksum, its files and their
// checksums, and the modules that the programs are linked with.
func TestSBOM_MatchesThePackage(t *testing.T) {
	dir, _ := unpacked(t)
	deb := current(t).deb
	text, err := os.ReadFile(deb + sbom)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		SPDXVersion, SPDXID, DocumentNamespace string
		CreationInfo                           struct{ Created string }
		Packages                               []struct {
			SPDXID, Name, VersionInfo, LicenseDeclared, DownloadLocation string
			Checksums                                                    []struct{ Algorithm, ChecksumValue string }
		}
		Files []struct {
			SPDXID, FileName string
			Checksums        []struct{ Algorithm, ChecksumValue string }
		}
		HasExtractedLicensingInfos []struct{ LicenseID, ExtractedText string }
		Relationships              []struct{ SPDXElementID, RelationshipType, RelatedSPDXElement string }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{doc.SPDXID: true}
	for _, f := range doc.Files {
		ids[f.SPDXID] = true
		if got, want := f.Checksums[1].ChecksumValue, sum(t, dir+strings.TrimPrefix(f.FileName, ".")); got != want {
			t.Errorf("%s has the SHA-256 %s, the package's has %s", f.FileName, got, want)
		}
	}
	want := 1 // changelog.Debian
	for _, mode := range expected(t, "deb") {
		if mode[0] == '-' {
			want++
		}
	}
	if len(doc.Files) != want {
		t.Errorf("%d files, and %d are packed", len(doc.Files), want)
	}
	modules, err := contents.Linked(repository)
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Packages) != len(modules)+1 {
		t.Fatalf("%d packages of %d", len(doc.Packages), len(modules)+1)
	}
	if p := doc.Packages[0]; p.VersionInfo != newVersion || p.Checksums[0].ChecksumValue != sum(t, deb) || p.LicenseDeclared != contents.Expression(modules) {
		t.Errorf("the package is described as %+v", p)
	}
	for i, m := range modules {
		if p := doc.Packages[i+1]; p.Name != m.Path || p.VersionInfo != m.Version || p.LicenseDeclared != m.Expression() {
			t.Errorf("%s is described as %+v", m.Path, p)
		}
	}
	for _, p := range doc.Packages {
		ids[p.SPDXID] = true
		for word := range strings.FieldsSeq(p.LicenseDeclared) {
			defined := slices.ContainsFunc(doc.HasExtractedLicensingInfos, func(e struct{ LicenseID, ExtractedText string }) bool {
				return e.LicenseID == word && e.ExtractedText != ""
			})
			if strings.HasPrefix(word, "LicenseRef-") && !defined {
				t.Errorf("%s is not defined", word)
			}
		}
	}
	for _, r := range doc.Relationships {
		if !ids[r.SPDXElementID] || !ids[r.RelatedSPDXElement] {
			t.Errorf("a relationship of an undefined element: %+v", r)
		}
	}
	if doc.SPDXVersion != "SPDX-2.3" || !strings.HasPrefix(doc.DocumentNamespace, "https://") || doc.CreationInfo.Created != "2025-11-13T02:13:20Z" {
		t.Errorf("%s %s %s", doc.SPDXVersion, doc.DocumentNamespace, doc.CreationInfo.Created)
	}
}
