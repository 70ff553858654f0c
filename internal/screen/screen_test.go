// SPDX-License-Identifier: Apache-2.0

package screen

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"justnews/test/pty"
)

func TestScreen_TerminalIsRestored(t *testing.T) {
	p := pty.Open(t, 80, 24)
	before := p.Settings(t)
	s, err := Open(p.Terminal, p.Terminal)
	if err != nil {
		t.Fatal(err)
	}
	if columns, rows := s.Size(); columns != 80 || rows != 24 {
		t.Errorf("%d x %d", columns, rows)
	}
	if now := p.Settings(t); now.Lflag&(unix.ECHO|unix.ICANON|unix.ISIG) != 0 {
		t.Errorf("keys are shown, gathered into lines or made signals: %#x", now.Lflag)
	}
	p.WaitFor(t, enter)
	p.Type(t, "x\x03")
	for _, want := range []byte{'x', 3} {
		if key := <-s.Keys(); key != want {
			t.Errorf("got key %d, want %d", key, want)
		}
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	p.WaitFor(t, leave)
	if n := strings.Count(p.Text(), leave); n != 1 {
		t.Errorf("given back %d times", n)
	}
	if now := p.Settings(t); now != before {
		t.Errorf("the settings are %+v, were %+v", now, before)
	}
	if _, open := <-s.Keys(); open {
		t.Error("keys arrive after the end")
	}
}

// What was typed for the next prompt is not lost.
func TestScreen_NoKeyIsReadAfterTheEnd(t *testing.T) {
	p := pty.Open(t, 80, 24)
	s, err := Open(p.Terminal, p.Terminal)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	<-s.Keys()
	p.Type(t, "ls\n")
	buffer := make([]byte, 16)
	if n, err := p.Terminal.Read(buffer); err != nil || string(buffer[:n]) != "ls\n" {
		t.Errorf("%q, %v", buffer[:n], err)
	}
}

func TestScreen_FrameReplacesThePreviousOne(t *testing.T) {
	got := frame([]string{"one", "two"})
	if want := "\x1b[Hone\x1b[0m\x1b[K\r\ntwo\x1b[0m\x1b[K\x1b[J"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if strings.Contains(got, "\x1b[2J") {
		t.Error("a frame clears the screen first: that flickers")
	}
}

func TestScreen_DrawsNoMoreRowsThanTheTerminalHas(t *testing.T) {
	p := pty.Open(t, 80, 3)
	s, err := Open(p.Terminal, p.Terminal)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Draw([]string{"a1", "a2", "a3", "a4"}); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	p.WaitFor(t, leave)
	if text := p.Text(); !strings.Contains(text, "a3") || strings.Contains(text, "a4") {
		t.Errorf("%q", text)
	}
}

func TestScreen_KeysEndWithTheTerminal(t *testing.T) {
	p := pty.Open(t, 80, 24)
	s, err := Open(p.Terminal, p.Terminal)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Person.Close(); err != nil {
		t.Fatal(err)
	}
	if _, open := <-s.Keys(); open {
		t.Error("a key came from nowhere")
	}
	_ = s.Close() // the terminal is gone: nothing to give back
}

func TestScreen_OnlyATerminalIsAccepted(t *testing.T) {
	p := pty.Open(t, 80, 24)
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for _, pair := range [][2]*os.File{{file, p.Terminal}, {p.Terminal, file}} {
		if _, err := Open(pair[0], pair[1]); !errors.Is(err, errNoTerminal) {
			t.Error(err)
		}
	}
}
