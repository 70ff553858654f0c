// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/packaging/contents"
	"justnews/test/bed"
)

const specFile = "packaging/fedora/justnews.spec"

// sources makes the source archives from a clone of this work tree, and returns the
// directories of the clone and of the archives.
var sources = sync.OnceValues(func() (dirs struct{ clone, out string }, err error) {
	dirs.clone, dirs.out = filepath.Join(scratch, "clone"), filepath.Join(scratch, "sources")
	for _, dir := range []string{dirs.clone, dirs.out} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return dirs, err
		}
	}
	const copyAll = `git ls-files -z --cached --others --exclude-standard | tar --null -T - --ignore-failed-read -c | tar -x -C "$0"`
	if err := execute(repository, nil, "sh", "-c", copyAll, dirs.clone); err != nil {
		return dirs, err
	}
	if err := commitAll(dirs.clone); err != nil {
		return dirs, err
	}
	return dirs, execute(dirs.clone, nil, "packaging/source.sh", dirs.out)
})

// execute runs a command; the error has its output.
func execute(dir string, env []string, argv ...string) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%q: %w\n%s", argv, err, said[max(0, len(said)-8000):])
	}
	return nil
}

// offline runs a build with only the loopback interface, as on the distributions' build
// machines. The compiler's cache is shared.
func offline(dir string, argv ...string) error {
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return err
	}
	env := []string{"GOCACHE=" + strings.TrimSpace(string(cache)), "GOFLAGS=", "PATH=" + os.Getenv("PATH"),
		"DEBEMAIL=", "DEBFULLNAME=", "SOURCE_DATE_EPOCH=", "DEB_BUILD_OPTIONS="}
	isolate := []string{"unshare", "--net", "sh", "-ec", `ip link set lo up; unset SOURCE_DATE_EPOCH; exec "$@"`, "sh"}
	if os.Geteuid() != 0 {
		isolate = slices.Insert(isolate, 1, "--map-root-user")
	}
	return execute(dir, env, append(isolate, argv...)...)
}

// sourceBuilt is the output of a distribution's tools.
type sourceBuilt struct{ dir, version string }

// buildDebian builds as a Debian developer does, except for the version of Go, which Debian
// 12 and 13 do not have.
var buildDebian = sync.OnceValues(func() (sourceBuilt, error) {
	from, err := sources()
	if err != nil {
		return sourceBuilt{}, err
	}
	b := sourceBuilt{dir: filepath.Join(scratch, "debian")}
	if b.version, err = versionIn(filepath.Join(from.clone, "debian/changelog"), `\Ajustnews \((.+)-1\) `); err != nil {
		return b, err
	}
	tree := filepath.Join(b.dir, "justnews-"+b.version)
	const unpack = `mkdir "$1"; cp -l "$2"/*.orig*.tar.gz "$1"; cd "$1"; tar -xf justnews_*.orig.tar.gz; tar -C justnews-* -xf justnews_*.orig-vendor.tar.gz; cp -R "$3/debian" justnews-*/`
	if err := execute(".", nil, "sh", "-ec", unpack, "sh", b.dir, from.out, from.clone); err != nil {
		return b, err
	}
	return b, offline(tree, "dpkg-buildpackage", "--no-sign", "--no-check-builddeps")
})

var buildFedora = sync.OnceValues(func() (sourceBuilt, error) {
	from, err := sources()
	if err != nil {
		return sourceBuilt{}, err
	}
	b := sourceBuilt{dir: filepath.Join(scratch, "fedora")}
	spec := filepath.Join(from.clone, specFile)
	if b.version, err = versionIn(spec, `(?m)^Version: +(.+)$`); err != nil {
		return b, err
	}
	// rpm's database on Debian knows no package.
	return b, offline(".", "rpmbuild", "-ba", "--nodeps", "--define", "_topdir "+b.dir, "--define", "_sourcedir "+from.out, spec)
})

func versionIn(file, expression string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	m := regexp.MustCompile(expression).FindSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("cannot find the version in %s", file)
	}
	return string(m[1]), nil
}

// fromSource returns what a distribution's tools built.
func fromSource(t *testing.T, build func() (sourceBuilt, error)) sourceBuilt {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: builds packages")
	}
	for tool, pkg := range map[string]string{"git": "git", "ip": "iproute2", "dpkg-buildpackage": "build-essential", "dh": "debhelper", "rpmbuild": "rpm"} {
		need(t, tool, pkg)
	}
	b, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// debs are both packages.
func (b sourceBuilt) debs(t *testing.T) []string {
	t.Helper()
	arch := strings.TrimSpace(output(t, "dpkg", "--print-architecture"))
	var names []string
	for _, name := range []string{"justnews", "justnews-nvidia"} {
		names = append(names, filepath.Join(b.dir, name+"_"+b.version+"-1_"+arch+".deb"))
	}
	return names
}

