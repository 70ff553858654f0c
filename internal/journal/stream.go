// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// Way is how messages leave a process. The zero value is plain text.
type Way int

// The ways.
const (
	Plain    Way = iota // a terminal or a file: for a person
	Prefixed            // a service whose stderr is another pipe: "<3>text", the level for whoever collects it
	Native              // stderr is the journal: entries with fields
)

// WayOf tells how messages should leave through stderr. stream is the value of
// JOURNAL_STREAM, "device:inode" of the journal's end of stderr (systemd.exec(5));
// it is inherited, so it means something only where it is still this stderr.
func WayOf(stderr *os.File, stream string) Way {
	conn, err := stderr.SyscallConn()
	if err != nil {
		return Plain
	}
	var st syscall.Stat_t
	var failed error
	if err := conn.Control(func(fd uintptr) { failed = syscall.Fstat(int(fd), &st) }); err != nil || failed != nil {
		return Plain
	}
	if stream != "" && stream == fmt.Sprintf("%d:%d", st.Dev, st.Ino) {
		return Native
	}
	if stream == "" {
		return Plain // no service: whoever reads that pipe is a person
	}
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFIFO, syscall.S_IFSOCK:
		return Prefixed
	default:
		return Plain
	}
}

// Log writes messages the way that fits stderr.
type Log struct {
	way    Way
	stderr io.Writer
	socket string
}

// NewLog returns a Log for stderr; stream is the value of JOURNAL_STREAM.
func NewLog(stderr *os.File, stream string) *Log {
	return &Log{way: WayOf(stderr, stream), stderr: stderr, socket: Socket}
}

// Way returns how the messages leave.
func (l *Log) Way() Way { return l.way }

// Write writes one message, and gives journald a moment to take it: the process
// may end with its next step. Fields reach the journal only; a native entry that
// can't be sent goes to stderr, where the journal takes it without them.
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
