// SPDX-License-Identifier: Apache-2.0

// Package journal writes entries with custom fields to the systemd journal: the
// native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), and when to use it. It
// reads nothing and composes no messages.
//
// The generator links it, so it only uses system calls: go-systemd's journal
// package links net, prints an invalid field name to stderr and still sends the
// entry, adds fields in random order, and waits without limit for a journald
// that does not read. An entry that is too large for one datagram (about 200
// KiB) is rejected here; go-systemd's fallback, a file in /dev/shm, does not
// work in a unit with ProtectSystem=strict.
package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// Socket is where journald listens. It does not exist yet when the generators
// run at boot.
const Socket = "/run/systemd/journal/socket"

// sendTimeout is how long one entry may wait for room in journald's queue.
const sendTimeout = 250 * time.Millisecond

// Priority is a syslog level (syslog(3)).
type Priority int

// The levels that are used here.
const (
	Err     Priority = 3
	Warning Priority = 4
	Notice  Priority = 5
	Info    Priority = 6
	Debug   Priority = 7
)

// Field is one field of an entry. Journald accepts names of A-Z, 0-9 and _ that
// begin with a letter and have at most 64 characters; it silently drops other
// fields, so here they are errors.
type Field struct {
	Name, Value string
}

// Send sends one entry to the socket of journald, within a quarter of a
// second.
func Send(socket string, p Priority, message string, fields ...Field) error {
	return send(socket, 0, p, message, fields...)
}

// taken is how long a sender that may be about to exit waits until journald has
// processed its entry, normally a tenth of a millisecond. Journald reads the unit
// and the invocation from /proc: if the process has exited it finds neither,
// and journalctl -u does not show the entry.
const taken = 250 * time.Millisecond

func send(socket string, patience time.Duration, p Priority, message string, fields ...Field) error {
	entry, err := Encode(p, message, fields...)
	if err != nil {
		return err
	}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot write to the journal: %w", err)
	}
	defer func() { _ = syscall.Close(fd) }()
	room := syscall.NsecToTimeval(int64(sendTimeout))
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &room); err != nil {
		return fmt.Errorf("cannot write to the journal: %w", err)
	}
	to := &syscall.SockaddrUnix{Name: socket}
	err = syscall.Sendto(fd, entry, syscall.MSG_NOSIGNAL, to)
	for errors.Is(err, syscall.EINTR) {
		err = syscall.Sendto(fd, entry, syscall.MSG_NOSIGNAL, to)
	}
	if err != nil {
		return fmt.Errorf("cannot write to the journal: %w", err)
	}
	if patience > 0 {
		// journald ignores an empty datagram. Once it has read this one, it has processed the
		// entry before it, and not only taken it from the queue.
		_ = syscall.Sendto(fd, nil, syscall.MSG_NOSIGNAL|syscall.MSG_DONTWAIT, to)
	}
	for end := time.Now().Add(patience); unread(fd) && time.Now().Before(end); {
		time.Sleep(100 * time.Microsecond)
	}
	return nil
}

// unread reports whether sent data is still in the receiver's queue (SIOCOUTQ, unix(7)).
func unread(fd int) bool {
	var bytes int32
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&bytes))) //nolint:gosec // the kernel writes one int there
	return errno == 0 && bytes > 0
}

// Encode returns an entry in the wire format: MESSAGE and PRIORITY first, then
// fields in order.
func Encode(p Priority, message string, fields ...Field) ([]byte, error) {
	entry := appendField(nil, "MESSAGE", message)
	entry = appendField(entry, "PRIORITY", strconv.Itoa(int(p)))
	for _, f := range fields {
		if !validName(f.Name) {
			return nil, fmt.Errorf("cannot write field %q to the journal: not a field name", f.Name)
		}
		entry = appendField(entry, f.Name, f.Value)
	}
	return entry, nil
}

// appendField writes NAME=value, or, for a value of more than one line, the
// name, a newline, the length as 64 bits little-endian and the value, so that a
// newline in a value does not start another field.
func appendField(entry []byte, name, value string) []byte {
	entry = append(entry, name...)
	if strings.Contains(value, "\n") {
		entry = append(entry, '\n')
		entry = binary.LittleEndian.AppendUint64(entry, uint64(len(value)))
	} else {
		entry = append(entry, '=')
	}
	entry = append(entry, value...)
	return append(entry, '\n')
}

// validName is journald's journal_field_valid() without its trusted fields.
func validName(name string) bool {
	if name == "" || len(name) > 64 || name[0] < 'A' || name[0] > 'Z' {
		return false
	}
	for _, c := range []byte(name) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}
