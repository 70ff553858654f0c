// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"bytes"
	"cmp"
	"debug/buildinfo"
	"debug/elf"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"justnews/packaging/contents"
)

// ceiling is the newest glibc that the helper may need: RHEL 9, Ubuntu 22.04.
var ceiling = []int{2, 34}

// unpacked returns a directory with the deb's files, and the programs in it.
func unpacked(t *testing.T) (string, []contents.Item) {
	t.Helper()
	need(t, "dpkg-deb", "dpkg")
	dir := t.TempDir()
	output(t, "dpkg-deb", "--extract", current(t).deb, dir)
	items, err := contents.Expand(repository, contents.Programs(contents.Files))
	if err != nil {
		t.Fatal(err)
	}
	if len(items) < 2 {
		t.Fatalf("only %d programs", len(items))
	}
	return dir, items
}

func TestPrograms_AreStaticAndTheHelperRunsOnOldGlibc(t *testing.T) {
	dir, items := unpacked(t)
	for _, item := range items {
		content, err := os.ReadFile(filepath.Join(dir, item.Dest))
		if err != nil {
			t.Fatal(err)
		}
		f, err := elf.NewFile(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		if f.Section(".debug_info") != nil || f.Section(".symtab") != nil {
			t.Errorf("%s is not stripped", item.Dest)
		}
		if !item.Cgo {
			if f.Section(".interp") != nil || f.Section(".dynamic") != nil {
				t.Errorf("%s is not static", item.Dest)
			}
			continue
		}
		dynamic(t, item.Dest, f)
	}
}

// dynamic checks the helper: it needs only libc, not newer than the ceiling, and is bound
// lazily, since otherwise a driver that lacks a function would keep it from starting.
func dynamic(t *testing.T, name string, f *elf.File) {
	t.Helper()
	symbols, err := f.ImportedSymbols()
	if err != nil || len(symbols) == 0 {
		t.Fatalf("%s: %d symbols, %v", name, len(symbols), err)
	}
	for _, s := range symbols {
		if version, ok := strings.CutPrefix(s.Version, "GLIBC_"); ok && slices.Compare(numbers(t, version), ceiling) > 0 {
			t.Errorf("%s needs %s of glibc %s", name, s.Name, version)
		}
	}
	libraries, err := f.ImportedLibraries()
	if err != nil || !slices.Equal(libraries, []string{"libc.so.6"}) {
		t.Errorf("%s needs %v, %v; want only libc.so.6", name, libraries, err)
	}
	for tag, bit := range map[elf.DynTag]uint64{elf.DT_FLAGS: uint64(elf.DF_BIND_NOW), elf.DT_FLAGS_1: uint64(elf.DF_1_NOW)} {
		values, err := f.DynValue(tag)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if v&bit != 0 {
				t.Errorf("%s is not bound lazily: %v has %#x", name, tag, v)
			}
		}
	}
}

func numbers(t *testing.T, version string) []int {
	t.Helper()
	var out []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			t.Fatalf("glibc %q: %v", version, err)
		}
		out = append(out, n)
	}
	return out
}

// The programs themselves contain the list of linked modules.
func TestPrograms_LicencesOfLinkedModulesArePackaged(t *testing.T) {
	dir, items := unpacked(t)
	text, err := os.ReadFile(filepath.Join(dir, "usr/share/doc/justnews/copyright"))
	if err != nil {
		t.Fatal(err)
	}
	linked := map[string]bool{}
	for _, item := range items {
		info, err := buildinfo.ReadFile(filepath.Join(dir, item.Dest))
		if err != nil {
			t.Fatal(err)
		}
		linked["std "+info.GoVersion] = true
		for _, m := range info.Deps {
			m = cmp.Or(m.Replace, m)
			linked[m.Path+" "+m.Version] = true
		}
		if info.Main.Version != "v"+newVersion {
			t.Errorf("%s: the build information has the version %s, want v%s", path.Base(item.Dest), info.Main.Version, newVersion)
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.modified" && s.Value != "false" || s.Key == "-trimpath" && s.Value != "true" {
				t.Errorf("%s: built with %s=%s", path.Base(item.Dest), s.Key, s.Value)
			}
		}
	}
	if len(linked) < 5 {
		t.Fatalf("only %v", linked)
	}
	for _, m := range slices.Sorted(maps.Keys(linked)) {
		if !strings.Contains(string(text), "\nComment: "+m+"\n") {
			t.Errorf("%s is linked, but its licence is not in the package", m)
		}
	}
	if got, want := strings.Count(string(text), "\nFiles: linked/"), len(linked); got != want {
		t.Errorf("the package has the licences of %d modules, and %d are linked", got, want)
	}
}
