// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"justnews/internal/cli"
	"justnews/internal/diag"
	"justnews/internal/probe/systemd"
	"justnews/internal/process"
)

func TestOwnUnit_EnvironmentFileCannotChooseTheBus(t *testing.T) {
	const played = "unix:path=/tmp/played"
	for groups, want := range map[string]string{"": played, "user@1000.service": played, "justnews@scout.service": "", "justnews-preload.service": ""} {
		m := cli.Machine{Groups: []string{groups}, Lookup: func(string) (string, bool) { return played, true }}
		if got := cli.BusAddress(m); got != want {
			t.Errorf("in %q it is %q, want %q", groups, got, want)
		}
	}
}

// An environment file that was written from a running service's environment has
// another process's SYSTEMD_EXEC_PID in it. A gate that considers itself a run by hand
// would exit with a status that its unit may treat as success.
func TestOwnUnit_EnvironmentFileCannotFakeAnInteractiveRun(t *testing.T) {
	if systemd.Booted() {
		t.Skip("systemd answers here, and knows that this is none of its commands")
	}
	for name, c := range map[string]struct {
		groups []string
		want   syscall.Signal
	}{
		"the gate of a unit":   {[]string{"0::", "system.slice", "system-justnews.slice", "justnews@scout.service"}, process.Unlisted},
		"a run by hand":        {nil, 0},
		"another unit's run":   {[]string{"0::", "system.slice", "cron.service"}, 0},
		"a user's own manager": {[]string{"0::", "user.slice", "user@1000.service", "app.slice"}, 0},
	} {
		// Also a command that is meant for shells may stand in somebody's ExecStartPre=.
		for _, args := range [][]string{{"--config", "/nonexistent.toml", "--gate-only", "scout"}, {"candidates", "--", "gate", ""}} {
			var out bytes.Buffer
			var got syscall.Signal
			cli.Run(t.Context(), cli.Machine{
				Stdout: &out, Stderr: &out, Groups: c.groups,
				Lookup: func(variable string) (string, bool) {
					value, ok := map[string]string{"SYSTEMD_EXEC_PID": "1", "GATE_TIMEOUT": "2"}[variable]
					return value, ok
				},
				Kill: func(s syscall.Signal) { got = s },
			}, args)
			if got != c.want {
				t.Errorf("%s, %q: ended by signal %d, want %d\n%s", name, args, got, c.want, out.String())
			}
		}
	}
}

func TestJSON_HasTheExitStatusAfterCtrlC(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(process.Ended{By: os.Interrupt})
	for _, args := range [][]string{{"config", "check"}, {"mps", "status"}} {
		var out bytes.Buffer
		m := cli.Machine{Stdout: &out, Stderr: io.Discard, Lookup: func(string) (string, bool) { return "", false }}
		status := cli.Run(ctx, m, append(args, "--json", "--config", "/nonexistent/justnews.toml"))
		if status != diag.StatusInterrupted || !strings.Contains(out.String(), `"status": 130`) {
			t.Errorf("%v: status %d, %s", args, status, out.String())
		}
	}
}

// A crash inside a command is reported and refuses, as it does outside of one.
func TestRun_CrashIsNoVerdict(t *testing.T) {
	var stderr bytes.Buffer
	m := cli.Machine{
		Stdout: io.Discard, Stderr: &stderr, NoSystemd: true,
		Lookup: func(name string) (string, bool) {
			if name == "GATE_TIMEOUT" {
				panic("a bug")
			}
			return "", false
		},
	}
	if status := cli.Run(t.Context(), m, []string{"--gate-only", "scout"}); status != diag.StatusInternal || !strings.Contains(stderr.String(), "the program crashed: a bug") {
		t.Errorf("status %d\n%s", status, stderr.String())
	}
}
