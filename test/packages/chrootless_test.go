// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An image in which nothing can be run, filled from outside by this machine's dpkg
// (DPKG_ROOT): everything is installed there, and a purge removes all of it.
func TestDeb_InstallsIntoAnImage(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: files of an image belong to it")
	}
	need(t, "dpkg", "dpkg")
	need(t, "deb-systemd-helper", "init-system-helpers")
	need(t, "systemd-sysusers", "systemd")
	deb, root := current(t).deb, t.TempDir()
	for name, text := range map[string]string{
		"etc/passwd": "root:x:0:0::/root:/bin/sh\n", "etc/group": "root:x:0:\n",
		"var/lib/dpkg/status": "", "var/lib/dpkg/updates/.keep": "", "usr/.keep": "", "run/.keep": "",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(root, "var/lib/dpkg/updates/.keep")); err != nil {
		t.Fatal(err)
	}
	// Nothing else is in the image, including our dependencies.
	dpkg := []string{"dpkg", "--root=" + root, "--force-script-chrootless", "--force-depends"}
	output(t, append(dpkg, "--install", deb)...)
	for name, want := range map[string]string{
		"etc/passwd": "justnews:x:", "etc/group": "justnews-operators:x:", "var/lib/dpkg/status": "Status: install ok installed",
	} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s of the image has no %s: %v", name, want, err)
		}
	}
	output(t, append(dpkg, "--purge", "justnews")...)
	err := filepath.WalkDir(root, func(name string, _ os.DirEntry, err error) error {
		if strings.Contains(filepath.Base(name), "justnews") {
			t.Errorf("the purge left %s", strings.TrimPrefix(name, root))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
