// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Unpack puts Debian packages of the machine's suite into the tree, from
// another component than main: their files only, neither what they depend on
// nor their scripts. NVIDIA's programs and libraries come so, which run without
// a GPU and need none of the driver's packages to do so. They are fetched once
// and kept with the roots; nothing of them is part of this repository.
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

// fetch downloads one package with the host's apt, which verifies it, and
// returns the file.
func fetch(ctx context.Context, cache, suite, component, name string) (string, error) {
	dir := filepath.Join(cache, "debs-"+suite)
	lock, err := lockFile(dir + ".lock") // apt's own directories are for one at a time
	if err != nil {
		return "", err
	}
	defer func() { _ = lock.Close() }()
	if found, err := filepath.Glob(filepath.Join(dir, name+"_*.deb")); err == nil && len(found) > 0 {
		return found[0], nil
	}
	apt := filepath.Join(dir, "apt")
	for _, d := range []string{"lists/partial", "archives/partial"} {
		if err := os.MkdirAll(filepath.Join(apt, d), 0o755); err != nil {
			return "", fmt.Errorf("cannot fetch %s: %w", name, err)
		}
	}
	keys, err := keyring(ctx, suite, dir)
	if err != nil {
		return "", err
	}
	uri := mirror(ctx)
	if uri == "" {
		return "", fmt.Errorf("%w: the host's apt names none", errMirror)
	}
	sources := filepath.Join(apt, "sources.list")
	line := fmt.Sprintf("deb [signed-by=%s] %s %s %s\n", keys, uri, suite, component)
	if err := os.WriteFile(sources, []byte(line), 0o600); err != nil {
		return "", fmt.Errorf("cannot fetch %s: %w", name, err)
	}
	for _, command := range [][]string{{"update"}, {"download", name}} {
		args := append([]string{
			"-qq", "-o", "Dir::Etc::SourceList=" + sources, "-o", "Dir::Etc::SourceParts=/dev/null",
			"-o", "Dir::State::Lists=" + apt + "/lists", "-o", "Dir::Cache=" + apt, "-o", "APT::Sandbox::User=root",
		}, command...)
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		if out, err := cmd.CombinedOutput(); err != nil {
			if isNetworkTrouble(out) {
				return "", fmt.Errorf("%w: %s", errMirror, lastLines(out, 5))
			}
			return "", fmt.Errorf("cannot fetch %s with apt-get %s: %w\n%s", name, strings.Join(command, " "), err, lastLines(out, 10))
		}
	}
	found, err := filepath.Glob(filepath.Join(dir, name+"_*.deb"))
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("cannot fetch %s: apt-get download left no file", name)
	}
	return found[0], nil
}