func (b sourceBuilt) rpms(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(b.dir, "RPMS/*/*.rpm"))
	if err != nil || len(names) != 2 {
		t.Fatalf("rpmbuild made %v, %v", names, err)
	}
	return names
}

func TestSource_DebianBuildsOfflineAndLintianFindsNothing(t *testing.T) {
	t.Parallel()
	b := fromSource(t, buildDebian)
	lintian(t, append(b.debs(t), filepath.Join(b.dir, "justnews_"+b.version+"-1.dsc"))...)
}

func TestSource_FedoraBuildsOfflineAndRpmlintFindsNothing(t *testing.T) {
	t.Parallel()
	b := fromSource(t, buildFedora)
	source := filepath.Join(b.dir, "SRPMS/justnews-"+b.version+"-1.src.rpm")
	rpmlint(t, append(b.rpms(t), source, filepath.Join(repository, specFile), "-r", filepath.Join(repository, "packaging/fedora/justnews.rpmlintrc"))...)
}

// Two people make the same archives, however their git is set up.
func TestSource_ArchivesIgnoreTheUsersSettings(t *testing.T) {
	t.Parallel()
	need(t, "git", "git")
	from, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	env := []string{"GIT_CONFIG_COUNT=3", "GIT_CONFIG_KEY_0=tar.umask", "GIT_CONFIG_VALUE_0=user", "GIT_CONFIG_KEY_1=core.autocrlf", "GIT_CONFIG_VALUE_1=true",
		"GIT_CONFIG_KEY_2=log.showSignature", "GIT_CONFIG_VALUE_2=true", "TZ=Pacific/Kiritimati", "USER=nobody"}
	if err := execute(from.clone, env, "sh", "-ec", `umask 077; exec packaging/source.sh "$0"`, dir); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.tar.gz"))
	if err != nil || len(names) != 4 {
		t.Fatalf("%q, %v", names, err)
	}
	for _, name := range names {
		if a, b := sum(t, filepath.Join(from.out, filepath.Base(name))), sum(t, name); a != b {
			t.Errorf("%s: %s here, %s there", filepath.Base(name), a, b)
		}
	}
}

// All that a build needs is declared. Debian 12 lacks only a Go of this version.
func TestSource_BuildDependenciesAreInstalled(t *testing.T) {
	t.Parallel()
	need(t, "dpkg-checkbuilddeps", "dpkg-dev")
	cmd := exec.CommandContext(t.Context(), "dpkg-checkbuilddeps")
	cmd.Dir = repository
	out, err := cmd.CombinedOutput()
	if _, missing, _ := strings.Cut(string(out), "Unmet build dependencies: "); err != nil && !regexp.MustCompile(`^golang-go \([^)]*\)\n$`).MatchString(missing) {
		t.Errorf("%v\n%s", err, out)
	}
}

// Three files have the version.
func TestSource_VersionMatchesTheChangelog(t *testing.T) {
	t.Parallel()
	want, err := versionIn(filepath.Join(repository, "CHANGELOG.md"), `(?m)^## \[(\d.+)\]`)
	if err != nil {
		t.Fatal(err)
	}
	for file, expression := range map[string]string{"debian/changelog": `\Ajustnews \((.+)-1\) `, specFile: `(?m)^Version: +(.+)$`} {
		if got, err := versionIn(filepath.Join(repository, file), expression); err != nil || got != want {
			t.Errorf("%s has %q, %v; CHANGELOG.md has %s", file, got, err, want)
		}
	}
}

// packaged is a file of a package: its mode, and what is in it. A program is not
// compared: it has its version in it.
func packaged(name string, mode int64, content []byte) string {
	if bytes.HasPrefix(content, []byte("\x7fELF")) {
		return fmt.Sprintf("%o program", mode)
	}
	if strings.HasSuffix(name, ".gz") {
		if r, err := gzip.NewReader(bytes.NewReader(content)); err == nil {
			if content, err = io.ReadAll(r); err != nil {
				content = nil
			}
		}
	}
	return fmt.Sprintf("%o %x", mode, sha256.Sum256(content))
}

// filesOfDebs are the files and links of packages, without directories.
func filesOfDebs(t *testing.T, debs ...string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, deb := range debs {
		for r := tar.NewReader(strings.NewReader(output(t, "dpkg-deb", "--fsys-tarfile", deb))); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if h.Typeflag == tar.TypeDir {
				continue
			}
			content, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			name := path.Clean("/" + h.Name)
			if files[name] != "" {
				t.Errorf("%s is in two packages", name)
			}
			files[name] = packaged(name, h.Mode, content)
			if h.Typeflag == tar.TypeSymlink {
				files[name] = "-> " + h.Linkname
			}
		}
	}
	return files
}

