// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"justnews/packaging/contents"
)

// expected is what a package in a format must contain: paths, with permissions as printed by
// ls.
func expected(t *testing.T, format string) map[string]string {
	t.Helper()
	items, err := contents.Expand(repository, contents.For(contents.Files, format))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, i := range items {
		kind := "-"
		if i.Kind == contents.Dir || i.Kind == contents.Ghost {
			kind = "d"
		}
		want[i.Dest] = kind + permissions(i.Mode) + " root/" + i.Group
	}
	return want
}

// permissions prints a mode in the kernel's bits as ls does: rwxrws--t.
func permissions(mode fs.FileMode) string {
	words := []byte(mode.Perm().String()[1:])
	if mode&unix.S_ISGID != 0 {
		words[5] = 's'
	}
	if mode&unix.S_ISVTX != 0 {
		words[8] = 't'
	}
	return string(words)
}

func TestContents_DebHasExactlyTheListedFiles(t *testing.T) {
	need(t, "dpkg-deb", "dpkg")
	deb := current(t).deb
	want, got := expected(t, "deb"), map[string]string{}
	for line := range strings.Lines(output(t, "dpkg-deb", "--contents", deb)) {
		f := strings.Fields(line)
		name := strings.ReplaceAll(f[5], `\\`, `\`) // tar's escape
		got[path.Clean(strings.TrimPrefix(name, "."))] = f[0] + " " + strings.Replace(f[1], "0/0", "root/root", 1)
	}
	// dpkg needs the directories above, and pack adds Debian's own changelog.
	for name := range maps.Clone(want) {
		for dir := path.Dir(name); dir != "/"; dir = path.Dir(dir) {
			want[dir] = "drwxr-xr-x root/root"
		}
	}
	want["/usr/share/doc/justnews/changelog.Debian.gz"] = "-rw-r--r-- root/root"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-list +deb\n%s", diff)
	}
	if got := output(t, "dpkg-deb", "--info", deb, "conffiles"); got != "/etc/justnews/justnews.toml\n" {
		t.Errorf("conffiles: %q", got)
	}
	if got := output(t, "dpkg-deb", "--field", deb, "Version", "Architecture", "Depends"); !strings.Contains(got, "Version: "+newVersion+"-1\n") ||
		!strings.Contains(got, "Architecture: amd64\n") || !strings.Contains(got, "libc6 (>= 2.34)") {
		t.Error(got)
	}
}

func TestContents_RPMHasExactlyTheListedFiles(t *testing.T) {
	need(t, "rpm", "rpm")
	rpm := current(t).rpm
	want, got := expected(t, "rpm"), map[string]string{}
	for line := range strings.Lines(output(t, "rpm", "-qp", "--qf", "[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME}\n]", rpm)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		got[name] = rest
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-list +rpm\n%s", diff)
	}
	flags := map[string]string{}
	for line := range strings.Lines(output(t, "rpm", "-qp", "--qf", "[%{FILENAMES} %{FILEFLAGS:fflags}\n]", rpm)) {
		if f := strings.Fields(line); len(f) == 2 {
			flags[f[0]] = f[1]
		}
	}
	for name, want := range map[string]string{
		"/etc/justnews/justnews.toml":               "cn", // %config(noreplace)
		"/usr/share/licenses/justnews/LICENSE":      "l",
		"/usr/share/doc/justnews/README.md":         "d",
		"/usr/share/man/man8/justnews-gate.8.gz":    "d",
		"/usr/bin/justnews-gate":                    "",
		"/run/justnews-gate":                        "g", // %ghost
		"/usr/lib/systemd/system/justnews@.service": "",
	} {
		if flags[name] != want {
			t.Errorf("%s has the flags %q, want %q", name, flags[name], want)
		}
	}
}

// A directory that no package owns is left behind when the rpm is removed.
func TestContents_RPMOwnsItsDirectories(t *testing.T) {
	want := expected(t, "rpm")
	for _, name := range slices.Sorted(maps.Keys(want)) {
		for dir := path.Dir(name); dir != "/"; dir = path.Dir(dir) {
			if strings.Contains(dir, "justnews") && want[dir] == "" {
				t.Errorf("%s is in the list, %s is not", name, dir)
			}
		}
	}
}
