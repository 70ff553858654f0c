// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Errors and warnings; overrides have their reason in the file.
func TestLint_Lintian(t *testing.T) {
	t.Parallel()
	lintian(t, current(t).deb)
}

func lintian(t *testing.T, files ...string) {
	t.Helper()
	need(t, "lintian", "lintian")
	out, err := exec.CommandContext(t.Context(), "lintian", append([]string{"--fail-on", "error,warning", "--display-info", "--allow-root"}, files...)...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	// Of the tags that are only informational: unused overrides, misspelt manuals.
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, ": unused-override ") || strings.Contains(line, ": typo-in-manual-page ") || !strings.HasPrefix(line, "I: ") {
			t.Error(line)
		}
	}
}

func TestLint_Rpmlint(t *testing.T) {
	rpmlint(t, current(t).rpm)
}

func rpmlint(t *testing.T, args ...string) {
	t.Helper()
	need(t, "rpmlint", "rpmlint")
	config, err := filepath.Abs(filepath.Join(repository, "packaging/rpmlint.toml"))
	if err != nil {
		t.Fatal(err)
	}
	command := append([]string{"rpmlint", "-c", config}, args...)
	if os.Geteuid() == 0 {
		// It unpacks to absolute paths: as root, over this host. Here that ends up in a
		// private layer.
		command = append([]string{"unshare", "--mount", "sh", "-ec", `d=$(mktemp -d)
			mount -t tmpfs layer "$d"
			for p in usr etc; do
				mkdir "$d/$p" "$d/$p.work"
				mount -t overlay layer -o "lowerdir=/$p,upperdir=$d/$p,workdir=$d/$p.work" "/$p"
			done
			exec "$@"`, "sh"}, command...)
	}
	out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), " 0 errors, 0 warnings") {
		t.Errorf("%v\n%s", err, out)
	}
}

// lintian itself reports unused overrides.
func TestLint_EveryOverrideHasAReason(t *testing.T) {
	for name, entry := range map[string]string{
		"packaging/lintian/justnews":               `^justnews: `,
		"packaging/rpmlint.toml":                   `^  '`,
		"packaging/fedora/justnews.rpmlintrc":      `^addFilter`,
		"debian/justnews-nvidia.lintian-overrides": `^justnews-nvidia: `,
		"debian/source/lintian-overrides":          `^justnews source: `,
	} {
		text, err := os.ReadFile(filepath.Join(repository, name))
		if err != nil {
			t.Fatal(err)
		}
		reason, found := false, 0
		for line := range strings.Lines(string(text)) {
			switch isComment := strings.HasPrefix(strings.TrimSpace(line), "#"); {
			case isComment:
				reason = true
			case regexp.MustCompile(entry).MatchString(line):
				if found++; !reason {
					t.Errorf("%s: no reason above %s", name, line)
				}
			default:
				reason = false
			}
		}
		if found == 0 {
			t.Errorf("%s has no override that this test can see", name)
		}
	}
}

// The macros that a Fedora package would use, expanded as by systemd's macros.systemd for our
// arguments: rpmbuild on Debian does not expand them, so they are written out in the
// scriptlets.
func TestLint_ScriptletsMatchFedorasMacros(t *testing.T) {
	need(t, "rpm", "rpm")
	text, err := os.ReadFile("testdata/macros.systemd")
	if err != nil {
		t.Fatal(err)
	}
	scripts := map[string]string{}
	for tag, query := range map[string]string{"post": "%{POSTIN}", "preun": "%{PREUN}", "postun": "%{POSTUN}", "posttrans": "%{POSTTRANS}"} {
		scripts[tag] = output(t, "rpm", "-qp", "--qf", query, current(t).rpm)
	}
	found := 0
	for _, m := range regexp.MustCompile(`(?ms)^%(\w+)_(post|preun)\(\) \\\n(.*?)%\{nil\}\n`).FindAllStringSubmatch(string(text), -1) {
		found++
		body := strings.ReplaceAll(m[3], " \\\n", "\n")
		body = strings.ReplaceAll(body, "%{?*}", "justnews.target justnews-preflight.timer justnews-watch.service")
		want := strings.TrimSuffix(strings.TrimSpace(body), "fi") // more commands may follow
		if !strings.Contains(scripts[m[2]], strings.TrimSpace(want)) {
			t.Errorf("the %s scriptlet lacks\n%s\nit is\n%s", m[2], want, scripts[m[2]])
		}
	}
	if found != 2 {
		t.Fatalf("found %d macros in testdata/macros.systemd, want 2", found)
	}
}

// The script before the installation creates the users and groups of sysusers.d,
// as %sysusers_create_compat would; the package provides them.
func TestLint_RPMCreatesTheUsersOfSysusers(t *testing.T) {
	need(t, "rpm", "rpm")
	text, err := os.ReadFile(filepath.Join(repository, "units/sysusers.d/justnews.conf"))
	if err != nil {
		t.Fatal(err)
	}
	script := output(t, "rpm", "-qp", "--qf", "%{PREIN}", current(t).rpm)
	provided := output(t, "rpm", "-qp", "--provides", current(t).rpm)
	found := 0
	for _, m := range regexp.MustCompile(`(?m)^([ug]) +(\S+) +-(?: +"([^"]+)" +(\S+))?$`).FindAllStringSubmatch(string(text), -1) {
		found++
		want, provides := "groupadd -r "+m[2]+" ", "group("+m[2]+")\n"
		if m[1] == "u" {
			want = "useradd -r -g " + m[2] + " -d " + m[4] + " -s /usr/sbin/nologin -c '" + m[3] + "' " + m[2] + " "
			provides = "user(" + m[2] + ")\n"
		}
		if !strings.Contains(script, want) || !strings.Contains(provided, provides) {
			t.Errorf("sysusers.d has %q; the script\n%s\nthe package provides\n%s", m[0], script, provided)
		}
	}
	if found != 3 {
		t.Fatalf("found %d users and groups, want 3", found)
	}
}

// The module in docs/selinux.md compiles with Debian's tools. The rules that it needs were
// determined on a system in enforcing mode.
func TestLint_TheSELinuxModuleCompiles(t *testing.T) {
	t.Parallel()
	need(t, "checkmodule", "checkpolicy")
	compiled := filepath.Join(t.TempDir(), "justnews.mod")
	output(t, "checkmodule", "-M", "-m", "-o", compiled, filepath.Join(repository, "packaging/examples/justnews.te"))
	page, err := os.ReadFile(filepath.Join(repository, "docs/selinux.md"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(repository, "packaging/examples/justnews.te"))
	if err != nil {
		t.Fatal(err)
	}
	rules := regexp.MustCompile(`(?m)^allow .+;$`).FindAllString(string(text), -1)
	if len(rules) == 0 {
		t.Fatal("the module has no rules")
	}
	for _, rule := range rules {
		if !strings.Contains(string(page), rule) {
			t.Errorf("docs/selinux.md does not explain %s", rule)
		}
	}
}
