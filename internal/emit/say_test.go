// SPDX-License-Identifier: Apache-2.0

package emit_test

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"justnews/internal/diag"
	"justnews/internal/emit"
)

func TestReport_LineHasPlaceProblemAndFix(t *testing.T) {
	at := &diag.Position{File: "/etc/justnews/justnews.toml", Line: 4, Column: 6}
	for _, c := range []struct {
		problem diag.Problem
		want    string
	}{
		{
			diag.Problem{Code: diag.ConfigSyntax, Position: at, Message: "unexpected end of file, expected a value", Fix: diag.Advise("correct the line")},
			"justnews-generator: /etc/justnews/justnews.toml:4:6: unexpected end of file, expected a value (correct the line, then: systemctl daemon-reload)",
		},
		{
			diag.Problem{Position: at, Message: "m", Fix: diag.Do(diag.Run("chmod", "go-w", "x"), diag.Reload())},
			"justnews-generator: /etc/justnews/justnews.toml:4:6: m (chmod go-w x; systemctl daemon-reload)",
		},
		{
			diag.Problem{Severity: diag.Warning, Subject: "scout", Message: "m", Fix: diag.Advise("f")},
			"justnews-generator: warning: scout: m (f)",
		},
		{
			diag.Problem{Message: "a\nb\x1b[31m"},
			`justnews-generator: a\nb\x1b[31m`,
		},
	} {
		if got := emit.Line(c.problem); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func broken(n int) []diag.Problem {
	var problems []diag.Problem
	for range n {
		problems = append(problems, diag.Problem{
			Code: diag.ConfigSyntax, Position: &diag.Position{File: "/etc/justnews/justnews.toml", Line: 4, Column: 6},
			Message: "unexpected\nend", Fix: diag.Advise("correct the line"),
		})
	}
	return problems
}

func TestReport_ReloadLogsEveryProblemWithFields(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "socket")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	kmsg := filepath.Join(t.TempDir(), "kmsg")
	touch(t, kmsg)
	var stderr bytes.Buffer
	voice := emit.Voice{Stderr: &stderr, System: true, Socket: socket, KernelLog: kmsg}
	voice.Say(broken(2))
	buf := make([]byte, 4096)
	for range 2 {
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		entry := string(buf[:n])
		for _, field := range []string{
			"MESSAGE=/etc/justnews/justnews.toml:4:6: unexpected\\nend (correct the line, then: systemctl daemon-reload)\n",
			"PRIORITY=3\n", "SYSLOG_IDENTIFIER=justnews-generator\n", "JUSTNEWS_CODE=CONFIG-SYNTAX\n", "MESSAGE_ID=",
		} {
			if !strings.Contains(entry, field) {
				t.Errorf("%q is not in\n%s", field, entry)
			}
		}
	}
	if text, _ := os.ReadFile(kmsg); len(text) > 0 {
		t.Errorf("said twice: %s", text)
	}
}

func TestReport_BootWritesFewLinesToTheKernelLog(t *testing.T) {
	kmsg := filepath.Join(t.TempDir(), "kmsg")
	touch(t, kmsg)
	voice := emit.Voice{Stderr: &bytes.Buffer{}, System: true, Socket: filepath.Join(t.TempDir(), "absent"), KernelLog: kmsg}
	voice.Say(broken(30))
	text, err := os.ReadFile(kmsg)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) != 9 || !strings.HasPrefix(lines[0], "<3>justnews-generator: /etc/justnews/") || !strings.Contains(lines[8], "22 more problems") {
		t.Errorf("the kernel log has\n%s", text)
	}
}

func TestReport_KernelLogLineIsCut(t *testing.T) {
	kmsg := filepath.Join(t.TempDir(), "kmsg")
	touch(t, kmsg)
	voice := emit.Voice{Stderr: &bytes.Buffer{}, System: true, Socket: filepath.Join(t.TempDir(), "absent"), KernelLog: kmsg}
	voice.Say([]diag.Problem{{Message: strings.Repeat("ü", 1000)}})
	text, _ := os.ReadFile(kmsg)
	if len(text) == 0 || len(text) > 976 || strings.Contains(string(text), "\ufffd") {
		t.Errorf("%d bytes: %s", len(text), text)
	}
}

func TestReport_InteractiveRunUsesStderrOnly(t *testing.T) {
	kmsg := filepath.Join(t.TempDir(), "kmsg")
	touch(t, kmsg)
	var stderr bytes.Buffer
	voice := emit.Voice{Stderr: &stderr, Socket: filepath.Join(t.TempDir(), "absent"), KernelLog: kmsg}
	voice.Say(broken(1))
	text, _ := os.ReadFile(kmsg)
	if len(text) > 0 || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("kernel log %q, stderr %q", text, stderr.String())
	}
}

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
}
