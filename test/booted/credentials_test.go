// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"strings"
	"testing"

	"justnews/test/bed"
)

// An agent reads its secrets, plain and encrypted, and nobody else does. Without
// the file nothing starts, and config check names it.
func TestCredentials_AnAgentReadsItsOwn(t *testing.T) {
	t.Parallel()
	const file, encrypted = "/etc/justnews/credentials/database", "/etc/credstore.encrypted/token"
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{change: func(tree *bed.Tree) {
			tree.WriteFile(file, "password 1", 0o600)
			tree.WriteFile("/etc/justnews/justnews.toml.d/10-credentials.toml",
				"[instances.scout.service]\ncredentials = [\"database:"+file+"\"]\nencrypted_credentials = [\"token:"+encrypted+"\"]\n")
		}})
		s.must("mkdir -p /etc/credstore.encrypted; printf 'password 2' | systemd-creds encrypt --with-key=host --name=token - " + encrypted)
		s.must("systemctl reset-failed 'justnews@*.service'; systemctl start " + unit("scout") + " " + unit("memory"))
		s.WaitUnit(unit("scout"), "active/running")
		directory := "/run/credentials/" + unit("scout")
		for name, want := range map[string]string{"database": "password 1", "token": "password 2"} {
			if got := s.Must("cat", directory+"/"+name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
			if got := s.Must("runuser", "-u", "justnews", "--", "cat", directory+"/"+name); got != want {
				t.Errorf("the agent's user reads %q, want %q", got, want)
			}
			if r := s.Sh("runuser -u nobody -- cat " + directory + "/" + name); r.Err == nil {
				t.Errorf("nobody reads %q", r.Stdout)
			}
		}
		pid := s.Must("systemctl", "show", "-P", "MainPID", unit("scout"))
		if env := s.Must("sh", "-c", "tr '\\0' '\\n' </proc/"+strings.TrimSpace(pid)+"/environ"); !strings.Contains(env, "CREDENTIALS_DIRECTORY="+directory+"\n") {
			t.Errorf("the agent's environment:\n%s", env)
		}
		if s.Exists("/run/credentials/" + unit("memory")) {
			t.Error("another instance has credentials")
		}

		s.Remove(file)
		if r := s.Run("systemctl", "restart", unit("scout")); r.Code == 0 {
			t.Error("the instance starts without its file")
		}
		if r := s.Run("justnews-gate", "config", "check"); !strings.Contains(r.Stderr, "SERVICE-PATH: scout: service.credentials: "+file+" does not exist") {
			t.Errorf("config check:\n%s%s", r.Stdout, r.Stderr)
		}
	})
}
