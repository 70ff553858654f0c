// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// basePackages are installed in every root in addition to the essential
// packages. mawk, coreutils and a shell are essential already.
var basePackages = []string{"systemd-sysv", "dbus", "polkitd"}

// rootVersion is part of the cache key: increment it when the way roots are built changes.
const rootVersion = "1"

// buildLimit bounds the building of one root, for a mirror that hangs. It takes 15 s with a
// near mirror on an idle machine, and more than ten minutes beside many other processes.
const buildLimit = 40 * time.Minute

// errMirror marks a root that could not be built because there is no mirror.
var errMirror = errors.New("no Debian mirror can be reached")

// Root returns the directory of a Debian root that is shared by all tests and must not be
// written to: Boot puts a writable layer over it. It is built on first use and kept, also as
// a tarball that a CI job can cache; the key is the suite and the package list.
func Root(t testing.TB, suite string, packages ...string) string {
	t.Helper()
	dir, err := root(t.Context(), suite, packages)
	if errors.Is(err, errMirror) {
		refuse(t, fmt.Sprintf("needs a Debian mirror: %v", err))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func root(ctx context.Context, suite string, packages []string) (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	packages = slices.Concat(basePackages, packages)
	slices.Sort(packages)
	packages = slices.Compact(packages)
	key := sha256.Sum256([]byte(strings.Join([]string{rootVersion, runtime.GOARCH, suite, strings.Join(packages, ",")}, "\n")))
	dir := filepath.Join(cache, fmt.Sprintf("root-%s-%x", suite, key[:6]))

	// Two `go test` processes must not build the same root concurrently.
	lock, err := lockFile(dir + ".lock")
	if err != nil {
		return "", err
	}
	defer func() { _ = lock.Close() }()
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	ctx, cancel := context.WithTimeout(ctx, buildLimit)
	defer cancel()
	tarball := dir + ".tar.zst"
	if _, err := os.Stat(tarball); err != nil {
		if err := makeTarball(ctx, suite, packages, tarball); err != nil {
			return "", err
		}
	}
	return dir, unpack(ctx, tarball, dir)
}

// makeTarball runs mmdebstrap. The tarball appears under its name only when it is complete.
func makeTarball(ctx context.Context, suite string, packages []string, tarball string) error {
	scratch, err := os.MkdirTemp(filepath.Dir(tarball), "make-")
	if err != nil {
		return fmt.Errorf("cannot make a root: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()

	keys, err := keyring(ctx, suite, scratch)
	if err != nil {
		return err
	}
	whole := filepath.Join(scratch, "root.tar.zst")
	args := []string{
		"--quiet", "--variant=minbase", "--include=" + strings.Join(packages, ","),
		"--keyring=" + keys,
		// No test reads manuals, and they make every unpacking slower.
		"--dpkgopt=path-exclude=/usr/share/man/*",
		"--dpkgopt=path-exclude=/usr/share/doc/*",
		"--dpkgopt=path-exclude=/usr/share/locale/*",
	}
	if conf := aptOptions(ctx); conf != "" {
		file := filepath.Join(scratch, "apt.conf")
		if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
			return fmt.Errorf("cannot make a root: %w", err)
		}
		args = append(args, "--aptopt="+file)
	}
	args = append(args, suite, whole)
	if uri := mirror(ctx); uri != "" {
		args = append(args, uri)
	}
	cmd := exec.CommandContext(ctx, "mmdebstrap", args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it unmounts what it mounted
	cmd.WaitDelay = 30 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		if isNetworkTrouble(out) {
			return fmt.Errorf("%w: %s", errMirror, lastLines(out, 5))
		}
		return fmt.Errorf("cannot make a root of %s with mmdebstrap: %w\n%s", suite, err, lastLines(out, 30))
	}
	return os.Rename(whole, tarball)
}

// unpack unpacks the tarball into dir and makes it look like a system that has booted before,
// with a machine ID and nothing to update, so that a boot in a test is not a first boot.
func unpack(ctx context.Context, tarball, dir string) error {
	half := dir + ".half"
	if err := os.RemoveAll(half); err != nil {
		return fmt.Errorf("cannot unpack a root: %w", err)
	}
	if err := os.Mkdir(half, 0o755); err != nil {
		return fmt.Errorf("cannot unpack a root: %w", err)
	}
	out, err := exec.CommandContext(ctx, "tar", "--zstd", "--numeric-owner", "--xattrs", "--xattrs-include=*",
		"-C", half, "-xpf", tarball).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot unpack %s: %w\n%s", tarball, err, lastLines(out, 5))
	}
	r, err := os.OpenRoot(half)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	_ = r.Remove("etc/machine-id")
	err = errors.Join(
		r.WriteFile("etc/machine-id", []byte("6a7573746e6577732d746573742d6265\n"), 0o444),
		r.WriteFile("etc/hostname", []byte("bed\n"), 0o644),
		r.WriteFile("etc/hosts", []byte("127.0.0.1 localhost bed\n::1 localhost\n"), 0o644),
		// They would try to use a missing network, or take over the console.
		mask(r, "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "console-getty.service"),
		r.WriteFile("etc/.updated", nil, 0o644),
		r.WriteFile("var/.updated", nil, 0o644),
	)
	if err != nil {
		return fmt.Errorf("cannot finish a root: %w", err)
	}
	return os.Rename(half, dir)
}

func mask(r *os.Root, units ...string) error {
	var errs []error
	for _, u := range units {
		path := "etc/systemd/system/" + u
		_ = r.Remove(path)
		errs = append(errs, r.Symlink("/dev/null", path))
	}
	return errors.Join(errs...)
}

// isNetworkTrouble distinguishes a missing mirror, which is the host's problem, from a root
// that cannot be built, which is ours.
func isNetworkTrouble(out []byte) bool {
	for _, s := range []string{
		"Could not resolve", "Temporary failure resolving", "Could not connect", "Unable to connect",
		"Cannot initiate the connection", "Network is unreachable", "Connection timed out", "Connection refused",
	} {
		if bytes.Contains(out, []byte(s)) {
			return true
		}
	}
	return false
}

func lastLines(out []byte, n int) string {
	lines := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
