// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"justnews/test/bed"
)

// The role of examples/ansible configures a host whose agents run: check mode shows the
// generator's diff and changes nothing, a run changes the file and reloads, a second one
// changes nothing, and a configuration with errors does not replace the file.
func TestAnsible_TheRoleConfiguresAHost(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{packages: []string{"ansible-core"}, config: config("60s", "hitl_service"), change: func(tree *bed.Tree) {
			copyTree(t, "../../examples/ansible", func(name, text string) { tree.WriteFile("/root/ansible/"+name, text) })
		}})
		s.WaitUnits("active/running", unit(orchestrator))
		s.Systemctl("start", target)
		s.everythingUpBut("hitl_service")
		pids := s.mainPIDs("scout", "memory")
		before := s.ReadFile(configFile)
		newConfig := playbook(map[string]any{
			"min_version": "0.9.0",
			"gate":        map[string]any{"timeout": "90s"},
			"models":      map[string]any{"root": modelRoot, "map": modelRoot + "/AGENT_MODEL_MAP.json", "verify_preload": "presence"},
			"service":     map[string]any{"start_grace": "20s"},
			"instances":   instancesOf(),
		})

		out := s.plays(newConfig, 0, "--check", "--diff")
		for _, want := range []string{"+++ new", "+TimeoutStartSec=110s", "justnews@hitl_service.service.d"} {
			if !strings.Contains(out, want) {
				t.Errorf("check mode does not show %q:\n%s", want, out)
			}
		}
		if s.ReadFile(configFile) != before || s.Exists("/run/systemd/generator/justnews@hitl_service.service.d") {
			t.Error("check mode changed something")
		}

		s.plays(newConfig, 0)
		if !strings.Contains(s.ReadFile(configFile), "\n[instances.hitl_service]\nport = 8040\n") {
			t.Errorf("the file is\n%s", s.ReadFile(configFile))
		}
		s.Systemctl("start", unit("hitl_service")) // which refuses unless it was reloaded
		s.untouched(pids)
		if out := s.plays(newConfig, 0); !strings.Contains(out, "changed=0 ") {
			t.Error("the second run changes something")
		}

		written := s.ReadFile(configFile)
		var wrongs []map[string]any
		for says, wrong := range map[string]map[string]any{
			"unknown key":            {"gate": map[string]any{"timeuot": "90s"}},
			"needs 999.0 or later":   {"min_version": "999.0", "gate": map[string]any{"later": "key"}},
			"must be true or false ": {"gate": map[string]any{"fail_fast": "yes"}},
		} {
			out := s.plays(playbook(wrong), 2, "--check")
			if !strings.Contains(out, says) || strings.Contains(out, "unknown key") != (says == "unknown key") {
				t.Errorf("it does not report %q alone:\n%s", says, out)
			}
			wrongs = append(wrongs, wrong)
		}
		s.plays(playbook(wrongs[0]), 2)
		if s.ReadFile(configFile) != written {
			t.Error("a configuration with errors has replaced the file")
		}
		if left := s.Must("sh", "-c", "ls -d /tmp/justnews.* /root/.ansible/tmp/justnews.* 2>/dev/null || true"); left != "" {
			t.Errorf("left behind: %s", left)
		}
	})
}

// instancesOf are all instances in the role's format.
func instancesOf() map[string]any {
	all := map[string]any{}
	for name, port := range ports {
		all[name] = map[string]any{"port": port}
	}
	return all
}

// playbook applies a configuration to this host; JSON is YAML.
func playbook(config map[string]any) string {
	text, err := json.Marshal([]any{map[string]any{
		"hosts": "localhost", "connection": "local", "gather_facts": false,
		"roles": []any{map[string]any{"role": "justnews", "vars": map[string]any{"justnews_config": config, "justnews_units": []string{target}}}},
	}})
	if err != nil {
		panic(err) // maps of strings
	}
	return string(text)
}

// plays runs a playbook on the machine and returns what it printed.
func (s *site) plays(text string, status int, flags ...string) string {
	s.t.Helper()
	s.WriteFile("/root/ansible/test.yml", text)
	r := s.Sh("cd /root/ansible && ANSIBLE_NOCOLOR=1 ANSIBLE_STDOUT_CALLBACK=default HOME=/root LC_ALL=C.UTF-8 " +
		"ansible-playbook -i localhost, -e ansible_python_interpreter=/usr/bin/python3 " + strings.Join(flags, " ") + " test.yml")
	if r.Code != status {
		s.t.Fatalf("ansible-playbook %v: exit status %d, want %d\n%s\n%s", flags, r.Code, status, r.Stdout, r.Stderr)
	}
	return r.Stdout + r.Stderr
}

// everythingUpBut waits for all agents except one that is not configured.
func (s *site) everythingUpBut(left string) {
	s.t.Helper()
	for _, name := range agents() {
		if name != left {
			s.WaitUnit(unit(name), "active/running")
		}
	}
}

// copyTree copies the files below a directory of the repository.
func copyTree(t *testing.T, dir string, write func(name, text string)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil {
			write(strings.TrimPrefix(path, dir+"/"), string(text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
