// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// With a different directory, time zone, language, umask and TMPDIR, the bytes are the same.
// The compiler's cache is shared, as -trimpath allows; docs/packaging.md has two builds with
// separate caches.
func TestBuild_IsReproducible(t *testing.T) {
	here := current(t)
	dir := filepath.Join(t.TempDir(), "a rather different place")
	tmp := t.TempDir()
	old := syscall.Umask(0o077)
	there, err := packTagged(dir, filepath.Join(t.TempDir(), "dist"), "TZ=Pacific/Kiritimati", "LC_ALL=C", "TMPDIR="+tmp, "USER=nobody", "HOSTNAME=elsewhere")
	syscall.Umask(old)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]string{{here.deb, there.deb}, {here.rpm, there.rpm}, {here.deb + sbom, there.deb + sbom}, {here.rpm + sbom, there.rpm + sbom}} {
		a, b := sum(t, pair[0]), sum(t, pair[1])
		if a != b {
			t.Errorf("%s: %s here, %s there", filepath.Base(pair[0]), a, b)
		}
	}
	// The test can fail: another version has other bytes.
	if sum(t, here.deb) == sum(t, older(t).deb) {
		t.Error("two versions have the same bytes")
	}
}

func sum(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(content))
}
