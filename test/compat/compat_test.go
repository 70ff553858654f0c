// SPDX-License-Identifier: Apache-2.0

// Package compat runs the two shims that accept the runbook's command lines, with a program
// in place of the gate that records how it was called.
// test/booted runs the same lines on a host with the real one.
package compat

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shims are copies of the two scripts that call the recorder.
type shims struct {
	dir, calls string
}

func newShims(t *testing.T) shims {
	t.Helper()
	s := shims{dir: t.TempDir()}
	s.calls = filepath.Join(s.dir, "calls")
	recorder := filepath.Join(s.dir, "gate")
	text := "#!/bin/sh\nfor a in \"$@\"; do printf '[%s]' \"$a\"; done >>" + s.calls + "\n" +
		"printf ' %s %s\\n' \"${GATE_TIMEOUT-unset}\" \"${REQUIRE_BUS-unset}\" >>" + s.calls + "\nexit \"${RECORDER_STATUS-0}\"\n"
	if err := os.WriteFile(recorder, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"preflight.sh", "justnews-preflight-check.sh", "setup_preflight_nopasswd.sh"} {
		script, err := os.ReadFile(filepath.Join("../../packaging/compat", name))
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(script), "\ngate=/usr/bin/justnews-gate\n", "\ngate="+recorder+"\n", 1)
		if changed == string(script) {
			t.Fatalf("%s does not call the packages' program", name)
		}
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(changed), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// run runs a command line, with NAME=VALUE words before it as its environment, and returns
// how the gate was called.
func (s shims) run(t *testing.T, line string) (calls, stderr string, status int) {
	t.Helper()
	_ = os.Remove(s.calls)
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", "exec env -i PATH=/usr/bin:/bin "+line)
	cmd.Dir = s.dir
	var errs strings.Builder
	cmd.Stderr = &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.calls)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text), errs.String(), status
}

func TestCompat_EveryRunbookCommandCallsTheGate(t *testing.T) {
	s := newShims(t)
	for line, want := range map[string]string{
		"./preflight.sh --gate-only scout":                                  "[--gate-only][scout] unset unset\n",
		"./preflight.sh --gate-only mcp_bus":                                "[--gate-only][mcp_bus] unset unset\n",
		"./preflight.sh --gate-only=mcp_bus":                                "[--gate-only][mcp_bus] unset unset\n",
		"GATE_TIMEOUT=300 REQUIRE_BUS=0 ./preflight.sh --gate-only mcp_bus": "[--gate-only][mcp_bus] 300 0\n",
		"./preflight.sh":                                                        "[preflight] unset unset\n",
		"./preflight.sh --stop":                                                 "[preflight][--stop] unset unset\n",
		"./preflight.sh -s --no-color":                                          "[preflight][--stop][--no-color] unset unset\n",
		"./preflight.sh --no-color --gate-only mcp_bus":                         "[--gate-only][mcp_bus][--no-color] unset unset\n",
		"./preflight.sh --gate-only 'a b;c'":                                    "[--gate-only][a b;c] unset unset\n",
		"./justnews-preflight-check.sh":                                         "[preflight] unset unset\n",
		"./justnews-preflight-check.sh --gate-only":                             "[--gate-only][mcp_bus] unset unset\n",
		"GATE_TIMEOUT=60 ./justnews-preflight-check.sh --gate-only scout":       "[--gate-only][scout] 60 unset\n",
		"./setup_preflight_nopasswd.sh --install":                               "[nopasswd][install][--sudoers] unset unset\n",
		"./setup_preflight_nopasswd.sh --install-only":                          "[nopasswd][install][--sudoers] unset unset\n",
		"./setup_preflight_nopasswd.sh":                                         "[nopasswd][install][--sudoers] unset unset\n",
		"./setup_preflight_nopasswd.sh --install --user adra --dry-run":         "[nopasswd][install][--sudoers][--user][adra][--dry-run] unset unset\n",
		"TARGET_USER=adra ./setup_preflight_nopasswd.sh":                        "[nopasswd][install][--sudoers][--user][adra] unset unset\n",
		"TARGET_USER=adra ./setup_preflight_nopasswd.sh --user site":            "[nopasswd][install][--sudoers][--user][site] unset unset\n",
		"./setup_preflight_nopasswd.sh --run-gate-only mcp_bus --timeout 300":   "[nopasswd][run][mcp_bus][--timeout][300] unset unset\n",
		"GATE_TIMEOUT=60 ./setup_preflight_nopasswd.sh --run-gate-only":         "[nopasswd][run] 60 unset\n",
		"./setup_preflight_nopasswd.sh --run-full":                              "[nopasswd][run] unset unset\n",
		"./setup_preflight_nopasswd.sh --install --run-gate-only mcp_bus":       "[nopasswd][install][--sudoers] unset unset\n[nopasswd][run][mcp_bus] unset unset\n",
		"./setup_preflight_nopasswd.sh --uninstall --user adra":                 "[nopasswd][uninstall][--user][adra] unset unset\n",
		"./setup_preflight_nopasswd.sh --user 'adra,ALL'":                       "[nopasswd][install][--sudoers][--user][adra,ALL] unset unset\n",
		"./setup_preflight_nopasswd.sh --install --run-gate-only x --dry-run":   "[nopasswd][install][--sudoers][--dry-run] unset unset\n",
		"JUSTNEWS_GATE=/bin/true gate=/bin/true ./preflight.sh --gate-only bus": "[--gate-only][bus] unset unset\n",
	} {
		calls, stderr, status := s.run(t, line)
		if calls != want || status != 0 {
			t.Errorf("%s: exit status %d\n%swant\n%s%s", line, status, calls, want, stderr)
		}
	}
}

