// SPDX-License-Identifier: Apache-2.0

package operators

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// answers stand in for the tools: what each call prints, and its status.
type answers map[string]struct {
	out    string
	status int
	err    error
}

func (a answers) Run(_ context.Context, name string, args ...string) (string, int, error) {
	got, ok := a[strings.Join(append([]string{name}, args...), " ")]
	if !ok {
		return "", 2, nil
	}
	return got.out, got.status, got.err
}

// tree makes files below a root; a mode with an x makes them programs.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestLook_FindsUserGroupToolsAndRules(t *testing.T) {
	root := tree(t, map[string]string{
		"usr/bin/getent": "", "usr/bin/gpasswd": "", "usr/bin/sudo": "", "usr/sbin/visudo": "", "usr/bin/justnews-gate": "",
		"usr/share/polkit-1/rules.d/50-justnews.rules": "", "etc/polkit-1/rules.d/50-justnews.rules": "",
		"etc/sudoers.d/justnews-gate": "a rule\n",
	})
	f := Host{Root: root, EUID: 0, Run: answers{
		"/usr/bin/getent passwd adra":              {out: "adra:x:1000:1001:Adra,,,:/home/adra:/bin/bash\n"},
		"/usr/bin/getent group justnews-operators": {out: "justnews-operators:x:990:site,adra\n"},
		"/usr/bin/sudo -V":                         {out: "/etc/sudoers.d/10-site:1:15: syntax error\nSudo version 1.9.13p3\nSudoers policy plugin version 1.9.13p3\n"},
	}.Run}.Look(t.Context(), "adra")
	if !f.Root || !f.User.Found || f.User.UID != 1000 || f.User.GID != 1001 || f.User.Why != "" {
		t.Errorf("user: %+v", f.User)
	}
	if !f.Group.Found || f.Group.GID != 990 || !slices.Equal(f.Group.Members, []string{"site", "adra"}) || !f.Member {
		t.Errorf("group: %+v, member %v", f.Group, f.Member)
	}
	if f.Gpasswd != "/usr/bin/gpasswd" || f.Usermod != "" || f.Sudo.Version != "1.9.13p3" || f.Sudo.Visudo != "/usr/sbin/visudo" {
		t.Errorf("tools: %q, %q, %+v", f.Gpasswd, f.Usermod, f.Sudo)
	}
	if !slices.Equal(f.Rules, []string{"/etc/polkit-1/rules.d/50-justnews.rules", "/usr/share/polkit-1/rules.d/50-justnews.rules"}) {
		t.Errorf("rules: %q", f.Rules)
	}
	if !f.DropIn.Exists || f.DropIn.Text != "a rule\n" || f.OldRule.Exists {
		t.Errorf("drop-in: %+v, old rule: %+v", f.DropIn, f.OldRule)
	}
	var chain []string
	for _, o := range f.Program {
		chain = append(chain, o.Path)
		if o.Why != "" || o.UID != os.Getuid() {
			t.Errorf("%+v", o)
		}
	}
	if !slices.Equal(chain, []string{"/usr/bin/justnews-gate", "/usr/bin", "/usr", "/"}) {
		t.Errorf("chain: %q", chain)
	}
}

func TestLook_DistinguishesNoAnswerFromNo(t *testing.T) {
	root := tree(t, map[string]string{"usr/bin/getent": "", "usr/bin/sudo": ""})
	if err := os.MkdirAll(filepath.Join(root, "etc/sudoers.d/justnews-gate"), 0o755); err != nil {
		t.Fatal(err)
	}
	f := Host{Root: root, EUID: 1000, Run: answers{
		"/usr/bin/getent passwd adra":              {status: 1},
		"/usr/bin/getent group justnews-operators": {err: errors.New("cannot run")},
		"/usr/bin/sudo -V":                         {out: "sudo-rs 0.2.8\n"},
	}.Run}.Look(t.Context(), "adra")
	if f.Root || f.User.Found || f.User.Why == "" || f.Group.Why == "" || f.Member {
		t.Errorf("%+v, %+v", f.User, f.Group)
	}
	if f.Sudo.Version != "" || f.Sudo.Said != "sudo-rs 0.2.8" {
		t.Errorf("%+v", f.Sudo)
	}
	if f.DropIn.Why != "not a regular file" || f.Program[0].Why == "" || len(f.Rules) != 0 {
		t.Errorf("%+v, %+v, %q", f.DropIn, f.Program[0], f.Rules)
	}
}

func TestLook_IgnoresAnEntryOfAnotherName(t *testing.T) {
	root := tree(t, map[string]string{"usr/bin/getent": ""})
	f := Host{Root: root, Run: answers{"/usr/bin/getent passwd adra": {out: "root:x:0:0:root:/root:/bin/bash\n"}}.Run}.Look(t.Context(), "adra")
	if f.User.Found {
		t.Errorf("%+v", f.User)
	}
}

func TestLook_ReadsTheFilesWithoutGetent(t *testing.T) {
	root := tree(t, map[string]string{
		"etc/passwd": "root:x:0:0::/root:/bin/sh\nadra:x:1000:990::/home/adra:/bin/sh\n", "etc/group": "justnews-operators:x:990:\n",
	})
	f := Host{Root: root, Run: answers{}.Run}.Look(t.Context(), "adra")
	if !f.User.Found || f.User.UID != 1000 || !f.Group.Found || !f.Member { // by the primary group
		t.Errorf("%+v, %+v", f.User, f.Group)
	}
}

func TestRunTool_ReturnsStatusAndOutput(t *testing.T) {
	out, status, err := runTool(t.Context(), "/bin/sh", "-c", "echo out; echo err >&2; echo $HOME$LC_ALL; exit 3")
	if out != "out\nerr\nC\n" || status != 3 || err != nil {
		t.Errorf("%q, %d, %v", out, status, err)
	}
	if _, status, err := runTool(t.Context(), "/nonexistent"); err == nil || status != -1 {
		t.Errorf("%d, %v", status, err)
	}
	if _, status, err := runTool(t.Context(), "/bin/sh", "-c", "kill -9 $$"); err == nil || status != -1 {
		t.Errorf("%d, %v", status, err)
	}
}
