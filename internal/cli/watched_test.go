// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"justnews/internal/reference/hang"
	"justnews/internal/reference/store"
)

// A command by hand ends soon after a signal, also where the Model Store is on a
// file system that never answers.
func TestACommandThatOnlyLooksEndsAfterASignal(t *testing.T) {
	root := filepath.Join(t.TempDir(), "models")
	made, err := store.Make(root)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "j.toml")
	text := fmt.Sprintf("[orchestrator]\nurl = \"http://127.0.0.1:9\"\ninstance = \"\"\n[bus]\ninstance = \"\"\n[models]\nroot = %q\nmap = %q\n[instances.scout]\nport = 8002\n", root, made.Map)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	unmount, err := hang.Mount(root, hang.Deaf)
	if err != nil {
		t.Skip(err)
	}
	defer unmount()
	for _, args := range []string{"status", "config check", "models verify", "models seal scout"} {
		cmd := exec.CommandContext(t.Context(), "justnews-gate", append([]string{"--config", config}, strings.Fields(args)...)...)
		cmd.Env = append(os.Environ(), "JUSTNEWS_TEST_WATCHDOG=1")
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &out, time.Second
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		sent := time.Now()
		_ = cmd.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		late.Stop()
		took := time.Since(sent)
		t.Logf("%s: %v after SIGTERM, %v: %s", args, took.Round(time.Millisecond), err, out.String())
		if took > 5*time.Second || err == nil || !strings.Contains(out.String(), "HUNG") {
			t.Errorf("%s: %v after SIGTERM, %v: %s", args, took, err, out.String())
		}
	}
}