func TestCompat_ExitStatusIsTheGates(t *testing.T) {
	s := newShims(t)
	for _, line := range []string{
		"./preflight.sh", "./preflight.sh --gate-only scout", "./justnews-preflight-check.sh --gate-only", "./setup_preflight_nopasswd.sh", "./setup_preflight_nopasswd.sh --uninstall",
		"./setup_preflight_nopasswd.sh --run-gate-only mcp_bus",
	} {
		if _, _, status := s.run(t, "RECORDER_STATUS=75 "+line); status != 75 {
			t.Errorf("%s: exit status %d", line, status)
		}
	}
	// A refused command is not run afterwards.
	calls, _, status := s.run(t, "RECORDER_STATUS=77 ./setup_preflight_nopasswd.sh --install --run-full")
	if status != 77 || strings.Contains(calls, "[run]") {
		t.Errorf("exit status %d\n%s", status, calls)
	}
}

func TestCompat_UnknownArgumentsAreRefused(t *testing.T) {
	s := newShims(t)
	advice := regexp.MustCompile(`(?m)^  fix: run\n    (\S+ --help)$|^usage: `)
	for _, line := range []string{
		"./preflight.sh --gate-only", "./preflight.sh --gate-only ''", "./preflight.sh --gate-only=", "./preflight.sh --gate-only --no-color",
		"./preflight.sh --gate-only scout --help", "./preflight.sh --help --gate-only scout", "./preflight.sh --gate-only scout --stop",
		"./preflight.sh --gate-only scout memory", "./preflight.sh --nonsense", "./preflight.sh ''",
		"./justnews-preflight-check.sh --nonsense", "./justnews-preflight-check.sh ''", "./justnews-preflight-check.sh --gate-only ''",
		"./justnews-preflight-check.sh --gate-only --help", "./justnews-preflight-check.sh --gate-only scout memory",
		"./setup_preflight_nopasswd.sh --nonsense", "./setup_preflight_nopasswd.sh --user", "./setup_preflight_nopasswd.sh --timeout",
		"./setup_preflight_nopasswd.sh --timeout 300", "./setup_preflight_nopasswd.sh --preflight /tmp/x.sh", "./setup_preflight_nopasswd.sh --install --uninstall",
		"./setup_preflight_nopasswd.sh --uninstall --run-full",
	} {
		calls, stderr, status := s.run(t, line)
		fix := advice.FindStringSubmatch(stderr)
		if status != 64 || calls != "" || !strings.Contains(stderr, "error: ") || fix == nil {
			t.Fatalf("%s: exit status %d\n%s%s", line, status, calls, stderr)
		}
		if fix[1] != "" {
			if _, stderr, status := s.run(t, fix[1]); status != 0 {
				t.Errorf("%s: exit status %d\n%s", fix[1], status, stderr)
			}
		}
	}
	for _, line := range []string{"./preflight.sh --help", "./preflight.sh -h", "./setup_preflight_nopasswd.sh --help"} {
		if calls, _, status := s.run(t, line); status != 0 || calls != "" {
			t.Errorf("%s: exit status %d\n%s", line, status, calls)
		}
	}
}
