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

	"justnews/internal/diag"
)

// tools stand in for gpasswd, visudo and sudo: they record their calls, and fail where a
// test wants that.
type tools struct {
	calls  []string
	staged string // what visudo was given to check
	fail   func(call string) (output string, status int, err error)
}

func (r *tools) Run(_ context.Context, name string, args ...string) (string, int, error) {
	call := strings.Join(append([]string{filepath.Base(name)}, args...), " ")
	if i := strings.Index(call, " -cf "); i >= 0 {
		call, r.staged = call[:i]+" -cf", filepath.Base(call[i+len(" -cf "):])
	}
	r.calls = append(r.calls, call)
	if r.fail != nil {
		if out, status, err := r.fail(call); status != 0 || err != nil || out != "" {
			return out, status, err
		}
	}
	if strings.HasPrefix(call, "sudo -n -l") {
		return "User adra may run the following commands on bed:\n    (root) NOSETENV: NOPASSWD: " + Program + ` ""`, 0, nil
	}
	return "", 0, nil
}

var visudo = Sudo{Path: "/usr/bin/sudo", Visudo: "/usr/sbin/visudo"}

// host is a root with sudo's directory, and maybe a drop-in.
func host(t *testing.T, before string, r *tools) (Host, string) {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, Directory)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if before != "" {
		if err := os.WriteFile(filepath.Join(dir, Name), []byte(before), 0o440); err != nil {
			t.Fatal(err)
		}
	}
	return Host{Root: root, Run: r.Run}, dir
}

