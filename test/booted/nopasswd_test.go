// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"justnews/internal/operators"
	"justnews/test/bed"
)

const (
	sudoRule  = operators.Directory + "/" + operators.Name
	siteRules = operators.Directory + "/10-site"
	planted   = "/run/planted-by-adra"
	oldRule   = operators.Directory + "/" + operators.OldName
)

// bootOperators boots a host with two people, polkit and sudo.
func bootOperators(t *testing.T, suite string) *site {
	t.Helper()
	return boot(t, suite, host{packages: []string{"sudo"}, change: func(tree *bed.Tree) {
		for _, name := range []string{"adra", "site"} {
			tree.Run("useradd", "--create-home", name)
		}
	}})
}

// as runs a command as a person would, at home.
func (s *site) as(user string, argv ...string) bed.Result {
	s.t.Helper()
	home := "/home/" + user
	return s.Run(append([]string{"setpriv", "--reuid=" + user, "--regid=" + user, "--init-groups", "env", "-C", home, "HOME=" + home, "USER=" + user, "LOGNAME=" + user}, argv...)...)
}

// nopasswd runs the helper as root and fails unless it has this exit status and output.
func (s *site) nopasswd(status int, said string, args ...string) bed.Result {
	s.t.Helper()
	r := s.Run(append([]string{"justnews-gate", "nopasswd"}, args...)...)
	if r.Code != status || !strings.Contains(r.Stdout+r.Stderr, said) {
		s.t.Fatalf("nopasswd %q: exit status %d, want %d, %q:\n%s%s", args, r.Code, status, said, r.Stdout, r.Stderr)
	}
	return r
}

// maySudo tries the command with the real sudo: only sudo's own message counts as a
// refusal, not the program's exit status.
func (s *site) maySudo(user string, argv ...string) bool {
	s.t.Helper()
	r := s.as(user, append([]string{"sudo", "-n"}, argv...)...)
	for _, no := range []string{"a password is required", "is not allowed to", "may not run sudo", "not in the sudoers", "not allowed to set the following environment", "not allowed to preserve the environment"} {
		if strings.Contains(r.Stderr, "sudo: "+no) || strings.Contains(r.Stderr, no) {
			return false
		}
	}
	if strings.Contains(r.Stderr, "sudo:") {
		s.t.Fatalf("sudo %q: %s", argv, r.Stderr)
	}
	return true
}

// mayStart tries the start with the real polkit.
func (s *site) mayStart(user string, argv ...string) bool {
	s.t.Helper()
	r := s.as(user, append([]string{argv[0], "--no-ask-password"}, argv[1:]...)...)
	return r.Code == 0 || !strings.Contains(r.Stderr, "authentication required") && !strings.Contains(r.Stderr, "Access denied")
}

func TestNopasswd_Operators(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := bootOperators(t, suite)
		s.everythingUp(0)
		for _, part := range operatorParts {
			t.Run(part.name, func(t *testing.T) {
				part.run(t, &site{Machine: s.Machine, t: t})
			})
		}
	})
}

