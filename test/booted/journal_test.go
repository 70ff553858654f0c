// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"justnews/test/bed"
)

// 17 instances and a missing snapshot: the journal has the full cause once, each instance
// names it, and then at most once a minute. Status names it once.
func TestJournal_SharedCauseIsLoggedInFullOnce(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) { // it takes two minutes, and does not depend on systemd
		s := boot(t, suite, host{})
		s.everythingUp(0)
		s.stopAll()
		file := snapshot("chief_editor", models["chief_editor"][0])
		s.Must("mv", file, "/root/away")
		began := bed.Monotonic()
		s.Run("systemctl", "start", "--no-block", target)
		s.pass(began + 45*time.Second) // at the minute the preload's time is over, and it starts anew
		status := s.Run("justnews-gate", "status")
		s.pass(began + time.Minute)
		first := s.ours(began, began+time.Minute)
		s.pass(began + 2*time.Minute)
		second := s.ours(began+time.Minute, began+2*time.Minute)
		t.Logf("%d lines in the first minute, %d in the second", len(first), len(second))
		if len(first) > 40 || len(second) > 20 {
			t.Errorf("want at most 40 and 20:\n%s\n\n%s", strings.Join(first, "\n"), strings.Join(second, "\n"))
		}
		if n := strings.Count(strings.Join(first, "\n"), "copy the snapshot"); n != 1 {
			t.Errorf("the fix is there %d times:\n%s", n, strings.Join(first, "\n"))
		}
		for _, name := range agents() {
			if said := s.since(began, unit(name)); !strings.Contains(said, "STORE-SNAPSHOT") || !strings.Contains(said, "journalctl -b -u "+preload) {
				t.Errorf("%s does not report why it is refused, and where the details are:\n%s", name, said)
			}
		}
		t.Logf("status, %d lines:\n%s", strings.Count(status.Stdout, "\n"), status.Stdout)
		for _, text := range []string{"STORE-SNAPSHOT", "copy the snapshot"} {
			if n := strings.Count(status.Stdout, text); n != 1 {
				t.Errorf("%q %d times", text, n)
			}
		}
		if !strings.HasPrefix(status.Stdout, "down: ") || strings.Contains(status.Stdout, "BUS-") || strings.Contains(status.Stdout, "MODELS-") {
			t.Error("a consequence is called an error, or the summary does not come first")
		}

		s.Must("mv", "/root/away", file)
		flip := bed.Monotonic()
		s.Must("justnews-gate", "retry")
		s.everythingUp(flip)
		if r := s.Run("justnews-gate", "status"); r.Code != 0 || !strings.HasPrefix(r.Stdout, "up: 17 of 17\n") {
			t.Errorf("exit status %d:\n%s", r.Code, r.Stdout)
		}
		s.Systemctl("stop", target)
		s.stopAll()
		if r := s.Run("justnews-gate", "status"); r.Code != 69 || !strings.HasPrefix(r.Stdout, "stopped: ") || strings.Contains(r.Stdout, "error: ") {
			t.Errorf("a target that was stopped on purpose: exit status %d:\n%s", r.Code, r.Stdout)
		}
		s.Must("sh", "-c", "echo '[gate' >> /etc/justnews/justnews.toml")
		if r := s.Run("justnews-gate", "status"); r.Code != 78 || !strings.Contains(r.Stdout, "CONFIG-SYNTAX") || !strings.Contains(r.Stdout, "scout") {
			t.Errorf("a broken configuration: exit status %d:\n%s", r.Code, r.Stdout)
		}
	})
}

// pass waits until a time of the monotonic clock.
func (s *site) pass(moment time.Duration) {
	s.t.Helper()
	s.WaitFor("the end of a minute", 3*time.Minute, func() bool { return bed.Monotonic() >= moment })
}

// ours returns the program's journal lines between two times.
func (s *site) ours(from, to time.Duration) []string {
	s.t.Helper()
	text := s.Must("sh", "-c", fmt.Sprintf("journalctl --no-pager -q -o short-monotonic -t justnews-gate | awk -F'[][]' '$2 + 0 >= %.6f && $2 + 0 < %.6f'", from.Seconds(), to.Seconds()))
	return strings.Split(strings.TrimSpace(text), "\n")
}
