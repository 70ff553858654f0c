// SPDX-License-Identifier: Apache-2.0

// Package notify reports the progress of a start to systemd: sd_notify(3) for
// the two assignments that a gate needs, STATUS= and EXTEND_TIMEOUT_USEC=. It
// never sends READY=1, which is up to the service.
//
// go-systemd's SdNotify has no deadline: while the manager is busy (a generator
// that hangs keeps it so for 90 s) the queue of its socket fills and a sender
// blocks. Here a datagram that cannot be sent in time is dropped.
package notify

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"
)

// sendTimeout is how long one datagram may wait for room in the queue.
const sendTimeout = 250 * time.Millisecond

// maxStatus keeps a datagram well below the 4,096 bytes (NOTIFY_BUFFER_MAX)
// beyond which systemd ignores it.
const maxStatus = 2048

// Notifier sends to one service manager. The zero value does nothing.
type Notifier struct {
	socket string
}

// New reads NOTIFY_SOCKET: a path, or an abstract name behind "@". Without it,
// and with the vsock addresses of virtual machines, the result does nothing.
func New() Notifier {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" || socket[0] != '/' && socket[0] != '@' {
		return Notifier{}
	}
	return Notifier{socket: socket}
}

// Active reports whether anything is sent.
func (n Notifier) Active() bool { return n.socket != "" }

// Status sets the unit's status text, which systemctl status shows. Control
// characters, especially newlines (each would start another assignment), are
// replaced by spaces; a text above 2,048 bytes is truncated.
func (n Notifier) Status(text string) error {
	return n.send("STATUS=" + oneLine(text))
}

// Clear removes the status text. It would stay with the running service
// otherwise.
func (n Notifier) Clear() error { return n.send("STATUS=") }

// Extend asks systemd to let the start run for d from now on. A daemon-reload
// forgets it, so it has to be repeated.
func (n Notifier) Extend(d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("cannot extend the start by %v", d)
	}
	return n.send("EXTEND_TIMEOUT_USEC=" + strconv.FormatInt(d.Microseconds(), 10))
}

// oneLine returns text as one line of UTF-8; systemd ignores a status that is
// not.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) <= maxStatus {
		return text
	}
	cut := maxStatus - len("…")
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// send sends one datagram. NotifyAccess=exec only accepts it from the control
// process, by the credentials from the kernel.
func (n Notifier) send(state string) error {
	if n.socket == "" {
		return nil
	}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot notify systemd: %w", err)
	}
	defer func() { _ = syscall.Close(fd) }()
	patience := syscall.NsecToTimeval(int64(sendTimeout))
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &patience); err != nil {
		return fmt.Errorf("cannot notify systemd: %w", err)
	}
	to := &syscall.SockaddrUnix{Name: n.socket}
	err = syscall.Sendto(fd, []byte(state), syscall.MSG_NOSIGNAL, to)
	for errors.Is(err, syscall.EINTR) {
		err = syscall.Sendto(fd, []byte(state), syscall.MSG_NOSIGNAL, to)
	}
	if err != nil {
		return fmt.Errorf("cannot notify systemd at %s: %w", n.socket, err)
	}
	return nil
}
