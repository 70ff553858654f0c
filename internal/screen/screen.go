// SPDX-License-Identifier: Apache-2.0

// Package screen draws complete frames in place on a terminal and returns the
// keys that are pressed. It always restores the terminal; it does not know what
// it draws.
package screen

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// errNoTerminal means that input or output is not a terminal.
var errNoTerminal = errors.New("standard input and output are not both a terminal")

// Control sequences of every terminal since the VT100; those with a question
// mark are ignored if unknown.
const (
	enter = "\x1b[?1049h" + "\x1b[?25l" + "\x1b[?7l" + "\x1b[H\x1b[2J" // alternate screen, no cursor, no line wrap
	leave = "\x1b[0m" + "\x1b[?7h" + "\x1b[?25h" + "\x1b[?1049l"
	home  = "\x1b[H"
	erase = "\x1b[0m\x1b[K" // to the end of the line
	below = "\x1b[J"        // everything under the cursor
)

// Screen is a terminal in raw mode. Close restores it.
type Screen struct {
	in, out *os.File
	before  unix.Termios
	keys    chan byte
	resized chan os.Signal
	stop    *os.File      // closed to end the reader
	done    chan struct{} // closed when keys are no longer read
	close   sync.Once
	closed  error
}

// Open takes over the terminal at in and out: keys arrive one by one and are
// not echoed, and ^C is an ordinary key. The error wraps errNoTerminal if one
// of them is not a terminal.
func Open(in, out *os.File) (*Screen, error) {
	if !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		return nil, errNoTerminal
	}
	before, err := unix.IoctlGetTermios(int(in.Fd()), unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("cannot read the terminal's settings: %w", err)
	}
	wake, stop, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("cannot read keys: %w", err)
	}
	s := &Screen{in: in, out: out, before: *before, keys: make(chan byte), resized: make(chan os.Signal, 1), stop: stop, done: make(chan struct{})}
	now := *before
	now.Lflag &^= unix.ECHO | unix.ICANON | unix.ISIG | unix.IEXTEN
	now.Cc[unix.VMIN], now.Cc[unix.VTIME] = 0, 0 // a read never waits: poll does
	if err := unix.IoctlSetTermios(int(in.Fd()), unix.TCSETS, &now); err != nil {
		_, _ = wake.Close(), stop.Close()
		return nil, fmt.Errorf("cannot set the terminal: %w", err)
	}
	go s.read(wake)
	signal.Notify(s.resized, unix.SIGWINCH)
	if _, err := out.WriteString(enter); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot draw: %w", err), s.Close())
	}
	return s, nil
}

// Keys returns what is typed. It is closed when the terminal is gone.
func (s *Screen) Keys() <-chan byte { return s.keys }

// Resized signals that the size of the terminal has changed.
func (s *Screen) Resized() <-chan os.Signal { return s.resized }

// Size returns columns and rows, 80 and 24 if unknown.
func (s *Screen) Size() (columns, rows int) {
	columns, rows, err := term.GetSize(int(s.out.Fd()))
	if err != nil || columns <= 0 || rows <= 0 {
		return 80, 24
	}
	return columns, rows
}

// Draw replaces the frame in one write, so that unchanged parts do not flicker.
// Lines beyond the last row are left out; long lines are truncated by the
// terminal.
func (s *Screen) Draw(lines []string) error {
	_, rows := s.Size()
	_, err := s.out.WriteString(frame(lines[:min(len(lines), rows)]))
	return err
}

func frame(lines []string) string {
	var b strings.Builder
	b.WriteString(home)
	for i, line := range lines {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(line + erase)
	}
	return b.String() + below
}

// Close restores the terminal; a second call has no effect.
func (s *Screen) Close() error {
	s.close.Do(func() {
		close(s.done)
		signal.Stop(s.resized)
		_, err := s.out.WriteString(leave)
		s.closed = errors.Join(err, unix.IoctlSetTermios(int(s.in.Fd()), unix.TCSETS, &s.before), s.stop.Close())
		for range s.keys { // until the reader has ended: the file is the caller's again
		}
	})
	return s.closed
}

// read returns keys until Close. It never reads beyond that: what is typed
// later is for the shell.
func (s *Screen) read(wake *os.File) {
	defer close(s.keys)
	defer func() { _ = wake.Close() }()
	in := int(s.in.Fd())
	fds := []unix.PollFd{{Fd: int32(in), Events: unix.POLLIN}, {Fd: int32(wake.Fd())}} //nolint:gosec // a file descriptor
	for {
		if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		if fds[1].Revents != 0 {
			return
		}
		if fds[0].Revents == 0 {
			continue
		}
		var key [1]byte
		n, err := unix.Read(in, key[:])
		switch {
		case n == 1 && err == nil:
			select {
			case s.keys <- key[0]:
			case <-s.done:
				return
			}
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
		case err != nil, fds[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0:
			return
		}
	}
}
