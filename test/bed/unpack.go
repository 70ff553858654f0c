// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Unpack puts Debian packages of the machine's suite, from a component other than main, into
// the tree: only their files, without dependencies or scripts. This is for NVIDIA's programs
// and libraries, which run without a GPU and need none of the driver's packages. They are
// fetched once and kept with the roots; nothing of them is part of this repository.
func (tree *Tree) Unpack(component string, packages ...string) {
	tree.t.Helper()
	for _, name := range packages {
		deb, err := fetch(tree.t.Context(), tree.cache, tree.Suite, component, name)
		if errors.Is(err, errMirror) {
			refuse(tree.t, fmt.Sprintf("needs a Debian mirror: %v", err))
		}
		if err != nil {
			tree.t.Fatal(err)
		}
		if out, err := exec.CommandContext(tree.t.Context(), "dpkg-deb", "-x", deb, tree.dir).CombinedOutput(); err != nil {
			tree.t.Fatalf("cannot unpack %s: %v\n%s", deb, err, out)
		}
	}
}

// UnpackTree puts packages of another suite, with all dependencies, below a directory of the
// tree: a program that the machine's own suite lacks, for a unit with RootDirectory=.
func (tree *Tree) UnpackTree(suite, into string, packages ...string) {
	tree.t.Helper()
	debs, err := fetchAll(tree.t.Context(), tree.cache, suite, packages)
	if errors.Is(err, errMirror) {
		refuse(tree.t, fmt.Sprintf("needs a Debian mirror: %v", err))
	}
	if err != nil {
		tree.t.Fatal(err)
	}
	root := tree.Path(into)
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} { // as the package base-files merges them
		if err := errors.Join(os.MkdirAll(filepath.Join(root, "usr", dir), 0o755), os.Symlink("usr/"+dir, filepath.Join(root, dir))); err != nil {
			tree.t.Fatal(err)
		}
	}
	for _, deb := range debs {
		if out, err := exec.CommandContext(tree.t.Context(), "dpkg-deb", "-x", deb, root).CombinedOutput(); err != nil {
			tree.t.Fatalf("cannot unpack %s: %v\n%s", deb, err, out)
		}
	}
}

// fetchAll downloads packages and their dependencies, once for each set of packages.
func fetchAll(ctx context.Context, cache, suite string, packages []string) ([]string, error) {
	box, err := openBox(ctx, cache, suite, "main")
	if err != nil {
		return nil, err
	}
	defer box.close()
	dir := filepath.Join(box.dir, "with-"+strings.Join(packages, "-"))
	if found, err := filepath.Glob(filepath.Join(dir, "*.deb")); err == nil && len(found) > 0 {
		return found, nil
	}
	partial := dir + ".partial"
	status := filepath.Join(box.dir, "empty-status") // as if nothing were installed
	if err := errors.Join(os.RemoveAll(partial), os.MkdirAll(filepath.Join(partial, "partial"), 0o755), os.WriteFile(status, nil, 0o600)); err != nil {
		return nil, fmt.Errorf("cannot fetch: %w", err)
	}
	args := []string{"-o", "Dir::State::Status=" + status, "-o", "Dir::Cache::Archives=" + partial, "-o", "Debug::NoLocking=1", "install", "--download-only", "-y", "--no-install-recommends"}
	if err := errors.Join(box.apt(ctx, "update"), box.apt(ctx, append(args, packages...)...)); err != nil {
		return nil, err
	}
	if err := os.Rename(partial, dir); err != nil {
		return nil, fmt.Errorf("cannot fetch: %w", err)
	}
	return filepath.Glob(filepath.Join(dir, "*.deb"))
}

// fetch downloads one package with the host's apt, which verifies it, and
// returns the file.
func fetch(ctx context.Context, cache, suite, component, name string) (string, error) {
	box, err := openBox(ctx, cache, suite, component)
	if err != nil {
		return "", err
	}
	defer box.close()
	if found, err := filepath.Glob(filepath.Join(box.dir, name+"_*.deb")); err == nil && len(found) > 0 {
		return found[0], nil
	}
	if err := errors.Join(box.apt(ctx, "update"), box.apt(ctx, "download", name)); err != nil {
		return "", fmt.Errorf("cannot fetch %s: %w", name, err)
	}
	found, err := filepath.Glob(filepath.Join(box.dir, name+"_*.deb"))
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("cannot fetch %s: apt-get download left no file", name)
	}
	return found[0], nil
}

// box is a separate apt for one suite: its sources, lists and archives.
type box struct {
	dir     string
	options []string
	close   func()
}

// openBox locks the box: only one process at a time can use apt's directories.
func openBox(ctx context.Context, cache, suite, component string) (*box, error) {
	dir := filepath.Join(cache, "debs-"+suite)
	lock, err := lockFile(dir + ".lock")
	if err != nil {
		return nil, err
	}
	b, err := makeBox(ctx, dir, suite, component)
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("cannot fetch from %s: %w", suite, err)
	}
	b.close = func() { _ = lock.Close() }
	return b, nil
}

func makeBox(ctx context.Context, dir, suite, component string) (*box, error) {
	apt := filepath.Join(dir, "apt")
	for _, d := range []string{"lists/partial", "archives/partial"} {
		if err := os.MkdirAll(filepath.Join(apt, d), 0o755); err != nil {
			return nil, err
		}
	}
	keys, err := keyring(ctx, suite, dir)
	if err != nil {
		return nil, err
	}
	uri := mirror(ctx)
	if uri == "" {
		return nil, fmt.Errorf("%w: the host's apt names none", errMirror)
	}
	sources := filepath.Join(apt, "sources.list")
	line := fmt.Sprintf("deb [signed-by=%s] %s %s %s\n", keys, uri, suite, component)
	if err := os.WriteFile(sources, []byte(line), 0o600); err != nil {
		return nil, err
	}
	return &box{dir: dir, options: []string{
		"-qq", "-o", "Dir::Etc::SourceList=" + sources, "-o", "Dir::Etc::SourceParts=/dev/null",
		"-o", "Dir::State::Lists=" + apt + "/lists", "-o", "Dir::Cache=" + apt, "-o", "APT::Sandbox::User=root",
	}}, nil
}

func (b *box) apt(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", append(slices.Clone(b.options), args...)...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil && isNetworkTrouble(out):
		return fmt.Errorf("%w: %s", errMirror, lastLines(out, 5))
	case err != nil:
		return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, lastLines(out, 10))
	}
	return nil
}
