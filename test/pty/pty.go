// SPDX-License-Identifier: Apache-2.0

// Package pty opens pseudo-terminals, for tests of programs that draw on a terminal.
package pty

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Pty is both ends of a pseudo-terminal: the person's, and the program's terminal.
type Pty struct {
	Person   *os.File
	Terminal *os.File

	mu   sync.Mutex
	news *sync.Cond
	text strings.Builder
	gone bool
}

// Open creates one with the given columns and rows, and reads everything that is drawn.
func Open(t testing.TB, columns, rows uint16) *Pty {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("there are no pseudo-terminals: ", err)
	}
	number, err := unlock(person, columns, rows)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &Pty{Person: person, Terminal: terminal}
	p.news = sync.NewCond(&p.mu)
	go p.read()
	t.Cleanup(func() { _, _ = p.Person.Close(), p.Terminal.Close() })
	return p
}

// unlock makes the other end ready and returns its number. Fd() would make
// person block, and a Close of it then wait for a Read.
func unlock(person *os.File, columns, rows uint16) (number int, err error) {
	conn, err := person.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = conn.Control(func(fd uintptr) {
		number, failed = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		failed = errors.Join(failed, unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0),
			unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}))
	})
	return number, errors.Join(err, failed)
}

func (p *Pty) read() {
	buffer := make([]byte, 4096)
	for {
		n, err := p.Person.Read(buffer)
		p.mu.Lock()
		p.text.Write(buffer[:n])
		p.gone = err != nil
		p.news.Broadcast()
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Text returns everything that was drawn so far.
func (p *Pty) Text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// WaitFor waits until something was drawn.
func (p *Pty) WaitFor(t testing.TB, what string) {
	t.Helper()
	late := time.AfterFunc(30*time.Second, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.gone = true
		p.news.Broadcast()
	})
	defer late.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for !strings.Contains(p.text.String(), what) {
		if p.gone {
			text := p.text.String()
			t.Fatalf("%q was never drawn; what was:\n%q", what, text[:min(len(text), 4000)])
		}
		p.news.Wait()
	}
}

// Type presses keys.
func (p *Pty) Type(t testing.TB, keys string) {
	t.Helper()
	if _, err := p.Person.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// Settings returns the terminal's settings.
func (p *Pty) Settings(t testing.TB) unix.Termios {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(p.Terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *settings
}
