// SPDX-License-Identifier: Apache-2.0

package contents

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const ours = "Apache-2.0"

// Holder holds the copyright of the toolkit, with the years.
const Holder = "2025-2026 the JustNews maintainers"

// debianCopyright is /usr/share/doc/PACKAGE/copyright in Debian's
// machine-readable form, with the terms of everything linked in full.
func debianCopyright(repository string) ([]byte, error) {
	modules, err := Linked(repository)
	if err != nil {
		return nil, err
	}
	return copyright(`The programs are linked with the modules below, in the versions that stand
 beside them. Each module keeps its own terms.`, "linked/", modules), nil
}

// SourceCopyright is debian/copyright, which has the terms of all that is in the
// source package: the modules of the tests, too.
func SourceCopyright(repository string) ([]byte, error) {
	modules, err := Vendored(repository)
	if err != nil {
		return nil, err
	}
	return copyright(`vendor/ has the modules below, in the versions that stand beside them. Each
 module keeps its own terms.`, "vendor/", modules), nil
}

// copyright is a file in Debian's machine-readable form. prefix is the directory of
// the modules.
func copyright(comment, prefix string, modules []Module) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: justnews
Source:
 The archives that packaging/source.sh writes from a clone of the repository.
Comment:
 %s

Files: *
Copyright: %s
License: Apache-2.0
`, comment, Holder)
	for _, m := range modules {
		fmt.Fprintf(&b, "\nFiles: %s%s/*\nCopyright: %s\nLicense: %s\nComment: %s %s\n",
			prefix, m.Path, strings.Join(m.holders(), "\n "), m.licences(), m.Path, m.Version)
		if m.Notice != "" {
			fmt.Fprintf(&b, " .\n%s", deb822(m.Notice))
		}
		for _, n := range m.Notices {
			fmt.Fprintf(&b, " .\n In %s:\n .\n%s", n.File, deb822(n.Text))
		}
	}
	b.WriteString(`
License: Apache-2.0
 On Debian systems, the full text of the Apache License, Version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.
`)
	for _, m := range modules {
		if name := m.licenceName(); name != ours {
			fmt.Fprintf(&b, "\nLicense: %s\n%s", name, deb822(m.Text))
		}
		for _, id := range m.fileLicences() {
			fmt.Fprintf(&b, "\nLicense: %s\n The notices that stand above under %s%s.\n", m.suffixed(id), prefix, m.Path)
		}
	}
	return b.Bytes()
}

// fileLicences returns the SPDX identifiers of the notices in single files, without
// that of the module.
func (m Module) fileLicences() []string {
	var ids []string
	for _, n := range m.Notices {
		if n.SPDX != "" && n.SPDX != m.SPDX {
			ids = append(ids, n.SPDX)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// licences names all terms of one module, as Debian's format combines them.
func (m Module) licences() string {
	names := []string{m.licenceName()}
	for _, id := range m.fileLicences() {
		names = append(names, m.suffixed(id))
	}
	return strings.Join(names, " and ")
}

// licenceName names the terms of one module: the texts of one licence differ in
// the names in them.
func (m Module) licenceName() string {
	if m.SPDX == ours {
		return ours
	}
	return m.suffixed(m.SPDX)
}

func (m Module) suffixed(id string) string {
	return id + "-" + strings.NewReplacer("/", "-", ".", "-").Replace(m.Path)
}

func (m Module) holders() []string {
	if len(m.Holders) == 0 {
		return []string{"the authors of " + m.Path}
	}
	return m.Holders
}

// Copyright returns the lines that name the copyright holders of a module.
func (m Module) Copyright() string {
	return "Copyright " + strings.Join(m.holders(), "\nCopyright ")
}

// Expression returns the terms of a module as an SPDX expression.
func (m Module) Expression() string {
	return strings.Join(append([]string{m.SPDX}, m.fileLicences()...), " AND ")
}

// Expression returns the terms of a package as an SPDX expression: ours and
// those of everything linked.
func Expression(modules []Module) string {
	ids := []string{ours}
	for _, m := range modules {
		ids = append(append(ids, m.SPDX), m.fileLicences()...)
	}
	slices.Sort(ids)
	return strings.Join(slices.Compact(ids), " AND ")
}

// deb822 indents a text so that it is one field.
func deb822(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		fmt.Fprintf(&b, " %s\n", cmp.Or(strings.TrimRight(line, " \t\n"), "."))
	}
	return b.String()
}

// thirdParties is the same for rpm: the texts one after the other, as they are.
func thirdParties(repository string) ([]byte, error) {
	modules, err := Linked(repository)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("The programs of this package are linked with these modules.\n")
	for _, m := range modules {
		fmt.Fprintf(&b, "\n%s\n%s %s: %s\n%[1]s\n\n%[5]s\n", strings.Repeat("=", 78), m.Path, m.Version, m.SPDX, m.Text)
		for _, n := range m.Notices {
			fmt.Fprintf(&b, "\n%s\nIn %s of %s:\n\n%s\n", strings.Repeat("-", 78), n.File, m.Path, n.Text)
		}
	}
	return b.Bytes(), nil
}
