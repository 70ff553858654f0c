// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// decode reads an entry as the protocol's documentation says, independently of Encode.
func decode(t *testing.T, entry []byte) []Field {
	t.Helper()
	var fields []Field
	for len(entry) > 0 {
		line, rest, ok := bytes.Cut(entry, []byte("\n"))
		if !ok {
			t.Fatalf("a field without an end: %q", entry)
		}
		if name, value, ok := bytes.Cut(line, []byte("=")); ok {
			fields, entry = append(fields, Field{string(name), string(value)}), rest
			continue
		}
		size := binary.LittleEndian.Uint64(rest)
		value := rest[8 : 8+size]
		if rest[8+size] != '\n' {
			t.Fatalf("no newline after the value of %s", line)
		}
		fields, entry = append(fields, Field{string(line), string(value)}), rest[8+size+1:]
	}
	return fields
}

func check(t *testing.T, message string, p Priority, given ...Field) {
	t.Helper()
	entry, err := Encode(p, message, given...)
	if err != nil {
		t.Fatal(err)
	}
	want := append([]Field{{"MESSAGE", message}, {"PRIORITY", fmt.Sprint(int(p))}}, given...)
	if got := decode(t, entry); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestJournal_EncodedEntriesAreReadBack(t *testing.T) {
	check(t, "pass", Info)
	check(t, "", Err, Field{"JUSTNEWS_CODE", ""})
	check(t, "two\nlines", Warning, Field{"JUSTNEWS_INSTANCE", "scout"}, Field{"EVIDENCE", "a\n\nb\n"})
	check(t, "a=b", Debug, Field{"MESSAGE_ID", "00112233445566778899aabbccddeeff"})
}

func TestJournal_NewlineCannotInjectAField(t *testing.T) {
	entry, err := Encode(Err, "bad\nPRIORITY=7\nUNIT=other", Field{"A", "x\nB=y"})
	if err != nil {
		t.Fatal(err)
	}
	if got := decode(t, entry); len(got) != 3 || got[1].Value != "3" || got[2].Name != "A" {
		t.Errorf("got %q", got)
	}
}

func FuzzEncode(f *testing.F) {
	f.Add("two\nlines", "JUSTNEWS_CODE", "a=b\n")
	f.Add("", "A", "\x00\xff\n\n")
	f.Fuzz(func(t *testing.T, message, name, value string) {
		if !validName(name) {
			if _, err := Encode(Err, message, Field{name, value}); err == nil {
				t.Errorf("field name %q was taken", name)
			}
			return
		}
		check(t, message, Err, Field{name, value})
	})
}

func TestJournal_InvalidFieldNameIsRefused(t *testing.T) {
	for _, name := range []string{"", "_PID", "lower", "A-B", "1A", "A=B", "A\nB", strings.Repeat("A", 65), "É"} {
		if _, err := Encode(Err, "x", Field{name, "y"}); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
}

// journald is a real socket that takes entries.
func journald(t *testing.T) (string, func() []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "socket")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return path, func() []byte {
		t.Helper()
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 1<<16)
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("nothing arrived: %v", err)
		}
		return buf[:n]
	}
}

func TestJournal_EntryArrivesAsOneDatagram(t *testing.T) {
	path, next := journald(t)
	if err := Send(path, Err, "refused", Field{"JUSTNEWS_CODE", "MODEL-FAILED"}); err != nil {
		t.Fatal(err)
	}
	if got, want := string(next()), "MESSAGE=refused\nPRIORITY=3\nJUSTNEWS_CODE=MODEL-FAILED\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestJournal_UnresponsiveJournalIsAnErrorSoon(t *testing.T) {
	if err := Send(filepath.Join(t.TempDir(), "none"), Err, "x"); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("no journald: %v", err)
	}
	path, _ := journald(t)
	if err := Send(path, Err, strings.Repeat("x", 1<<20)); !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("an entry of 1 MiB: %v, want EMSGSIZE", err)
	}
	var err error
	for range 2000 {
		if err = Send(path, Err, "x"); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("a journald that does not read: %v, want EAGAIN", err)
	}
}

// pipe returns both ends and the first one's JOURNAL_STREAM.
func pipe(t *testing.T) (r, w *os.File, stream string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	info, err := w.Stat()
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	return r, w, fmt.Sprintf("%d:%d", st.Dev, st.Ino)
}

func TestJournal_DestinationFollowsStderr(t *testing.T) {
	_, w, stream := pipe(t)
	file, err := os.Create(filepath.Join(t.TempDir(), "err.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	closed, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for _, tt := range []struct {
		what   string
		stderr *os.File
		stream string
		want   Way
	}{
		{"the journal", w, stream, Native},
		{"a pipe in a unit whose journal is elsewhere", w, "8:1234", Prefixed},
		{"a pipe of a person", w, "", Plain},
		{"a malformed JOURNAL_STREAM", w, stream + "x", Prefixed},
		{"a file", file, "", Plain},
		{"a file with another's JOURNAL_STREAM", file, stream, Plain},
		{"a character device", null, stream, Plain},
		{"a closed stderr", closed, stream, Plain},
	} {
		if got := WayOf(tt.stderr, tt.stream); got != tt.want {
			t.Errorf("%s: way %d, want %d", tt.what, got, tt.want)
		}
	}
}

func TestJournal_LogUsesTheJournalAndFallsBackToStderr(t *testing.T) {
	path, next := journald(t)
	var stderr bytes.Buffer
	l := &Log{way: Native, stderr: &stderr, socket: path}
	if err := l.Write(Notice, "hello", Field{"A", "1"}); err != nil {
		t.Fatal(err)
	}
	if got := decode(t, next()); len(got) != 3 || stderr.Len() != 0 {
		t.Errorf("journal %q, stderr %q", got, stderr.String())
	}
	l.socket = path + "x"
	if err := l.Write(Err, "two\nlines", Field{"A", "1"}); err != nil {
		t.Fatal(err)
	}
	if got, want := stderr.String(), "<3>two\n<3>lines\n"; got != want {
		t.Errorf("without journald: %q, want %q", got, want)
	}
	stderr.Reset()
	if err := (&Log{stderr: &stderr}).Write(Err, "plain"); err != nil || stderr.String() != "plain\n" {
		t.Errorf("for a person: %q, %v", stderr.String(), err)
	}
}

func TestJournal_NativeMessageWaitsForTheReceiver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	journald, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = journald.Close() })
	read := make(chan struct{})
	go func() {
		defer close(read)
		for _, empty := range []bool{false, true} { // what follows an entry shows that it was processed
			if n, err := journald.Read(make([]byte, 4096)); err != nil || (n == 0) != empty {
				t.Errorf("a datagram of %d bytes, %v", n, err)
			}
		}
	}()
	l := &Log{way: Native, stderr: io.Discard, socket: path}
	if err := l.Write(Info, "pass"); err != nil {
		t.Fatal(err)
	}
	<-read
	// Nothing reads any more: the message is dropped after a while.
	began := time.Now()
	if err := l.Write(Info, "pass"); err != nil {
		t.Fatal(err)
	}
	if waited := time.Since(began); waited < taken {
		t.Errorf("a message that nobody took was waited for %v, want %v", waited, taken)
	}
}
