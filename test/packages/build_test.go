// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	repository = "../.."
	// The versions under test. The epoch is arbitrary, but the same for all.
	newVersion, oldVersion = "1.4.0", "1.3.2"
	epoch                  = "1763000000"
)

// built are the packages of one version.
type built struct{ deb, rpm string }

// TestMain keeps what is built until all tests have run.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "justnews-packages-")
	if err != nil {
		panic(err)
	}
	scratch = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

var scratch string

var buildNew = sync.OnceValues(func() (built, error) {
	return packTagged(filepath.Join(scratch, "new-tree"), filepath.Join(scratch, "new"))
})

// packTagged builds this tree's packages as for a release: from a clone whose commit has the
// new version's tag.
func packTagged(tree, out string, env ...string) (built, error) {
	if err := copyTree(tree); err != nil {
		return built{}, err
	}
	if err := commitAll(tree, "tag", "v"+newVersion); err != nil {
		return built{}, err
	}
	return pack(tree, out, "", env...)
}

// commitAll turns a directory into a repository with one commit, which is the same wherever
// it is made. further is a git command to run afterwards.
func commitAll(tree string, further ...string) error {
	const who = "JustNews tests"
	commands := [][]string{{"init", "--quiet"}, {"add", "--all"}, {"commit", "--quiet", "--message=release"}}
	if len(further) > 0 {
		commands = append(commands, further)
	}
	for _, args := range commands {
		cmd := exec.Command("git", append([]string{"-c", "core.autocrlf=false"}, args...)...)
		cmd.Dir = tree
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
			"GIT_AUTHOR_NAME="+who, "GIT_AUTHOR_EMAIL=tests@localhost", "GIT_AUTHOR_DATE="+epoch+" +0000",
			"GIT_COMMITTER_NAME="+who, "GIT_COMMITTER_EMAIL=tests@localhost", "GIT_COMMITTER_DATE="+epoch+" +0000")
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("cannot make a clone to build: git %s: %w\n%s", args[0], err, said)
		}
	}
	return nil
}

// current returns the packages of this tree.
func current(t testing.TB) built {
	t.Helper()
	return orSkip(t, buildNew)
}

var buildOld = sync.OnceValues(func() (built, error) {
	dir := filepath.Join(scratch, "old-tree")
	if err := copyTree(dir); err != nil {
		return built{}, err
	}
	// An older JustNews: different text in the conffile and in a unit, and a unit that the
	// new one no longer has.
	for name, add := range map[string]string{
		"packaging/justnews.toml":    "\n# as it was in an older version\n",
		"units/justnews@.service":    "\n# as it was in an older version\n",
		"units/justnews-old.service": "[Unit]\nDescription=gone in the next version\n[Service]\nExecStart=/bin/true\n",
	} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return built{}, err
		}
		_, err = f.WriteString(add)
		if err := f.Close(); err != nil {
			return built{}, err
		}
		if err != nil {
			return built{}, err
		}
	}
	return pack(dir, filepath.Join(scratch, "old"), oldVersion)
})

// older returns the packages of the version before this one.
func older(t testing.TB) built {
	t.Helper()
	return orSkip(t, buildOld)
}

func orSkip(t testing.TB, build func() (built, error)) built {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: builds packages")
	}
	b, err := build()
	if err != nil && unreachable(err.Error()) && os.Getenv("JUSTNEWS_REQUIRE_BED") != "1" {
		t.Skipf("needs the modules of nfpm, once: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// unreachable distinguishes a missing network from a failing build.
func unreachable(said string) bool {
	return strings.Contains(said, "dial tcp") || strings.Contains(said, "no such host") || strings.Contains(said, "module lookup disabled")
}

// pack builds a tree's packages. The default version is git's.
func pack(tree, out, version string, env ...string) (built, error) {
	cmd := exec.Command("go", "run", "-trimpath", "./packaging/pack", "-out", out, "-arches", "amd64")
	cmd.Dir = tree
	cmd.Env = append(os.Environ(), "VERSION="+version, "SOURCE_DATE_EPOCH="+epoch, "GOFLAGS=-buildvcs=false", "DEBFULLNAME=", "DEBEMAIL=")
	cmd.Env = append(cmd.Env, env...)
	said, err := cmd.CombinedOutput()
	if err != nil {
		return built{}, &buildError{string(said), err}
	}
	var b built
	for name := range strings.Lines(string(said)) {
		if name = strings.TrimSpace(name); !filepath.IsAbs(name) {
			name = filepath.Join(tree, name)
		}
		switch filepath.Ext(name) {
		case ".deb":
			b.deb = name
		case ".rpm":
			b.rpm = name
		}
	}
	return b, nil
}

type buildError struct {
	said string
	err  error
}

func (e *buildError) Error() string {
	return "cannot build the packages: " + e.err.Error() + "\n" + e.said
}

// copyTree copies the files from which packages are built to another place.
func copyTree(to string) error {
	for _, part := range []string{"cmd", "examples", "internal", "packaging", "units", "man"} {
		if err := os.CopyFS(filepath.Join(to, part), os.DirFS(filepath.Join(repository, part))); err != nil {
			return err
		}
	}
	for _, part := range []string{"go.mod", "go.sum", "LICENSE", "README.md", "CHANGELOG.md"} {
		text, err := os.ReadFile(filepath.Join(repository, part))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, part), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func need(t testing.TB, tool, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		t.Skipf("needs %s: apt-get install %s", tool, pkg)
	}
}

// output runs a tool of the host.
func output(t testing.TB, argv ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s%s", argv, err, out, said.String())
	}
	return string(out)
}
