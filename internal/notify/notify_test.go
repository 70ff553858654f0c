// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// listen opens a real notification socket and returns what arrives on it.
func listen(t *testing.T, name string) func() string {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return func() string {
		t.Helper()
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 8192)
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("nothing arrived: %v", err)
		}
		return string(buf[:n])
	}
}

func TestNotify_EachMessageIsOneDatagram(t *testing.T) {
	for _, name := range []string{
		filepath.Join(t.TempDir(), "notify"),
		fmt.Sprintf("@justnews-notify-%d", os.Getpid()),
	} {
		next := listen(t, name)
		t.Setenv("NOTIFY_SOCKET", name)
		n := New()
		if !n.Active() {
			t.Fatalf("%s: not active", name)
		}
		if err := errors.Join(n.Status("12 of 14 models"), n.Extend(90*time.Second), n.Clear()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, want := range []string{"STATUS=12 of 14 models", "EXTEND_TIMEOUT_USEC=90000000", "STATUS="} {
			if got := next(); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
	}
}

func TestNotify_TextCannotInjectAnAssignment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	next := listen(t, path)
	n := Notifier{socket: path}
	for text, want := range map[string]string{
		"bad\nREADY=1":      "STATUS=bad READY=1",
		"bad\r\nMAINPID=1":  "STATUS=bad  MAINPID=1",
		"nul\x00READY=1":    "STATUS=nul READY=1",
		"\x1b[31mred\u2028": "STATUS= [31mred ",
		"not \xff UTF-8":    "STATUS=not \uFFFD UTF-8",
	} {
		if err := n.Status(text); err != nil {
			t.Fatal(err)
		}
		if got := next(); got != want {
			t.Errorf("%q was sent as %q, want %q", text, got, want)
		}
	}
}

func TestNotify_LongTextIsCutBetweenCharacters(t *testing.T) {
	for _, text := range []string{strings.Repeat("x", 5000), strings.Repeat("ü", 5000), strings.Repeat("€", 5000)} {
		got := oneLine(text)
		if len(got) > maxStatus || len(got) < maxStatus-4 || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") {
			t.Errorf("%d bytes, valid %v", len(got), utf8.ValidString(got))
		}
	}
}

func TestNotify_WithoutASocketNothingIsSent(t *testing.T) {
	for _, value := range []string{"", "vsock:2:1234", "relative"} {
		t.Setenv("NOTIFY_SOCKET", value)
		n := New()
		if err := n.Status("x"); err != nil || n.Active() {
			t.Errorf("NOTIFY_SOCKET=%q: %v, active %v", value, err, n.Active())
		}
	}
	var zero Notifier
	if err := errors.Join(zero.Status("x"), zero.Clear(), zero.Extend(time.Second)); err != nil {
		t.Errorf("the zero value: %v", err)
	}
}

func TestNotify_UnresponsiveManagerDoesNotBlock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	listen(t, path) // never read
	n := Notifier{socket: path}
	var err error
	for range 2000 { // net.unix.max_dgram_qlen is 10 by default, 512 under systemd
		if err = n.Status("x"); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("a full queue: %v, want EAGAIN within %v", err, sendTimeout)
	}
}

func TestNotify_MissingManagerIsAnError(t *testing.T) {
	n := Notifier{socket: filepath.Join(t.TempDir(), "none")}
	if err := n.Clear(); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("got %v", err)
	}
	if err := n.Extend(0); err == nil {
		t.Error("a start was extended by nothing")
	}
}
