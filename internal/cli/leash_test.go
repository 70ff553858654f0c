// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"justnews/test/busy"
	"justnews/test/reference/hang"
)

// asked runs a command, asks it to end after a while, and returns how it ended and how long
// it took, without the time for which processes of a busy machine waited.
func asked(t *testing.T, after time.Duration, args ...string) (status int, text string, took time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), after)
	defer cancel()
	cmd := exec.CommandContext(ctx, "justnews-gate", args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute // then it is killed
	cmd.Env = append(os.Environ(), "JUSTNEWS_TEST_EXIT=1", "JUSTNEWS_TEST_ROOT=/", "HOME="+t.TempDir())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	began, mark := time.Now(), busy.Now()
	_ = cmd.Run() // the status says how it went
	return cmd.ProcessState.ExitCode(), out.String(), mark.Less(time.Since(began))
}

// interrupted is asked with a Ctrl-C as soon as the program listens for one, which
// a busy machine may take longer for: before, a signal ends it by itself. It is
// repeated also where the machine was too busy for a last message.
func interrupted(t *testing.T, args ...string) (after time.Duration, status int, said string, took time.Duration) {
	t.Helper()
	for after = time.Second; ; after *= 2 {
		if status, said, took = asked(t, after, args...); status >= 0 && said != "" || after > 8*time.Second {
			return after, status, said, took
		}
	}
}

// A file system below the store that never answers does not block commands run by hand:
// neither one with a short timeout nor one that gets Ctrl-C.
func TestHang_HangingFileSystemBlocksNoCommand(t *testing.T) {
	models := filepath.Join(t.TempDir(), "models")
	config := filepath.Join(t.TempDir(), "justnews.toml")
	agents := filepath.Join(t.TempDir(), "map.json")
	text := fmt.Sprintf("[orchestrator]\ninstance = \"\"\n[bus]\ninstance = \"\"\n[models]\nroot = %q\nmap = %q\n[instances.scout]\nport = 8002\n", models, agents)
	for path, content := range map[string]string{config: text, agents: `{"scout": ["google/bert"]}`} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(models, 0o755); err != nil {
		t.Fatal(err)
	}
	unmount, err := hang.Mount(models, hang.Deaf)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(unmount)
	t.Run("config check", func(t *testing.T) {
		t.Parallel()
		status, said, took := asked(t, 30*time.Second, "--config", config, "config", "check")
		if status != 0 || !strings.Contains(said, "does not respond") || took > 15*time.Second {
			t.Errorf("status %d after %s: %s", status, took, said)
		}
	})
	for _, command := range []string{"config check", "models verify", "models seal scout", "status"} {
		t.Run(command+" and Ctrl-C", func(t *testing.T) {
			t.Parallel()
			after, status, said, took := interrupted(t, append([]string{"--config", config}, strings.Fields(command)...)...)
			if took > after+5*time.Second || status < 0 {
				t.Errorf("status %d after %s: %s", status, took, said)
			}
		})
		t.Run(command+" of such a configuration and Ctrl-C", func(t *testing.T) {
			t.Parallel()
			after, status, said, took := interrupted(t, append([]string{"--config", filepath.Join(models, "justnews.toml")}, strings.Fields(command)...)...)
			if took > after+5*time.Second || status != 130 || !strings.Contains(said, "INTERRUPTED") {
				t.Errorf("status %d after %s: %s", status, took, said)
			}
		})
	}
}
