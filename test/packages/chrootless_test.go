// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// A guard without the gate keeps the unit of another package from starting. What guard install
// did not write is the administrator's.
func TestDeb_RemovalTakesTheGuardsThatInstallWrote(t *testing.T) {
	script, err := filepath.Abs(filepath.Join(repository, "packaging/scripts/deb/prerm"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	guards := filepath.Join(dir, "etc/systemd/system")
	for unit, line := range map[string]string{"ours": "# Written by: justnews-gate guard install. Remove it with: …", "own": "# By hand"} {
		if err := os.MkdirAll(filepath.Join(guards, unit+".service.d"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(guards, unit+".service.d/50-justnews-guard.conf"), []byte(line+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		action string
		left   []string
	}{{"upgrade", []string{"ours.service.d", "own.service.d"}}, {"remove", []string{"own.service.d"}}} {
		cmd := exec.CommandContext(t.Context(), "sh", script, c.action)
		cmd.Env = append(os.Environ(), "DPKG_ROOT="+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		var left []string
		entries, _ := os.ReadDir(guards)
		for _, e := range entries {
			left = append(left, e.Name())
		}
		if !slices.Equal(left, c.left) {
			t.Errorf("after %s: %q, want %q", c.action, left, c.left)
		}
	}
}

// What an administrator did by hand does not make a purge fail, and what would keep other
// units from starting goes: links to units of the package. The administrator's own stay.
func TestDeb_PurgesAroundMountsAndLinks(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it mounts")
	}
	need(t, "unshare", "util-linux")
	script, err := filepath.Abs(filepath.Join(repository, "packaging/scripts/deb/postrm"))
	if err != nil {
		t.Fatal(err)
	}
	const prepare = `
		links() { mkdir -p "etc/systemd/system/$1"; shift; ln -s "$@"; }
		ours=/usr/lib/systemd/system
		links multi-user.target.wants "$ours/justnews@.service" etc/systemd/system/multi-user.target.wants/justnews@one.service
		links justnews.target.wants /lib/systemd/system/justnews@.service etc/systemd/system/justnews.target.wants/justnews@two.service
		links other.service.requires "$ours/justnews@.service" etc/systemd/system/other.service.requires/justnews@three.service
		links justnews.target.requires "../../../..$ours/justnews@.service" etc/systemd/system/justnews.target.requires/justnews@four.service
		links basic.target.wants "$ours/justnews-preload.service" etc/systemd/system/basic.target.wants/justnews-preload.service
		links keep.target.wants /usr/local/lib/systemd/system/justnews@.service etc/systemd/system/keep.target.wants/justnews@own.service
		links keep.target.requires /etc/systemd/system/justnews@.service etc/systemd/system/keep.target.requires/justnews@own.service
		links keep.target.wants "$ours/other.service" etc/systemd/system/keep.target.wants/other.service
		mkdir -p var/log/justnews var/cache/justnews var/lib/justnews-gate run/justnews-gate etc/sudoers.d
		mount -t tmpfs tmpfs var/log/justnews
		mount -t tmpfs tmpfs run/justnews-gate
		touch var/log/justnews/log var/cache/justnews/file var/lib/justnews-gate/preload.2 run/justnews-gate/lock
		echo '# Written by: justnews-gate nopasswd install --sudoers' >etc/sudoers.d/justnews-gate
		DPKG_ROOT=$PWD sh "$0" purge
		test -z "$(find var/log/justnews run/justnews-gate -mindepth 1)"
		umount var/log/justnews run/justnews-gate
		find . ! -type d`
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "unshare", "--mount", "sh", "-ec", prepare, script)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	left := strings.Fields(string(out))
	slices.Sort(left)
	want := []string{
		"./etc/systemd/system/keep.target.requires/justnews@own.service",
		"./etc/systemd/system/keep.target.wants/justnews@own.service",
		"./etc/systemd/system/keep.target.wants/other.service",
	}
	if diff := cmp.Diff(want, left); diff != "" {
		t.Errorf("-want +left\n%s", diff)
	}
	for _, name := range []string{"etc/systemd/system/justnews.target.wants", "etc/systemd/system/justnews.target.requires", "var/cache/justnews", "var/lib/justnews-gate"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("the purge left %s", name)
		}
	}
}
