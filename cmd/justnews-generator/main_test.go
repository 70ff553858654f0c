// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"justnews/internal/diag"
)

// system lays out a root directory with one justnews.toml.
func system(t *testing.T, toml string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "root")
	dir := filepath.Join(root, "etc", "justnews")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "justnews.toml"), []byte(toml), 0o644); err != nil {
		t.Fatal(err)
	}
	return root
}

const good = "[orchestrator]\ninstance = \"\"\n[bus]\ninstance = \"\"\n[instances.scout]\nport = 8002\n"

func call(t *testing.T, env map[string]string, args ...string) (status diag.Status, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(args, func(name string) string { return env[name] }, &out, &errs)
	return status, out.String(), errs.String()
}

func TestMain_WrongUsageExits64(t *testing.T) {
	for _, args := range [][]string{
		nil, {"a", "b"}, {"a", "b", "c", "d"}, {""}, {"--no-such"}, {"-x", "a"}, {"--root"}, {"--root=", "a"}, {"--root", "", "a"}, {"--root", "/x"},
	} {
		status, stdout, stderr := call(t, nil, args...)
		if status != diag.StatusUsage || stdout != "" || !strings.HasPrefix(stderr, "justnews-generator: ") || !strings.Contains(stderr, "usage: ") {
			t.Errorf("%q: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
}

func TestMain_HelpAndVersionGoToStdout(t *testing.T) {
	for _, arg := range []string{"--help", "--version"} {
		status, stdout, stderr := call(t, nil, arg)
		if status != 0 || !strings.Contains(stdout, "justnews-generator") || stderr != "" {
			t.Errorf("%s: status %d, stdout %q, stderr %q", arg, status, stdout, stderr)
		}
	}
}

func TestMain_OnlyTheFirstDirectoryIsWrittenTo(t *testing.T) {
	out := t.TempDir()
	normal, early, late := filepath.Join(out, "normal"), filepath.Join(out, "early"), filepath.Join(out, "late")
	if status, _, stderr := call(t, nil, "--root", system(t, good), normal, early, late); status != 0 || stderr != "" {
		t.Fatalf("status %d, stderr %q", status, stderr)
	}
	entries, err := os.ReadDir(out)
	if err != nil || len(entries) != 1 || entries[0].Name() != "normal" {
		t.Errorf("%v, %v", entries, err)
	}
	if _, err := os.Stat(filepath.Join(normal, "justnews@scout.service.d", "60-justnews-instance.conf")); err != nil {
		t.Error(err)
	}
}

func TestMain_BrokenFileIsReportedWithItsLineAndExits78(t *testing.T) {
	out := t.TempDir()
	status, stdout, stderr := call(t, nil, "--root="+system(t, "[instances.scout]\nport = \"8002\n"), out)
	if status != diag.StatusConfig || stdout != "" {
		t.Errorf("status %d, stdout %q", status, stdout)
	}
	if !strings.HasPrefix(stderr, "justnews-generator: /etc/justnews/justnews.toml:2:") || !strings.Contains(stderr, "systemctl daemon-reload)\n") {
		t.Errorf("stderr %q", stderr)
	}
	text, err := os.ReadFile(filepath.Join(out, "justnews@.service.d", "50-justnews-gate.conf"))
	if err != nil || !strings.Contains(string(text), "\nRestart=on-failure\n") {
		t.Errorf("%s, %v", text, err)
	}
}

func TestMain_DryRunNeedsNoDirectory(t *testing.T) {
	status, stdout, stderr := call(t, nil, "--dry-run", "--root", system(t, good))
	if status != 0 || stderr != "" || !strings.HasPrefix(stdout, "# /run/systemd/generator/justnews@.service.d/50-justnews-gate.conf\n") {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	status, stdout, stderr = call(t, nil, "--dry-run", "--root", system(t, "x"))
	if status != diag.StatusConfig || !strings.Contains(stdout, "justnews-heal.path") || stderr == "" {
		t.Errorf("broken: status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

func TestMain_KernelCommandLineWritesAMarkerAndAWarning(t *testing.T) {
	out := t.TempDir()
	env := map[string]string{"SYSTEMD_PROC_CMDLINE": "ro justnews.gate=off"}
	status, _, stderr := call(t, env, "--root", system(t, good), out)
	if status != 0 || !strings.HasPrefix(stderr, "justnews-generator: warning: ") {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
	if _, err := os.Stat(filepath.Join(out, "justnews-gate.off")); err != nil {
		t.Error(err)
	}
}

func TestMain_WritesNothingInTheInitrd(t *testing.T) {
	out := t.TempDir()
	status, _, _ := call(t, map[string]string{"SYSTEMD_IN_INITRD": "1"}, "--root", system(t, good), out)
	entries, _ := os.ReadDir(out)
	if status != 0 || len(entries) > 0 {
		t.Errorf("status %d, %v", status, entries)
	}
}
