// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// systemKeyring is the file of the package debian-archive-keyring.
const systemKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// mirror returns the Debian mirror that the host's own apt uses, or "" if the host is not
// Debian: mmdebstrap then uses its default. A fixed one would not work behind proxies or
// with pinned snapshots.
func mirror(ctx context.Context) string {
	if v := os.Getenv("JUSTNEWS_TEST_MIRROR"); v != "" {
		return v
	}
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets",
		"--format", "$(CREATED_BY) $(COMPONENT) $(RELEASE) $(REPO_URI)").Output()
	if err != nil {
		return ""
	}
	return pickMirror(string(out))
}

// Mirror is mirror for other tests that fetch a package.
func Mirror(ctx context.Context) string { return mirror(ctx) }

// pickMirror reads the lines of apt-get indextargets. A source is Debian's main
// archive when its suite is a plain name and its path ends in debian:
// -security and -updates are other archives, third parties use other paths.
func pickMirror(indextargets string) string {
	for line := range strings.Lines(indextargets) {
		f := strings.Fields(line)
		if len(f) != 4 || f[0] != "Packages" || f[1] != "main" {
			continue
		}
		release, uri := f[2], strings.TrimSuffix(f[3], "/")
		if !strings.ContainsAny(release, "-/") && strings.HasSuffix(uri, "/debian") {
			return uri
		}
	}
	return ""
}

// aptOptions returns the host's apt settings for downloads (proxies, retries, date checks),
// in apt.conf's format.
func aptOptions(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "apt-config", "dump",
		"Acquire::http", "Acquire::https", "Acquire::Retries", "Acquire::Check-Valid-Until", "Acquire::Check-Date").Output()
	if err != nil {
		return ""
	}
	var keep strings.Builder
	for line := range strings.Lines(string(out)) {
		if !strings.HasSuffix(strings.TrimSpace(line), ` "";`) {
			keep.WriteString(line)
		}
	}
	return keep.String()
}

// keyring returns a file or directory with the suite's archive key. A host older than the
// suite may lack it: then the keyring package is fetched with the host's apt, which verifies
// it with the keys that the host trusts.
func keyring(ctx context.Context, suite, scratch string) (string, error) {
	if suite == "sid" { // signed with the keys of the newest stable release
		suite = "trixie"
	}
	perSuite := "/usr/share/keyrings/debian-archive-" + suite + "-stable.gpg"
	if _, err := os.Stat(perSuite); err == nil {
		return systemKeyring, nil
	}
	cmd := exec.CommandContext(ctx, "sh", "-ec", `
		apt-get download debian-archive-keyring
		dpkg-deb -x debian-archive-keyring_*.deb .`)
	cmd.Dir = scratch
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the host's keyring has no key for %s, and the package debian-archive-keyring cannot be fetched: %w\n%s", suite, err, out)
	}
	if _, err := os.Stat(filepath.Join(scratch, perSuite)); err != nil {
		return "", fmt.Errorf("cannot find a key for %s: the newest debian-archive-keyring that the host's apt offers has none", suite)
	}
	return filepath.Join(scratch, systemKeyring), nil
}
