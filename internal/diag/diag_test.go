// SPDX-License-Identifier: Apache-2.0

package diag

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The texts of the catalogue are printed as they are.
func TestCatalog_HasNoTerminalControls(t *testing.T) {
	for _, e := range Catalog() {
		for _, text := range []string{e.Title, e.Cause, e.Fix.Advice} {
			if text != Clean(text) {
				t.Errorf("%s: %q", e.Code, text)
			}
		}
	}
}

func TestCatalog_HasTheAreaOfACode(t *testing.T) {
	for code, want := range map[Code]string{MapName: "configuration", OrchestratorKill: "orchestrator and models", "NO-SUCH-CODE": "this run"} {
		if got := code.Area(); got != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
}

// programs are those that a fix may run or look with.
var programs = []string{
	"systemctl", "journalctl", "justnews-gate", "systemd-tmpfiles", "systemd-sysusers", "chmod", "chown", "rm", "sudo", "visudo",
	"usermod", "loginctl", "pkill", "nvidia-smi", "nvidia-modprobe", "modprobe", "ldconfig", "mount", "sysctl", "ln", "sh",
}

// checkFix holds what every fix of the project keeps to.
func checkFix(t *testing.T, where string, f Fix) {
	t.Helper()
	if strings.ContainsAny(f.Advice, ";`$|") || strings.Contains(f.Advice, "&&") || strings.Contains(f.Advice, "then: ") || strings.Contains(f.Advice, "systemctl ") {
		t.Errorf("%s: a command in the words: %s", where, f.Advice)
	}
	reset := map[string]bool{}
	for _, c := range f.Commands {
		if len(c) == 0 || !slices.Contains(programs, c[0]) {
			t.Errorf("%s: unknown program: %q", where, c)
			continue
		}
		unit := c[len(c)-1]
		switch {
		case c[0] == "systemctl" && c[1] == "reset-failed":
			reset[unit] = true
		case c[0] == "systemctl" && c[1] == "restart" && !reset[unit]:
			t.Errorf("%s: a tripped start limit refuses this fix: %s", where, f)
		}
	}
}

func TestCatalog_FixesAreAdviceAndArguments(t *testing.T) {
	for _, e := range Catalog() {
		checkFix(t, string(e.Code), e.Fix)
	}
}

func TestCommand_ShellReadsTheSameArguments(t *testing.T) {
	for _, word := range []string{
		"x, then: touch pwned; systemctl reset-failed #", "it's", `"quoted"`, "a\nb", "end\n\n", "\n", "$(touch pwned)", "`touch pwned`", "\x1b[2J", "a\u202eb",
		"--help", "-rf", "", " ", "*", "~", "a\\b", "\xff", "!x", "#", "NAME=value", "100%s\t", "$IFS", "{a,b}",
	} {
		argv := Run("echo", "--", word, "x"+word, word+"x")
		line := argv.String()
		if line != Clean(line) {
			t.Errorf("%q: the line %q drives a terminal", word, line)
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "set -- "+line+"\nprintf '%s\\0' \"$@\"").Output()
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, argv) {
			t.Errorf("%q became %q", argv, got)
		}
	}
}

func TestProblem_EveryStatusIsInTheTable(t *testing.T) {
	known := map[Status]bool{}
	for _, s := range Statuses() {
		known[s.Status] = true
	}
	for _, e := range Catalog() {
		if !known[e.Status] {
			t.Errorf("%s: exit status %d has no meaning", e.Code, e.Status)
		}
	}
}

func TestProblem_UnknownCodeBlocks(t *testing.T) {
	if got := Code("NO-SUCH-CODE").Status(); got != StatusInternal {
		t.Errorf("status %d, want %d", got, StatusInternal)
	}
	if (Problem{Code: "NO-SUCH-CODE"}).Status() == StatusReady {
		t.Error("the zero severity lets a problem pass")
	}
}

func TestClean_RemovesTerminalControls(t *testing.T) {
	for in, want := range map[string]string{
		"plain ünïcode 模型":    "plain ünïcode 模型",
		"a\nb":                `a\nb`,
		"\x1b[2Jgone":         `\x1b[2Jgone`,
		"bad\xffbyte":         `bad\xffbyte`,
		"bidi\u202eoverride":  `bidi\u202eoverride`,
		"c1\u009bcsi":         `c1\u009bcsi`,
		"line\u2028separator": `line\u2028separator`,
		"�":                   "�",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestProblem_IsOneLine(t *testing.T) {
	p := Problem{
		Code: ModelFailed, Subject: "scout\n<0>forged", Message: "no\x00such file",
		Position: &Position{File: "/etc/justnews/justnews.toml", Line: 4, Column: 6},
	}
	want := `MODEL-FAILED: /etc/justnews/justnews.toml:4:6: scout\n<0>forged: no\x00such file`
	if got := p.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
