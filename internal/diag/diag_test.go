// SPDX-License-Identifier: Apache-2.0

package diag

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestCatalog_HasTheAreaOfACode(t *testing.T) {
	for code, want := range map[Code]string{MapName: "configuration", OrchestratorKill: "orchestrator and models", "NO-SUCH-CODE": "this run"} {
		if got := code.Area(); got != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
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
	for _, code := range Codes() {
		if !known[code.Status()] {
			t.Errorf("%s: exit status %d has no meaning", code, code.Status())
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

// A code that only warns elsewhere refuses where it is an error.
func TestProblem_ErrorIsNeverReady(t *testing.T) {
	warns := 0
	for _, code := range Codes() {
		if (Problem{Code: code}).Status() == StatusReady {
			t.Errorf("%s is an error, and ready", code)
		}
		if (Problem{Code: code, Severity: Warning}).Status() != StatusReady {
			t.Errorf("%s is a warning, and refuses", code)
		}
		if code.Status() == StatusReady {
			warns++
		}
	}
	if warns == 0 {
		t.Error("no code only warns")
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

func TestWithoutPasswords_HidesUsersOfURLs(t *testing.T) {
	for text, want := range map[string]string{
		`url = "http://user:hunter2@127.0.0.1:8014" # x@y`: `url = "http://***@127.0.0.1:8014" # x@y`,
		"postgres://u:p/w@d@h/d and redis://:x@r":          "postgres://***@h/d and redis://***@r",
		"http://127.0.0.1:8014":                            "http://127.0.0.1:8014",
		"a@b ://":                                          "a@b ://",
		"":                                                 "",
	} {
		if got := WithoutPasswords(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