var operatorParts = []struct {
	name string
	run  func(t *testing.T, s *site)
}{
	{"before, the user may do nothing, and a gate needs no privileges", func(t *testing.T, s *site) {
		if s.mayStart("adra", "systemctl", "start", preload) || s.maySudo("adra", operators.Program, "status") {
			t.Error("adra may already")
		}
		r := s.as("adra", "justnews-gate", "nopasswd", "run", "mcp_bus", "--timeout", "300")
		if r.Code != 0 || len(s.List("/home/adra/.cache/justnews/preflight")) == 0 {
			t.Errorf("exit status %d\n%s", r.Code, r.Stderr)
		}
		if r := s.as("adra", "justnews-gate", "nopasswd", "install", "--user", "adra"); r.Code != 77 || !strings.Contains(r.Stderr, "sudo justnews-gate nopasswd install --user=adra") {
			t.Errorf("exit status %d\n%s", r.Code, r.Stderr)
		}
	}},
	{"a dry run prints everything and does nothing", func(t *testing.T, s *site) {
		before := s.state()
		r := s.nopasswd(0, "planned: /usr/bin/gpasswd --add adra justnews-operators\n", "install", "--sudoers", "--user", "adra", "--dry-run")
		for _, line := range []string{"planned: write " + sudoRule + " (0440 root:root)\n", "  User_Alias JUSTNEWS_GATE_USERS = adra\n", "  JUSTNEWS_GATE_USERS ALL = (root) NOPASSWD: NOSETENV: JUSTNEWS_GATE\n"} {
			if !strings.Contains(r.Stdout, line) {
				t.Errorf("%q is missing in\n%s", line, r.Stdout)
			}
		}
		if after := s.state(); after != before {
			t.Errorf("before:\n%s\nafter:\n%s", before, after)
		}
	}},
	{"users that agents run as are refused", func(t *testing.T, s *site) {
		s.must("useradd --no-create-home --non-unique --uid $(id -u justnews) --gid adra alias; " +
			"useradd --no-create-home --gid justnews primary; useradd --no-create-home --groups justnews member")
		before := s.state()
		for _, user := range []string{"justnews", "alias", "primary", "member", "root"} {
			for _, more := range [][]string{nil, {"--sudoers"}, {"--dry-run"}} {
				s.nopasswd(64, "OPERATOR-USER", append([]string{"install", "--user", user}, more...)...)
			}
		}
		if after := s.state(); after != before {
			t.Errorf("before:\n%s\nafter:\n%s", before, after)
		}
		s.must("userdel alias; userdel primary; userdel member")
	}},
	{"polkit lets a member start three units and do nothing else", func(t *testing.T, s *site) {
		if r := s.Run("env", "SUDO_USER=adra", "justnews-gate", "nopasswd", "install"); r.Code != 0 || s.Exists(sudoRule) {
			t.Fatalf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
		for _, unit := range []string{preload, mpsUnit} {
			if !s.mayStart("adra", "systemctl", "start", unit) {
				t.Errorf("adra may not start %s", unit)
			}
		}
		for _, argv := range [][]string{
			{"systemctl", "stop", preload}, {"systemctl", "restart", preload}, {"systemctl", "reload-or-restart", mpsUnit}, {"systemctl", "kill", preload},
			{"systemctl", "reset-failed", preload}, {"systemctl", "set-property", "--runtime", preload, "MemoryMax=1G"},
			{"systemctl", "start", unit("scout")}, {"systemctl", "start", "justnews@*.service"}, {"systemctl", "start", target}, {"systemctl", "start", "dbus.service"},
			{"systemctl", "isolate", "rescue.target"}, {"systemctl", "daemon-reload"}, {"systemctl", "mask", preload},
			{"systemd-run", "--unit=x", "/usr/bin/touch", planted},
		} {
			if s.mayStart("adra", argv...) {
				t.Errorf("adra may %q", argv)
			}
		}
		// A transient unit of that name could run anything as root, even if the packaged
		// one is stopped or missing.
		s.Systemctl("stop", mpsUnit)
		s.Must("mv", "/usr/lib/systemd/system/"+mpsUnit, "/root/away")
		s.Sh("mv /usr/lib/systemd/system/justnews-preflight.* /root")
		s.Systemctl("daemon-reload")
		for _, unit := range []string{preload, mpsUnit, "justnews-preflight.service"} {
			r := s.as("adra", "systemd-run", "--no-ask-password", "--unit="+unit, "/usr/bin/touch", planted)
			if r.Code == 0 {
				t.Errorf("adra may run a command as %s", unit)
			}
		}
		if s.Exists(planted) {
			t.Error("adra is root")
		}
		s.Must("mv", "/root/away", "/usr/lib/systemd/system/"+mpsUnit)
		s.Sh("mv /root/justnews-preflight.* /usr/lib/systemd/system")
		s.Systemctl("daemon-reload")
		if s.mayStart("site", "systemctl", "start", preload) {
			t.Error("site may start it, too")
		}
	}},
	{"a second run has nothing to do", func(_ *testing.T, s *site) {
		s.nopasswd(0, "unneeded: adra is in the group justnews-operators\n", "install", "--user", "adra")
	}},
	{"the sudo rule allows what looks", func(t *testing.T, s *site) {
		s.nopasswd(0, "done: write "+sudoRule, "install", "--sudoers", "--user", "adra")
		if got := strings.TrimSpace(s.Must("stat", "-c", "%a %U:%G", sudoRule)); got != "440 root:root" {
			t.Error(got)
		}
		s.nopasswd(0, "unneeded: "+sudoRule+" has adra\n", "install", "--sudoers", "--user", "adra")
		for _, args := range sudoAllowed {
			if !s.maySudo("adra", append([]string{operators.Program}, args...)...) {
				t.Errorf("%q is refused", args)
			}
		}
		if r := s.as("adra", "sudo", "-n", operators.Program, "gate", "mcp_bus", "--timeout", "300"); r.Code != 0 {
			t.Errorf("exit status %d\n%s", r.Code, r.Stderr)
		}
	}},
	{"no argument, word or wildcard leads beyond it", func(t *testing.T, s *site) {
		for _, args := range sudoRefused {
			if s.maySudo("adra", append([]string{operators.Program}, args...)...) {
				t.Errorf("%q is allowed", args)
			}
		}
		for _, argv := range [][]string{
			{"/bin/sh"}, {"/usr/bin/id"}, {"env", "GATE_TIMEOUT=300", operators.Program, "status"}, {"systemctl", "start", unit("scout")},
			{"systemctl", "start", "justnews@*.service"}, {"-u", "justnews", operators.Program, "status"}, {"-g", "sudo", operators.Program, "status"},
			{"-s"}, {"-i"}, {"sudoedit", sudoRule}, {"/usr/bin/../bin/justnews-gate", "nopasswd", "install"},
		} {
			if s.maySudo("adra", argv...) {
				t.Errorf("%q is allowed", argv)
			}
		}
		if s.maySudo("site", operators.Program, "status") {
			t.Error("site may, too")
		}
	}},
	{"another program of that name is another program", func(t *testing.T, s *site) {
		s.Must("setpriv", "--reuid=adra", "--regid=adra", "--init-groups", "sh", "-c", `mkdir -p /home/adra/bin && printf '#!/bin/sh\nid\n' >/home/adra/bin/justnews-gate && chmod +x /home/adra/bin/justnews-gate && ln -sf /home/adra/bin/justnews-gate /home/adra/link`)
		if s.maySudo("adra", "/home/adra/bin/justnews-gate", "status") || s.maySudo("adra", "/home/adra/link", "status") {
			t.Error("a copy is allowed")
		}
		r := s.as("adra", "env", "PATH=/home/adra/bin:/usr/bin:/bin", "sudo", "-n", "justnews-gate", "status")
		if strings.Contains(r.Stdout, "uid=0") {
			t.Error("PATH chose the program")
		}
	}},
	{"nothing of the environment comes along, whatever the host keeps", func(t *testing.T, s *site) {
		s.WriteFile(siteRules, "Defaults setenv, !always_set_home\nDefaults env_keep += \"GATE_TIMEOUT HOME XDG_CACHE_HOME CACHE_DIRECTORY LD_PRELOAD\"\n", 0o440)
		defer s.Remove(siteRules)
		r := s.as("adra", "env", "GATE_TIMEOUT=banana", "sudo", "-n", "--preserve-env=GATE_TIMEOUT", operators.Program, "gate", "mcp_bus")
		if !strings.Contains(r.Stderr, "not allowed to set the following environment") {
			t.Errorf("--preserve-env: exit status %d\n%s", r.Code, r.Stderr)
		}
		for _, change := range []string{"GATE_TIMEOUT=banana", "XDG_CACHE_HOME=/home/adra/planted", "CACHE_DIRECTORY=/home/adra/planted", "HOME=/home/adra/planted"} {
			r := s.as("adra", "env", change, "sudo", "-n", operators.Program, "gate", "mcp_bus", "--timeout", "60")
			if r.Code != 0 {
				t.Errorf("%s: exit status %d\n%s", change, r.Code, r.Stderr)
			}
		}
		if s.Exists("/home/adra/planted") || len(s.List("/root/.cache/justnews/preflight")) == 0 {
			t.Error("root's summary was not kept in root's home")
		}
		for _, argv := range [][]string{{"GATE_TIMEOUT=banana", operators.Program, "status"}, {"-E", operators.Program, "status"}} {
			if s.maySudo("adra", argv...) {
				t.Errorf("%q is allowed", argv)
			}
		}
	}},
	{"no rule for a program that others could replace", func(t *testing.T, s *site) {
		for _, c := range []struct{ harm, fix string }{
			{"chmod o+w " + operators.Program, "chmod o-w " + operators.Program},
			{"chmod g+w " + operators.Program, "chmod g-w " + operators.Program},
			{"chown adra " + operators.Program, "chown root " + operators.Program},
			{"chmod o+w /usr/bin", "chmod o-w /usr/bin"},
			{"chown adra /usr/bin", "chown root /usr/bin"},
		} {
			s.Must("sh", "-c", c.harm)
			before := s.state()
			s.nopasswd(77, "SUDO-UNSAFE", "install", "--sudoers", "--user", "site")
			s.Must("sh", "-c", c.fix)
			if after := s.state(); before != after {
				t.Errorf("%s: before:\n%s\nafter:\n%s", c.harm, before, after)
			}
		}
	}},
	{"a broken configuration is left as it is", func(t *testing.T, s *site) {
		s.WriteFile(siteRules, "adra ALL=(ALL NOPASSWD\n", 0o440)
		before := s.ReadFile(sudoRule)
		s.nopasswd(78, "SUDO-REFUSED", "install", "--sudoers", "--user", "site")
		if s.ReadFile(sudoRule) != before {
			t.Error("the rule was changed all the same")
		}
		s.Remove(siteRules)
	}},
	{"a rule that sudo does not read is taken back", func(t *testing.T, s *site) {
		main, before, files := s.ReadFile("/etc/sudoers"), s.ReadFile(sudoRule), s.List(operators.Directory)
		s.WriteFile("/etc/sudoers", strings.ReplaceAll(main, "@includedir", "#@includedir"), 0o440)
		s.nopasswd(78, "SUDO-INEFFECTIVE", "install", "--sudoers", "--user", "site")
		if s.ReadFile(sudoRule) != before || !slices.Equal(s.List(operators.Directory), files) {
			t.Errorf("left: %q", s.List(operators.Directory))
		}
		s.WriteFile("/etc/sudoers", main, 0o440)
	}},
	{"one of two users loses it", func(t *testing.T, s *site) {
		s.nopasswd(0, "done: write "+sudoRule, "install", "--sudoers", "--user", "site")
		if !s.maySudo("adra", operators.Program, "status") || !s.maySudo("site", operators.Program, "status") {
			t.Error("not both are allowed")
		}
		s.nopasswd(0, "planned: /usr/bin/gpasswd --delete adra justnews-operators", "uninstall", "--user", "adra", "--dry-run")
		s.nopasswd(0, "done: /usr/bin/gpasswd --delete adra justnews-operators", "uninstall", "--user", "adra")
		if s.maySudo("adra", operators.Program, "status") || s.mayStart("adra", "systemctl", "start", preload) {
			t.Error("adra still may")
		}
		if !s.maySudo("site", operators.Program, "status") || !s.mayStart("site", "systemctl", "start", preload) {
			t.Error("site is no longer allowed")
		}
		s.nopasswd(0, "done: rm "+sudoRule, "uninstall", "--user", "site")
		s.nopasswd(0, "unneeded:", "uninstall", "--user", "site")
		if s.Exists(sudoRule) || s.maySudo("site", operators.Program, "status") {
			t.Error("the rule is still there")
		}
		s.Must("visudo", "-c")
	}},
	{"a foreign file is left alone", func(t *testing.T, s *site) {
		const text = "site ALL=(root) NOPASSWD: /usr/bin/true\n"
		s.WriteFile(sudoRule, text, 0o440)
		s.nopasswd(78, "SUDO-FOREIGN", "install", "--sudoers", "--user", "adra")
		s.nopasswd(78, "SUDO-FOREIGN", "uninstall", "--user", "adra")
		if s.ReadFile(sudoRule) != text {
			t.Error("it was changed")
		}
		s.Remove(sudoRule)
	}},
	{"the old helper's rule gives everything away, and is named with its fix", func(t *testing.T, s *site) {
		// The rule of setup_preflight_nopasswd.sh: any arguments, as any user, for a
		// script that its user can write.
		script := "/home/adra/preflight.sh"
		s.Must("setpriv", "--reuid=adra", "--regid=adra", "--init-groups", "sh", "-c", "printf '#!/bin/sh\\nid\\n' >"+script+"; chmod +x "+script)
		s.WriteFile(oldRule, fmt.Sprintf("adra ALL=(ALL) NOPASSWD: %s\n", script), 0o440)
		if r := s.as("adra", "sudo", "-n", script); !strings.Contains(r.Stdout, "uid=0") {
			t.Errorf("%s%s", r.Stdout, r.Stderr)
		}
		r := s.nopasswd(0, "SUDO-LEFTOVER", "install", "--user", "adra")
		fix := hint.FindStringSubmatch(r.Stderr)[1]
		s.Must("sh", "-c", fix)
		if s.Exists(oldRule) || s.maySudo("adra", script) {
			t.Errorf("%q did not fix it", fix)
		}
		s.nopasswd(0, "done:", "uninstall", "--user", "adra")
	}},
	{"the runbook's own lines run as they stand", func(t *testing.T, s *site) {
		// Its paths are those of a checkout; its reader is an administrator.
		s.Symlink("/usr/share/justnews/compat", "/home/adra/justnewsagent/JustNewsAgent/deploy/systemd")
		s.Must("chmod", "755", "/home/adra")
		s.Must("useradd", "--create-home", "boss")
		s.WriteFile(siteRules, "boss ALL=(ALL) NOPASSWD: ALL\n", 0o440)
		for _, line := range []struct {
			line   string
			status int
			said   string
		}{
			{"/home/adra/justnewsagent/JustNewsAgent/deploy/systemd/preflight.sh --gate-only mcp_bus", 0, "mcp_bus may start"},
			{"sudo /home/adra/justnewsagent/JustNewsAgent/deploy/systemd/preflight.sh", s.Run("justnews-gate").Code, "preflight"},
			{"sudo /home/adra/justnewsagent/JustNewsAgent/deploy/systemd/setup_preflight_nopasswd.sh --install", 0, "done: write " + sudoRule},
			{"sudo /home/adra/justnewsagent/JustNewsAgent/deploy/systemd/setup_preflight_nopasswd.sh --run-gate-only mcp_bus --timeout 300", 0, "mcp_bus may start"},
			{"GATE_TIMEOUT=banana /home/adra/justnewsagent/JustNewsAgent/deploy/systemd/preflight.sh --gate-only mcp_bus", 78, "GATE_TIMEOUT"},
			{"REQUIRE_BUS=banana /home/adra/justnewsagent/JustNewsAgent/deploy/systemd/preflight.sh --gate-only scout", 78, "REQUIRE_BUS"},
			{"MODEL_STORE_ROOT=banana /home/adra/justnewsagent/JustNewsAgent/deploy/systemd/preflight.sh --gate-only scout", 78, "MODEL_STORE_ROOT"},
			{"STRICT_MODEL_STORE=banana /home/adra/justnewsagent/JustNewsAgent/deploy/systemd/preflight.sh --gate-only scout", 78, "STRICT_MODEL_STORE"},
		} {
			r := s.as("boss", "sh", "-c", line.line)
			if r.Code != line.status || !strings.Contains(r.Stdout+r.Stderr, line.said) {
				t.Errorf("%s: exit status %d, want %d and %q\n%s%s", line.line, r.Code, line.status, line.said, r.Stdout, r.Stderr)
			}
		}
		// The caller of sudo keeps what --install granted without being an administrator.
		s.Remove(siteRules)
		if !s.maySudo("boss", operators.Program, "gate", "mcp_bus", "--timeout", "300") || s.maySudo("boss", "/usr/bin/id") || !s.mayStart("boss", "systemctl", "start", preload) {
			t.Error("boss may not do what was installed, or more")
		}
		if len(s.List("/home/boss/.cache/justnews/preflight")) == 0 {
			t.Error("the runbook's summary is missing")
		}
	}},
}

// state is all that nopasswd could change.
func (s *site) state() string {
	s.t.Helper()
	return s.Must("sh", "-c", "getent group justnews-operators; ls -l "+operators.Directory+"; grep -r '' "+operators.Directory+" || true")
}

var sudoAllowed = [][]string{
	{}, {"preflight", "--timeout", "5"}, {"--gate-only", "mcp_bus"}, {"gate", "mcp_bus"}, {"gate", "mcp_bus", "--timeout", "300", "-v", "--json"},
	{"status"}, {"status", "--json"}, {"mps", "status"},
}

var sudoRefused = [][]string{
	{"--config", "/etc/shadow", "config", "check"}, {"preflight", "--config", "/etc/shadow"}, {"--root", "/home/adra", "preflight"},
	{"gate", "mcp_bus", "--config=/tmp/x"}, {"gate", "mcp_bus", "scout"}, {"gate", "mcp_bus\n--config"}, {"gate", "a;reboot"}, {"gate", "../x"}, {"gate"},
	{"preflight", "--stop"}, {"preflight", "--timeout", "0"}, {"nopasswd", "install"}, {"nopasswd", "install", "--sudoers", "--user", "site"},
	{"preload", "--refresh"}, {"mps", "start"}, {"status", "--watch"}, {"statusx"}, {"config", "show"}, {"status", ""}, {""},
}