func TestSource_DebianHasTheFilesOfTheDeb(t *testing.T) {
	t.Parallel()
	b := fromSource(t, buildDebian)
	want, got := filesOfDebs(t, current(t).deb), filesOfDebs(t, b.debs(t)...)
	if len(want) < 50 {
		t.Fatalf("the deb has only %d files", len(want))
	}
	// Files that belong to the package format, not to the installed tree.
	const overrides, log = "/usr/share/lintian/overrides/justnews", "/usr/share/doc/justnews/changelog.Debian.gz"
	for name, want := range map[string]string{"/usr/share/doc/justnews-nvidia": "-> justnews", overrides + "-nvidia": "", log: "", overrides: ""} {
		if got[name] == "" || want != "" && got[name] != want {
			t.Errorf("%s is %q", name, got[name])
		}
		delete(got, name)
	}
	delete(want, overrides)
	delete(want, log)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-nfpm +debhelper\n%s", diff)
	}
	free := filesOfDebs(t, b.debs(t)[0])
	for _, name := range []string{"/usr/libexec/justnews/justnews-nvml", "/usr/lib/systemd/system/justnews-mps.service"} {
		if free[name] != "" {
			t.Errorf("justnews has %s, which is for justnews-nvidia", name)
		}
	}
	for _, script := range []string{"postinst", "prerm", "postrm"} {
		if a, b := output(t, "dpkg-deb", "--info", current(t).deb, script), output(t, "dpkg-deb", "--info", b.debs(t)[0], script); a != b {
			t.Errorf("%s differs:\n%s", script, cmp.Diff(a, b))
		}
	}
}

func TestSource_FedoraHasTheFilesOfTheRPM(t *testing.T) {
	t.Parallel()
	b := fromSource(t, buildFedora)
	want, got := filesOfRPMs(t, current(t).rpm), filesOfRPMs(t, b.rpms(t)...)
	if len(want) < 50 {
		t.Fatalf("the rpm has only %d files", len(want))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-nfpm +rpmbuild\n%s", diff)
	}
	main := b.rpms(t)[slices.IndexFunc(b.rpms(t), func(name string) bool { return !strings.Contains(filepath.Base(name), "nvidia") })]
	for _, tag := range []string{"PREIN", "POSTIN", "PREUN", "POSTUN", "POSTTRANS"} {
		query := "%{" + tag + "}"
		if a, b := output(t, "rpm", "-qp", "--qf", query, current(t).rpm), output(t, "rpm", "-qp", "--qf", query, main); strings.TrimSpace(a) != strings.TrimSpace(b) {
			t.Errorf("%s differs:\n%s", tag, cmp.Diff(a, b))
		}
	}
	for _, name := range []string{"user(justnews)", "group(justnews)", "group(justnews-operators)"} {
		if !strings.Contains(output(t, "rpm", "-qp", "--provides", main), name+"\n") {
			t.Errorf("the package does not provide %s", name)
		}
	}
}

// Nothing in the rpms depends on when they were built.
func TestSource_FedoraHasTheDatesOfTheChangelog(t *testing.T) {
	t.Parallel()
	b := fromSource(t, buildFedora)
	sourceRPM := filepath.Join(b.dir, "SRPMS/justnews-"+b.version+"-1.src.rpm")
	for _, rpm := range append(b.rpms(t), sourceRPM) {
		// The changelog has days, at noon.
		day := strings.TrimSpace(output(t, "rpm", "-qp", "--qf", "%{CHANGELOGTIME:day}", rpm))
		if got := strings.TrimSpace(output(t, "rpm", "-qp", "--qf", "%{BUILDTIME:day}", rpm)); got != day {
			t.Errorf("%s is of %s, the changelog of %s", filepath.Base(rpm), got, day)
		}
		if rpm == sourceRPM {
			continue
		}
		for line := range strings.Lines(output(t, "rpm", "-qp", "--qf", "[%{FILEMTIMES:day} %{FILENAMES}\n]", rpm)) {
			if !strings.HasPrefix(line, day+" ") {
				t.Errorf("%s, want %s", strings.TrimSpace(line), day)
			}
		}
	}
}

