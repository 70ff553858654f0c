// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"justnews/packaging/contents"
)

// The parts of SPDX 2.3's JSON that are used (https://spdx.github.io/spdx-spec/v2.3/).
type sbom struct {
	Version       string         `json:"spdxVersion"`
	License       string         `json:"dataLicense"`
	ID            string         `json:"SPDXID"`
	Name          string         `json:"name"`
	Namespace     string         `json:"documentNamespace"`
	Creation      creation       `json:"creationInfo"`
	Packages      []spdxPackage  `json:"packages"`
	Files         []spdxFile     `json:"files"`
	Extracted     []extracted    `json:"hasExtractedLicensingInfos"`
	Relationships []relationship `json:"relationships"`
}

type creation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxPackage struct {
	ID        string        `json:"SPDXID"`
	Name      string        `json:"name"`
	Version   string        `json:"versionInfo"`
	File      string        `json:"packageFileName,omitempty"`
	Supplier  string        `json:"supplier"`
	Location  string        `json:"downloadLocation"`
	Analyzed  bool          `json:"filesAnalyzed"`
	Code      *verification `json:"packageVerificationCode,omitempty"`
	Checksums []checksum    `json:"checksums,omitempty"`
	Concluded string        `json:"licenseConcluded"`
	Declared  string        `json:"licenseDeclared"`
	Copyright string        `json:"copyrightText"`
	Refs      []externalRef `json:"externalRefs,omitempty"`
}

type verification struct {
	Value string `json:"packageVerificationCodeValue"`
}

type checksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type externalRef struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type spdxFile struct {
	ID        string     `json:"SPDXID"`
	Name      string     `json:"fileName"`
	Checksums []checksum `json:"checksums"`
	Concluded string     `json:"licenseConcluded"`
	Copyright string     `json:"copyrightText"`
}

type extracted struct {
	ID   string `json:"licenseId"`
	Text string `json:"extractedText"`
}

type relationship struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

const (
	document    = "SPDXRef-DOCUMENT"
	thisPackage = "SPDXRef-Package-justnews"
	unknown     = "NOASSERTION"
)

// writeSBOM writes the contents of a package next to it, as NAME.spdx.json. It depends
// on nothing but the package, so the same package gives the same bytes.
func writeSBOM(o origin, name string, items []contents.Item, bin string) error {
	modules, err := contents.Linked(repository)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	doc, err := describe(o, filepath.Base(name), content, items, bin, modules)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name+".spdx.json", append(text, '\n'), 0o644)
}

func describe(o origin, file string, content []byte, items []contents.Item, bin string, modules []contents.Module) (*sbom, error) {
	hash := fmt.Sprintf("%x", sha256.Sum256(content))
	doc := &sbom{
		Version: "SPDX-2.3", License: "CC0-1.0", ID: document, Name: file,
		// The form that the specification suggests to those without a domain.
		Namespace:     "https://spdx.org/spdxdocs/" + file + "-" + hash,
		Creation:      creation{o.when.Format(time.RFC3339), []string{"Tool: justnews-pack"}},
		Relationships: []relationship{{document, "DESCRIBES", thisPackage}},
	}
	files, err := doc.addFiles(items, bin)
	if err != nil {
		return nil, err
	}
	doc.Packages = []spdxPackage{{
		ID: thisPackage, Name: "justnews", Version: o.version, File: file, Supplier: unknown, Location: unknown,
		Analyzed: true, Code: &verification{files}, Checksums: []checksum{{"SHA256", hash}},
		Concluded: unknown, Declared: contents.Expression(modules), Copyright: "Copyright " + contents.Holder,
	}}
	doc.addModules(modules)
	return doc, nil
}

// addFiles adds every file and returns the package verification code, the SHA-1
// of all files' SHA-1s in order (section 7.9).
func (d *sbom) addFiles(items []contents.Item, bin string) (string, error) {
	var sums []string
	for i, item := range items {
		if item.Kind == contents.Dir || item.Kind == contents.Ghost {
			continue
		}
		text, err := content(item, bin)
		if err != nil {
			return "", err
		}
		id, sum := fmt.Sprintf("SPDXRef-File-%d", i), fmt.Sprintf("%x", sha1.Sum(text))
		sums = append(sums, sum)
		d.Files = append(d.Files, spdxFile{
			ID: id, Name: "." + item.Dest, Concluded: unknown, Copyright: unknown,
			Checksums: []checksum{{"SHA1", sum}, {"SHA256", fmt.Sprintf("%x", sha256.Sum256(text))}},
		})
		d.relate(thisPackage, "CONTAINS", id)
	}
	return verificationCode(sums), nil
}

func verificationCode(sums []string) string {
	slices.Sort(sums)
	return fmt.Sprintf("%x", sha1.Sum([]byte(strings.Join(sums, ""))))
}

// addModules adds what the programs are linked with.
func (d *sbom) addModules(modules []contents.Module) {
	for i, m := range modules {
		id := fmt.Sprintf("SPDXRef-Module-%d", i)
		d.Packages = append(d.Packages, spdxPackage{
			ID: id, Name: m.Path, Version: m.Version, Supplier: unknown, Location: unknown,
			Concluded: unknown, Declared: m.Expression(), Copyright: m.Copyright(),
			Refs: []externalRef{{"PACKAGE-MANAGER", "purl", purl(m)}},
		})
		d.relate(thisPackage, "STATIC_LINK", id)
		for _, n := range m.Notices {
			if strings.HasPrefix(n.SPDX, "LicenseRef-") {
				d.Extracted = append(d.Extracted, extracted{n.SPDX, n.Text})
			}
		}
	}
}

// purl names a module as scanners look for it (https://github.com/package-url/purl-spec):
// in lower case, and Go's own packages as stdlib, whose version has no "go" before it.
func purl(m contents.Module) string {
	if m.Path == "std" {
		return "pkg:golang/stdlib@" + strings.TrimPrefix(m.Version, "go")
	}
	return "pkg:golang/" + strings.ToLower(m.Path) + "@" + strings.ReplaceAll(m.Version, "+", "%2B")
}

func (d *sbom) relate(from, how, to string) {
	d.Relationships = append(d.Relationships, relationship{from, how, to})
}
