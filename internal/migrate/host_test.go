// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func put(t *testing.T, root, name, text string) {
	t.Helper()
	file := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRead_ReportsUnreadableFilesAndNeverBlocks(t *testing.T) {
	root, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret.env")
	put(t, root, "etc/justnews/global.env", "A=1\n")
	put(t, root, "etc/justnews/large.env", strings.Repeat("A=1\n", maxFile/4+1))
	put(t, root, "etc/justnews/nul.env", "A=\x00\n")
	put(t, root, "etc/justnews/directory.env/x", "")
	if err := syscall.Mkfifo(filepath.Join(root, "etc/justnews/fifo.env"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(outside, []byte("SECRET=1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(root, "etc/justnews/link.env")); err != nil {
		t.Fatal(err)
	}
	h, err := Read(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Env) != 1 || h.Env[0].Path != "/etc/justnews/global.env" {
		t.Errorf("%+v", h.Env)
	}
	var failed []string
	for _, f := range h.Failures {
		failed = append(failed, filepath.Base(f.Path))
		if f.Why == "" {
			t.Errorf("%s: no reason", f.Path)
		}
	}
	if want := []string{"directory.env", "fifo.env", "large.env", "link.env", "nul.env"}; !slices.Equal(failed, want) {
		t.Errorf("%q", failed)
	}
	if _, err := Read(filepath.Join(root, "nowhere")); err == nil {
		t.Error("a missing root is accepted")
	}
}

func TestRead_RecognizesShellSyntaxInEnvironmentFiles(t *testing.T) {
	root := t.TempDir()
	put(t, root, "etc/justnews/scout.env", "# B=0\nB=${X:-1}\nexport A=2\nexported=3\nC=\"a b\"\nB=4 5\n")
	h, err := Read(root)
	if err != nil {
		t.Fatal(err)
	}
	want := []Var{
		{Name: "A", Value: "2", Line: 3, Exported: true}, {Name: "exported", Value: "3", Line: 4},
		{Name: "C", Value: "a b", Line: 5}, {Name: "B", Value: "4 5", Line: 6},
	}
	if len(h.Env) != 1 || h.Env[0].Instance != "scout" || !slices.Equal(h.Env[0].Vars, want) {
		t.Errorf("%+v", h.Env)
	}
}

func TestRead_InstanceOfAPath(t *testing.T) {
	for path, want := range map[string]string{
		"/etc/systemd/system/justnews@scout.service": "scout", "/etc/systemd/system/justnews@scout.service.d/10.conf": "scout",
		"/etc/systemd/system/multi-user.target.wants/justnews@a_b.service": "a_b", "justnews@x.service": "x",
		"/etc/systemd/system/justnews@.service": "", "/etc/systemd/system/justnews@.service.d/10.conf": "", "dbus.service": "",
	} {
		if got := instanceOf(path); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
}
