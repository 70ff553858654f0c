// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// standIn replaces go: it builds and lists as go does, but tests nothing. Each package passes
// one test, except those in $FAILS. A package in $HANGS prints nothing until it is killed, and
// then leaves a mark.
const standIn = `#!/bin/sh
case $1 in build | list) exec "$REAL_GO" "$@" ;; esac
for p; do
	case $p in ./* | justnews/*) ;; *) continue ;; esac
	if [ "$p" = "$HANGS" ]; then
		trap 'touch "$MARKS/ended"; exit 1' INT
		touch "$MARKS/hangs"
		while :; do sleep 0.05; done
	fi
	action=pass
	if [ "$p" = "$FAILS" ]; then action=fail; fi
	printf '{"Action":"run","Package":"%s","Test":"TestOne"}\n' "$p"
	printf '{"Action":"output","Package":"%s","Test":"TestOne","Output":"the words of %s\\n"}\n' "$p" "$p"
	printf '{"Action":"%s","Package":"%s","Test":"TestOne"}\n{"Action":"%s","Package":"%s"}\n' $action "$p" $action "$p"
done
[ -z "$action" ] || [ "$action" = pass ]
`

// lanes prepares test/run.sh with the stand-in.
func lanes(t *testing.T, environment ...string) *exec.Cmd {
	t.Helper()
	program, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte(standIn), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "../run.sh")
	cmd.Env = slices.Concat(os.Environ(), []string{"REAL_GO=" + program, "PATH=" + dir + ":" + os.Getenv("PATH")}, environment)
	return cmd
}

func TestLanes_EachStageIsPrintedWholeAndCounted(t *testing.T) {
	out, err := lanes(t).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	took := regexp.MustCompile(` took \d+ s$`)
	var open string
	ended := 0
	for line := range strings.Lines(string(out)) {
		name, isHead := strings.CutPrefix(strings.TrimSpace(line), "== ")
		name, isEnd := strings.CutSuffix(took.ReplaceAllString(name, " took"), " took")
		switch {
		case isHead && isEnd && name != open:
			t.Errorf("%q ends within %q", name, open)
		case isHead && isEnd:
			open = ""
			ended++
		case isHead && strings.HasSuffix(name, ": started"):
		case strings.HasPrefix(line, "ok ") && open == "":
			t.Errorf("a package outside of its stage: %s", line)
		case isHead && open == "":
			open = name
		}
	}
	passed := strings.Count(string(out), "\nok ")
	if want := regexp.MustCompile(`(?m)^(\d+) passed, 0 failed, 0 skipped$`).FindStringSubmatch(string(out)); ended < 6 || passed < 15 || want == nil {
		t.Errorf("%d stages, %d packages:\n%s", ended, passed, out)
	}
	if !regexp.MustCompile(`(?m)^ +\d+ s  in all; one after the other: \d+ s$`).Match(out) {
		t.Errorf("the times are not summed up:\n%s", out)
	}
}

func TestLanes_FailureOfEitherLaneIsNamedAndFails(t *testing.T) {
	for pkg, stage := range map[string]string{
		"./test/booted/...":   "booted systemd, packages",
		"./test/packages/...": "booted systemd, packages",
		"./cmd/...":           "unit tests",
	} {
		out, err := lanes(t, "FAILS="+pkg).CombinedOutput()
		var status *exec.ExitError
		if !errors.As(err, &status) || status.ExitCode() != 1 {
			t.Errorf("%s: %v\n%s", stage, err, out)
		}
		for _, want := range []string{"the words of " + pkg, "== " + stage + " FAILED\n", "FAILED: " + stage + ",the sum\n", " 1 failed, "} {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: no %q in\n%s", stage, want, out)
			}
		}
	}
}

func TestLanes_InterruptEndsBoth(t *testing.T) {
	for _, pkg := range []string{"./test/booted/...", "./internal/..."} {
		marks := t.TempDir()
		cmd := lanes(t, "HANGS="+pkg, "MARKS="+marks)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for {
			if _, err := os.Stat(filepath.Join(marks, "hangs")); err == nil {
				break
			}
			select {
			case err := <-ended:
				t.Fatalf("run.sh ended before it was interrupted: %v", err)
			case <-time.After(10 * time.Millisecond):
			}
		}
		// As a terminal does: the lanes are separate process groups.
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; cmd.ProcessState.ExitCode() != 130 {
			t.Errorf("%s hangs: interrupted, it ends with %v", pkg, err)
		}
		if _, err := os.Stat(filepath.Join(marks, "ended")); err != nil {
			t.Errorf("%s hangs: it was not interrupted: %v", pkg, err)
		}
	}
}