// content is what the directory holds: one file at most, and nothing staged.
func content(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != Name {
			t.Errorf("%s was left behind", e.Name())
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, Name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

func rule(t *testing.T, users ...string) string {
	t.Helper()
	text, err := render(users)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestDo_WritesBetweenTwoVisudoChecks(t *testing.T) {
	r := &tools{}
	h, dir := host(t, "", r)
	if p := h.Do(t.Context(), visudo, Step{Kind: Write, Path: DropIn, Text: rule(t, "adra"), For: "adra"}); p != nil {
		t.Fatal(p)
	}
	if got := content(t, dir); got != rule(t, "adra") {
		t.Errorf("written:\n%s", got)
	}
	if !strings.Contains(r.staged, ".") { // sudo ignores such names (sudoers(5))
		t.Errorf("sudo reads %q before it was checked", r.staged)
	}
	info, err := os.Stat(filepath.Join(dir, Name))
	if err != nil || info.Mode().Perm() != 0o440 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if want := []string{"visudo -c", "visudo -cf", "visudo -c", "sudo -n -l -U adra"}; !slices.Equal(r.calls, want) {
		t.Errorf("%q", r.calls)
	}
	// Without the user there is nothing to query.
	r.calls = nil
	if p := h.Do(t.Context(), visudo, Step{Kind: Write, Path: DropIn, Text: rule(t, "site")}); p != nil || len(r.calls) != 3 {
		t.Errorf("%v, %q", p, r.calls)
	}
}

func TestDo_RestoresTheFormerStateAfterEveryFailure(t *testing.T) {
	for name, c := range map[string]struct {
		fail func(calls []string, call string) (string, int, error)
		code diag.Code
	}{
		"broken before": {func([]string, string) (string, int, error) {
			return "parse error in /etc/sudoers near line 3", 1, nil
		}, diag.SudoRefused},
		"refused": {func(_ []string, call string) (string, int, error) { return failIf(call == "visudo -cf") }, diag.SudoRefused},
		"no visudo": {func([]string, string) (string, int, error) {
			return "", -1, errors.New("cannot run /usr/sbin/visudo: no such file")
		}, diag.SudoRefused},
		"broken afterwards": {func(calls []string, call string) (string, int, error) {
			return failIf(call == "visudo -c" && slices.Contains(calls, "visudo -cf"))
		}, diag.SudoRefused},
		"not included": {func(_ []string, call string) (string, int, error) {
			if strings.HasPrefix(call, "sudo") {
				return "User adra may run the following commands on bed:\n    (ALL : ALL) ALL", 0, nil
			}
			return "", 0, nil
		}, diag.SudoIneffective},
		"sudo cannot say": {func(_ []string, call string) (string, int, error) { return failIf(strings.HasPrefix(call, "sudo")) }, diag.SudoIneffective},
	} {
		for _, before := range []string{"", rule(t, "site")} {
			r := &tools{}
			r.fail = func(call string) (string, int, error) { return c.fail(r.calls, call) }
			h, dir := host(t, before, r)
			p := h.Do(t.Context(), visudo, Step{Kind: Write, Path: DropIn, Text: rule(t, "adra", "site"), For: "adra"})
			if p == nil || p.Code != c.code || p.Severity != diag.Error || p.Fix.String() == "" || p.Seen == "" {
				t.Errorf("%s: %+v", name, p)
			}
			if got := content(t, dir); got != before {
				t.Errorf("%s: afterwards:\n%s", name, got)
			}
		}
	}
}

func failIf(yes bool) (string, int, error) {
	if yes {
		return "syntax error near line 7", 1, nil
	}
	return "", 0, nil
}

func TestDo_RemovesARuleDespiteVisudoWarnings(t *testing.T) {
	r := &tools{}
	h, dir := host(t, rule(t, "adra"), r)
	step := Step{Kind: Remove, Path: DropIn}
	for range 2 { // a second time there is nothing to remove
		if p := h.Do(t.Context(), visudo, step); p != nil {
			t.Fatal(p)
		}
	}
	if got := content(t, dir); got != "" {
		t.Error(got)
	}
	r.fail = func(string) (string, int, error) { return failIf(true) }
	if p := h.Do(t.Context(), visudo, step); p == nil || p.Code != diag.SudoRefused || p.Severity != diag.Warning {
		t.Errorf("%+v", p)
	}
}

func TestDo_RefusesPlantedLinksAndWritableDirectories(t *testing.T) {
	h, dir := host(t, "", &tools{})
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(dir, Name)); err != nil {
		t.Fatal(err)
	}
	step := Step{Kind: Write, Path: DropIn, Text: rule(t, "adra"), For: "adra"}
	if p := h.Do(t.Context(), visudo, step); p == nil || p.Code != diag.OperatorTool {
		t.Errorf("%+v", p)
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "kept" {
		t.Errorf("%q, %v", text, err)
	}
	if err := os.Remove(filepath.Join(dir, Name)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if p := h.Do(t.Context(), visudo, step); p == nil || p.Code != diag.OperatorTool || content(t, dir) != "" {
		t.Errorf("%+v", p)
	}
}

func TestDo_ReportsTheOutputOfAFailedTool(t *testing.T) {
	r := &tools{fail: func(string) (string, int, error) { return "gpasswd: /etc/group is locked\n", 1, nil }}
	h, _ := host(t, "", r)
	p := h.Do(t.Context(), visudo, Step{Kind: Run, Command: []string{"/usr/bin/gpasswd", "--add", "adra", "justnews-operators"}})
	if p == nil || p.Code != diag.OperatorTool || p.Seen != "gpasswd: /etc/group is locked" || !strings.Contains(p.Expected, "gpasswd --add adra") {
		t.Errorf("%+v", p)
	}
	if p := h.Do(t.Context(), visudo, Step{}); p != nil || len(r.calls) != 1 {
		t.Errorf("%+v, %q", p, r.calls)
	}
}

func TestApply_SkipsStepsAfterAFailureAndInADryRun(t *testing.T) {
	root := tree(t, map[string]string{
		"usr/bin/gpasswd": "", "usr/bin/sudo": "", "usr/sbin/visudo": "", "usr/share/polkit-1/rules.d/50-justnews.rules": "",
		"etc/passwd": "adra:x:1000:1000::/home/adra:/bin/sh\n", "etc/group": "justnews-operators:x:990:adra\n",
		"etc/sudoers.d/justnews-gate": rule(t, "adra"),
	})
	r := &tools{fail: func(call string) (string, int, error) { return failIf(strings.HasPrefix(call, "gpasswd")) }}
	for _, c := range []struct {
		req  Request
		want string
		code diag.Code
	}{
		{Request{User: "adra", DryRun: true}, "planned: /usr/bin/gpasswd --delete adra justnews-operators; planned: rm " + DropIn, ""},
		{Request{User: "adra"}, "failed: /usr/bin/gpasswd --delete adra justnews-operators; skipped: rm " + DropIn, diag.OperatorTool},
		{Request{User: "site"}, "unneeded: site is not listed in the group justnews-operators; unneeded: " + DropIn + " does not have site", ""},
	} {
		steps, problems := Host{Root: root, Run: r.Run}.Apply(t.Context(), c.req)
		var got []string
		for _, s := range steps {
			got = append(got, s.State+": "+s.String())
		}
		if strings.Join(got, "; ") != c.want || c.code == "" != (len(problems) == 0) || len(problems) > 0 && problems[0].Code != c.code {
			t.Errorf("%+v: %q; %v", c.req, got, problems)
		}
	}
	if got := content(t, filepath.Join(root, Directory)); got != rule(t, "adra") {
		t.Errorf("afterwards:\n%s", got)
	}
}
