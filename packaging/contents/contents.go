// SPDX-License-Identifier: Apache-2.0

// Package contents says what the packages install, and where. It is the one
// list: nfpm packs it, the test bed installs it, and a test holds that nothing
// of the repository that belongs on a host is missing from it. It writes
// nothing and knows nothing of package formats but which files are for one
// only.
package contents

import (
	"io/fs"
)

// Kind is how a package manager treats a file.
type Kind string

// The kinds, as nfpm calls them; a plain file is none of them.
const (
	Config  Kind = "config|noreplace" // the administrator's edits stay
	Doc     Kind = "doc"
	Licence Kind = "license"
	Dir     Kind = "dir"
	Ghost   Kind = "ghost" // a directory that tmpfiles.d creates; rpm only owns it
)

// File says where one thing belongs on a host. Exactly one of Build, Source and
// Make is set, or none for a directory.
type File struct {
	Build  string // a main package, built as it is released
	Cgo    bool   // Build needs a C compiler
	Source string // a file or a pattern, relative to the repository
	Make   Maker  // text that is made from the sources
	Dest   string // absolute; a directory if it ends in a slash
	Mode   fs.FileMode
	Kind   Kind
	Group  string // "": root
	Only   string // the one format that has it, "deb" or "rpm"; "": all
	Gzip   bool   // compressed, as .gz
	// Optional is for what may not be in the repository. Once it is, it is in the
	// packages, and a build of it that fails is an error.
	Optional bool
}

const (
	units    = "/usr/lib/systemd/system/"
	libexec  = "/usr/libexec/justnews/"
	docs     = "/usr/share/doc/justnews/"
	examples = docs + "examples/" // diag.Examples
	licences = "/usr/share/licenses/justnews/"
	shared   = "/usr/share/justnews/"
	conf     = "/etc/justnews/"
)