// filesOfRPMs are the files and directories of packages: mode, owners, flags and
// content, but for that of programs.
func filesOfRPMs(t *testing.T, rpms ...string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, rpm := range rpms {
		for line := range strings.Lines(output(t, "rpm", "-qp", "--qf", "[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILEFLAGS:fflags} %{FILEDIGESTS}\n]", rpm)) {
			name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			if files[name] != "" {
				t.Errorf("%s is in two packages", name)
			}
			if base := path.Base(name); strings.HasPrefix(rest, "-") && (strings.HasPrefix(name, "/usr/libexec/") || strings.Contains(name, "generators/") || base == "justnews-gate" && strings.HasPrefix(name, "/usr/bin/")) {
				rest = rest[:strings.LastIndex(rest, " ")]
			}
			files[name] = rest
		}
	}
	return files
}

// spec returns the text of the spec file, and the modules that each of its packages links.
func spec(t *testing.T) (text string, linked map[string][]contents.Module) {
	t.Helper()
	items, err := contents.Expand(repository, contents.For(contents.Files, "rpm"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(repository, specFile))
	if err != nil {
		t.Fatal(err)
	}
	linked = map[string][]contents.Module{}
	for name, part := range contents.Split(items) {
		if linked[name], err = contents.Linked(repository, slices.Concat(contents.Builds(part, false), contents.Builds(part, true))...); err != nil {
			t.Fatal(err)
		}
	}
	return string(data), linked
}

// The rpms name the licences of their contents.
func TestSource_SpecNamesTheLicencesOfEverythingLinked(t *testing.T) {
	t.Parallel()
	text, linked := spec(t)
	licences := regexp.MustCompile(`(?m)^License: +(.+)$`).FindAllStringSubmatch(text, -1)
	for i, name := range []string{"justnews", "justnews-nvidia"} {
		if want := contents.Expression(linked[name]); len(licences) != 2 || licences[i][1] != want {
			t.Errorf("%s: %v, want %s", name, licences, want)
		}
	}
}

// What is vendored is declared, so that Fedora finds the packages with a vulnerable module.
func TestSource_SpecDeclaresBundledModules(t *testing.T) {
	t.Parallel()
	text, linked := spec(t)
	main, nvidia, found := strings.Cut(text, "\n%package nvidia\n")
	if !found {
		t.Fatalf("%s has no subpackage", specFile)
	}
	for name, section := range map[string]string{"justnews": main, "justnews-nvidia": nvidia} {
		var want []string
		for _, m := range linked[name] {
			if m.Path != "std" {
				want = append(want, "Provides:       bundled(golang("+m.Path+")) = "+strings.TrimPrefix(m.Version, "v"))
			}
		}
		if diff := cmp.Diff(want, regexp.MustCompile(`(?m)^Provides: +bundled.*$`).FindAllString(section, -1)); diff != "" {
			t.Errorf("%s: -linked +declared\n%s", name, diff)
		}
	}
}

// NVIDIA's part can be installed and removed separately, and nfpm's package replaces both.
func TestSource_DebianLifecycle(t *testing.T) {
	t.Parallel()
	debs := fromSource(t, buildDebian).debs(t)
	now := current(t)
	bed.Newest(t, func(t *testing.T, suite string) {
		const free, nvidia, autopkgtest = "/root/free.deb", "/root/nvidia.deb", "/root/installed"
		h := &host{bed.Boot(t, bed.Options{Suite: suite, Prepare: func(tree *bed.Tree) {
			for _, name := range tree.List("/etc/dpkg/dpkg.cfg.d") {
				tree.Remove("/etc/dpkg/dpkg.cfg.d/" + name)
			}
			tree.Copy(debs[0], free, 0o644)
			tree.Copy(debs[1], nvidia, 0o644)
			tree.Copy(now.deb, newDeb, 0o644)
			tree.Copy(filepath.Join(repository, "debian/tests/installed"), autopkgtest, 0o755)
		}}), t}
		h.WaitIdle()
		for _, step := range []struct{ args, mps string }{
			{"install " + free, "not-found"},
			{"install " + nvidia, "loaded"},
			{"remove justnews-nvidia", "not-found"},
			{"install " + nvidia, "loaded"},
			{"install " + newDeb, "loaded"},
			{"install --allow-downgrades " + free + " " + nvidia, "loaded"},
		} {
			h.apt(step.args)
			h.healthy(step.args)
			for _, name := range []string{"justnews-mps.service", "justnews-mps-start.service"} {
				if got := h.Unit(name).LoadState; got != step.mps {
					t.Errorf("after %s %s is %s, want %s", step.args, name, got, step.mps)
				}
			}
			h.step("justnews-gate --version")
		}
		h.step(autopkgtest)
		h.apt("purge justnews justnews-nvidia")
		h.gone("the purge")
		if left := h.leftovers(); len(left) > 0 {
			t.Errorf("the purge left behind\n%s", strings.Join(left, "\n"))
		}
	})
}
