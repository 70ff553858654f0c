// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ordered are descriptions in the order of their commits, with the versions
// that they become.
var ordered = []struct{ described, version string }{
	{"", "0.0.0~git41.g4f397ef0bc12"}, // before every tag
	{"", "0.0.0~git107.g0f397ef0bc12"},
	{"v0.9.0-0-g1234567", "0.9.0"},
	{"v1.0.0-rc.1-0-g1234567", "1.0.0~rc.1"},
	{"v1.0.0-rc.1-3-gfedcba9", "1.0.0~rc.1+3.gfedcba9"},
	{"v1.0.0-rc.2-0-g1234567", "1.0.0~rc.2"},
	{"v1.0.0-0-g1234567", "1.0.0"},
	{"v1.0.0-9-g1234567", "1.0.0+9.g1234567"},
	{"v1.0.0-10-g0234567", "1.0.0+10.g0234567"},
	{"v1.0.0-10-g0234567+dirty", "1.0.0+10.g0234567+dirty"},
	{"v1.0.1-0-g1234567", "1.0.1"},
	{"v1.10.0-0-g1234567", "1.10.0"},
}

func TestVersion_ComesFromTheTag(t *testing.T) {
	for _, o := range ordered {
		if o.described == "" {
			continue
		}
		if got, err := packageVersion(o.described); err != nil || got != o.version {
			t.Errorf("%s becomes %q, %v; want %s", o.described, got, err, o.version)
		}
	}
	for _, wrong := range []string{"", "4f397ef", "v1-0-g1234567", "release-1.0.0-0-g1234567", "v1.0.0-RC1-0-g1234567", "v1.0.0"} {
		if got, err := packageVersion(wrong); err == nil {
			t.Errorf("%q becomes %q", wrong, got)
		}
	}
}

func TestVersion_DpkgOrdersThemLikeCommits(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil {
		t.Skip("there is no dpkg")
	}
	for i := 1; i < len(ordered); i++ {
		older, newer := ordered[i-1].version+"-1", ordered[i].version+"-1"
		if out, err := exec.CommandContext(t.Context(), "dpkg", "--compare-versions", older, "lt", newer).CombinedOutput(); err != nil {
			t.Errorf("dpkg does not take %s for older than %s: %v\n%s", older, newer, err, out)
		}
	}
}

func TestVersion_RPMOrdersThemLikeCommits(t *testing.T) {
	if _, err := exec.LookPath("rpm"); err != nil {
		t.Skip("there is no rpm")
	}
	for i := 1; i < len(ordered); i++ {
		older, newer := ordered[i-1].version, ordered[i].version
		lua := fmt.Sprintf("%%{lua:print(rpm.vercmp(%q, %q))}", older, newer)
		out, err := exec.CommandContext(t.Context(), "rpm", "--eval", lua).Output()
		if err != nil || strings.TrimSpace(string(out)) != "-1" {
			t.Errorf("rpm does not take %s for older than %s: %v %s", older, newer, err, out)
		}
	}
}

func TestVersion_InvalidDateIsRefused(t *testing.T) {
	if _, err := originOf("1.0.0", "yesterday"); err == nil {
		t.Error("SOURCE_DATE_EPOCH=yesterday is taken")
	}
	o, err := originOf("1.0.0", "1700000000")
	if err != nil || o.version != "1.0.0" || o.when.Unix() != 1700000000 {
		t.Errorf("%v, %v", o, err)
	}
}

// What dpkg or rpm refuse, or order differently, must not become a package.
func TestVersion_ThatPackagesCannotHaveIsRefused(t *testing.T) {
	const epoch = "1763000000"
	for _, version := range []string{"0.9.0", "1.2.3~rc.1", "1.2.3+4.g0123abc", "1.2.3+4.g0123abc+dirty", "0.9.0+ds1", "0.9.0~git7.gabc", "1"} {
		if o, err := originOf(version, epoch); err != nil || o.version != version || o.vcs {
			t.Errorf("%q: %+v, %v", version, o, err)
		}
	}
	for _, version := range []string{
		"v1.2.3", "1.2.3-rc.1", "1.2.3-1", "1.2_3", "1:1.2.3", "1.2.3 -X main.x=y", "1.2.3\n", " 1.2.3", "../1.2.3", "1/2", "é1", "1.2.é", "1.2.3^1", "latest", "~1", "${ARCH}",
	} {
		if o, err := originOf(version, epoch); err == nil || !strings.Contains(err.Error(), "cannot use the version") {
			t.Errorf("%q: %+v, %v", version, o, err)
		}
	}
}

// inRepository makes a new repository with one commit of one file the working directory.
func inRepository(t *testing.T, tag string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("packed", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	commands := [][]string{{"init", "--quiet"}, {"add", "packed"}, {"-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "--quiet", "--message=x"}}
	if tag != "" {
		commands = append(commands, []string{"tag", tag})
	}
	for _, args := range commands {
		if _, err := git(args...); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A package with files that are not in the commit does not have the commit's version.
func TestVersion_ChangedOrNewFilesMakeItDirty(t *testing.T) {
	for _, tag := range []string{"", "v1.2.3"} {
		for _, name := range []string{"packed", "new"} {
			inRepository(t, tag)
			if _, err := git("config", "status.showUntrackedFiles", "no"); err != nil {
				t.Fatal(err)
			}
			clean, err := versionOfGit()
			if err != nil || strings.Contains(clean, "dirty") {
				t.Errorf("%s: %q, %v", tag, clean, err)
			}
			if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := versionOfGit(); err != nil || got != clean+"+dirty" {
				t.Errorf("%s with another %s: %q, %v", clean, name, got, err)
			}
		}
	}
}

// An unpacked archive in a repository of something else has no version from git.
func TestVersion_IsNotThatOfAnotherRepository(t *testing.T) {
	dir := inRepository(t, "v9.9.9")
	if o, err := originOf("", "1763000000"); err != nil || o.version != "9.9.9" {
		t.Errorf("in the repository: %+v, %v", o, err)
	}
	below := filepath.Join(dir, "justnews-0.9.0")
	if err := os.Mkdir(below, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(below)
	if o, err := originOf("", "1763000000"); err == nil || !strings.Contains(err.Error(), "set VERSION") {
		t.Errorf("below it: %+v, %v", o, err)
	}
	if o, err := originOf("0.9.0", "1763000000"); err != nil || o.version != "0.9.0" {
		t.Errorf("with a version: %+v, %v", o, err)
	}
}
