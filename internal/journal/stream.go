// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// Way is how messages are written. The zero value is plain text.
type Way int

// The ways.
const (
	Plain    Way = iota // a terminal or a file: for a person
	Prefixed            // a service whose stderr is another pipe: "<3>text", with the level for its reader
	Native              // stderr is the journal: entries with fields
)

// WayOf returns how messages should be written to stderr. stream is the value
// of JOURNAL_STREAM, "device:inode" of the journal's end of stderr
// (systemd.exec(5)); it is inherited, so it is only valid if it is still this
// stderr.
func WayOf(stderr *os.File, stream string) Way {
	info, err := stderr.Stat()
	if err != nil || stream == "" { // not a service: the pipe is read by a person
		return Plain
	}
	st := info.Sys().(*syscall.Stat_t) // on Linux it always is
	switch {
	case stream == fmt.Sprintf("%d:%d", st.Dev, st.Ino):
		return Native
	case info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) != 0:
		return Prefixed
	}
	return Plain
}

// Log writes messages in the way that suits stderr.
type Log struct {
	way    Way
	stderr io.Writer
	socket string
}

// NewLog returns a Log for stderr; stream is the value of JOURNAL_STREAM.
func NewLog(stderr *os.File, stream string) *Log {
	return &Log{way: WayOf(stderr, stream), stderr: stderr, socket: Socket}
}

// Way returns how messages are written.
func (l *Log) Way() Way { return l.way }

// Write writes one message, and gives journald a moment to read it, since the
// process may exit next. Fields are only written to the journal; a native entry
// that cannot be sent is written to stderr without them.
func (l *Log) Write(p Priority, message string, fields ...Field) error {
	if l.way == Native {
		if err := send(l.socket, taken, p, message, fields...); err == nil {
			return nil
		}
	}
	if l.way != Plain {
		message = prefix(p, message)
	}
	_, err := io.WriteString(l.stderr, message+"\n")
	return err
}

// prefix puts the level before every line (sd-daemon(3)).
func prefix(p Priority, message string) string {
	level := fmt.Sprintf("<%d>", int(p))
	return level + strings.ReplaceAll(message, "\n", "\n"+level)
}