// Files are what the packages install.
var Files = []File{
	{Build: "./cmd/justnews-generator", Dest: "/usr/lib/systemd/system-generators/", Mode: 0o755},
	// To be executed by others and not read: the kernel then lets no process of the
	// same user trace them, from their first instruction.
	{Build: "./cmd/justnews-gate", Dest: "/usr/bin/", Mode: 0o711},
	{Build: "./cmd/justnews-nvml", Cgo: true, Dest: libexec, Mode: 0o711},

	{Source: "units/*.service", Dest: units, Mode: 0o644},
	{Source: "units/*.target", Dest: units, Mode: 0o644},
	{Source: "units/*.path", Dest: units, Mode: 0o644},
	{Source: "units/*.timer", Dest: units, Mode: 0o644},
	// The name of a mount unit follows from its path; a pattern cannot hold it.
	{Source: "units/run-justnews-gate.mount", Dest: units + `run-justnews\x2dgate.mount`, Mode: 0o644},
	{Source: "units/local-fs.target.d/*.conf", Dest: units + "local-fs.target.d/", Mode: 0o644},
	{Source: "units/justnews@.service.d/*.conf", Dest: units + "justnews@.service.d/", Mode: 0o644},
	{Source: "units/sysusers.d/justnews.conf", Dest: "/usr/lib/sysusers.d/", Mode: 0o644},
	{Source: "units/tmpfiles.d/justnews.conf", Dest: "/usr/lib/tmpfiles.d/", Mode: 0o644},
	{Source: "units/dbus-1/*.conf", Dest: "/usr/share/dbus-1/system.d/", Mode: 0o644},
	{Source: "units/dbus-1/*.service", Dest: "/usr/share/dbus-1/system-services/", Mode: 0o644},
	{Source: "units/polkit-1/*.rules", Dest: "/usr/share/polkit-1/rules.d/", Mode: 0o644},
	{Source: "units/system-preset/*.preset", Dest: "/usr/lib/systemd/system-preset/", Mode: 0o644},
	{Make: journalCatalog, Dest: "/usr/lib/systemd/catalog/justnews.catalog", Mode: 0o644},

	{Dest: conf, Mode: 0o755, Kind: Dir},
	{Source: "packaging/justnews.toml", Dest: conf, Mode: 0o644, Kind: Config},
	{Dest: conf + "justnews.toml.d/", Mode: 0o755, Kind: Dir},

	{Source: "man/*.5", Dest: "/usr/share/man/man5/", Mode: 0o644, Kind: Doc, Gzip: true},
	{Source: "man/*.7", Dest: "/usr/share/man/man7/", Mode: 0o644, Kind: Doc, Gzip: true},
	{Source: "man/*.8", Dest: "/usr/share/man/man8/", Mode: 0o644, Kind: Doc, Gzip: true},

	{Source: "internal/completion/justnews-gate.bash", Dest: "/usr/share/bash-completion/completions/justnews-gate", Mode: 0o644},
	{Source: "internal/completion/justnews-gate.zsh", Dest: "/usr/share/zsh/vendor-completions/_justnews-gate", Mode: 0o644, Only: "deb"},
	{Source: "internal/completion/justnews-gate.zsh", Dest: "/usr/share/zsh/site-functions/_justnews-gate", Mode: 0o644, Only: "rpm"},
	{Source: "internal/completion/justnews-gate.fish", Dest: "/usr/share/fish/vendor_completions.d/justnews-gate.fish", Mode: 0o644},

	{Source: "internal/*/*.schema.json", Dest: shared, Mode: 0o644},
	{Source: "packaging/examples/*", Dest: examples, Mode: 0o644, Kind: Doc},
	{Source: "examples/prometheus/*", Dest: examples + "prometheus/", Mode: 0o644, Kind: Doc},
	{Source: "examples/grafana/*", Dest: examples + "grafana/", Mode: 0o644, Kind: Doc},
	{Source: "examples/guards/*.*", Dest: examples + "guards/", Mode: 0o644, Kind: Doc},
	{Source: "examples/kubernetes/[A-Z]*", Dest: examples + "kubernetes/", Mode: 0o644, Kind: Doc},
	{Source: "examples/kubernetes/base/*", Dest: examples + "kubernetes/base/", Mode: 0o644, Kind: Doc},
	{Source: "packaging/compat/*.sh", Dest: shared + "compat/", Mode: 0o755},

	// Debian keeps the licences of everything in one file of its own form; rpm
	// keeps each as it is.
	{Make: debianCopyright, Dest: docs + "copyright", Mode: 0o644, Only: "deb"},
	{Source: "CHANGELOG.md", Dest: docs + "changelog", Mode: 0o644, Only: "deb", Gzip: true},
	{Source: "packaging/lintian/justnews", Dest: "/usr/share/lintian/overrides/", Mode: 0o644, Only: "deb"},
	{Source: "LICENSE", Dest: licences, Mode: 0o644, Kind: Licence, Only: "rpm"},
	{Make: thirdParties, Dest: licences + "LICENSES-OF-LINKED-MODULES", Mode: 0o644, Kind: Licence, Only: "rpm"},
	{Source: "CHANGELOG.md", Dest: docs, Mode: 0o644, Kind: Doc, Only: "rpm"},
	{Source: "README.md", Dest: docs, Mode: 0o644, Kind: Doc, Only: "rpm"},

	// As units/tmpfiles.d creates them.
	{Dest: "/run/justnews-gate/", Mode: 0o3771, Kind: Ghost, Group: "justnews", Only: "rpm"},
	{Dest: "/run/justnews-gate/metrics/", Mode: 0o3775, Kind: Ghost, Group: "justnews", Only: "rpm"},
	{Dest: "/var/lib/justnews-gate/", Mode: 0o755, Kind: Ghost, Only: "rpm"},

	// dpkg creates the directories of its files itself. rpm removes only those
	// that a package owns.
	{Dest: units + "justnews@.service.d/", Mode: 0o755, Kind: Dir, Only: "rpm"},
	{Dest: units + "local-fs.target.d/", Mode: 0o755, Kind: Dir, Only: "rpm"},
	{Dest: libexec, Mode: 0o755, Kind: Dir, Only: "rpm"},
	{Dest: shared, Mode: 0o755, Kind: Dir, Only: "rpm"},
	{Dest: shared + "compat/", Mode: 0o755, Kind: Dir, Only: "rpm"},
	{Dest: docs, Mode: 0o755, Kind: Dir, Only: "rpm"},
	{Dest: examples, Mode: 0o755, Kind: Dir, Only: "rpm"},
	{Dest: examples + "prometheus/", Mode: 0o755, Kind: Dir, Only: "rpm"},
	{Dest: examples + "grafana/", Mode: 0o755, Kind: Dir, Only: "rpm"},
	{Dest: examples + "guards/", Mode: 0o755, Kind: Dir, Only: "rpm"},
	{Dest: examples + "kubernetes/", Mode: 0o755, Kind: Dir, Only: "rpm"},
	{Dest: examples + "kubernetes/base/", Mode: 0o755, Kind: Dir, Only: "rpm"},
	{Dest: licences, Mode: 0o755, Kind: Dir, Only: "rpm"},
}
