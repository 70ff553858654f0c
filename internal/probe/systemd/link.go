// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// door is one address at which the manager can be reached.
type door struct {
	address string // a D-Bus server address
	direct  bool   // systemd itself listens there, not a bus daemon: no Hello
}

// link is one live connection.
type link struct {
	conn *dbus.Conn
	sock *net.UnixConn
}

// link returns the live connection, or creates one, within ctx.
func (c *Conn) link(ctx context.Context) (*link, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, c.unreachable(ctx.Err())
	}
	if c.shut {
		return nil, ErrClosed
	}
	if c.now != nil && c.now.conn.Connected() {
		return c.now, nil
	}
	var errs []error
	for _, d := range c.doors {
		l, err := d.open(ctx)
		if err == nil {
			c.now = l
			return l, nil
		}
		errs = append(errs, err)
	}
	return nil, c.unreachable(errors.Join(errs...))
}

// drop closes a connection that did not answer, so that late replies do not
// count against the bus's limit of pending ones.
func (c *Conn) drop(l *link) {
	l.close()
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	if c.now == l {
		c.now = nil
	}
}

// open connects, authenticates and says Hello, all before ctx ends. The
// connection outlives ctx.
func (d door) open(ctx context.Context) (*link, error) {
	var errs []error
	for address := range strings.SplitSeq(d.address, ";") {
		l, err := d.openOne(ctx, address)
		if err == nil {
			return l, nil
		}
		errs = append(errs, fmt.Errorf("cannot connect to %s: %w", address, err))
	}
	return nil, errors.Join(errs...)
}

func (d door) openOne(ctx context.Context, address string) (*link, error) {
	name, err := socketName(address)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	plain, err := dialer.DialContext(ctx, "unix", name)
	if err != nil {
		return nil, err
	}
	sock := plain.(*net.UnixConn)
	// godbus reads the handshake without a deadline.
	release := context.AfterFunc(ctx, func() { _ = sock.SetDeadline(time.Unix(1, 0)) })
	defer release()
	// Without file descriptors, which nothing here returns.
	conn, err := dbus.NewConn(sock)
	if err != nil {
		_ = sock.Close()
		return nil, err
	}
	l := &link{conn, sock}
	if err := d.greet(ctx, conn); err != nil {
		l.close()
		return nil, err
	}
	if !release() {
		l.close()
		return nil, ctx.Err()
	}
	return l, nil
}

func (d door) greet(ctx context.Context, conn *dbus.Conn) error {
	// By number, since a name would have to be looked up.
	if err := conn.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Geteuid()))}); err != nil {
		return err
	}
	if d.direct {
		return wake(ctx, conn)
	}
	return conn.Hello()
}

// wake makes sure that systemd listens on its own socket. A first message that
// arrives there together with the end of the authentication stays in systemd's
// buffer until another one comes (measured with 252: most first calls were
// never answered), so it is called repeatedly.
func wake(ctx context.Context, conn *dbus.Conn) error {
	for patience := 2 * time.Millisecond; ; patience *= 2 {
		short, cancel := context.WithTimeout(ctx, patience)
		err := conn.Object(destination, managerPath).CallWithContext(short, "org.freedesktop.DBus.Peer.Ping", 0).Err
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return err
		}
	}
}

// socketName reads one D-Bus address. Only local sockets are accepted: unixexec
// would start a program and tcp would use the network.
func socketName(address string) (string, error) {
	rest, ok := strings.CutPrefix(address, "unix:")
	if !ok {
		return "", errors.New("not a unix socket")
	}
	for pair := range strings.SplitSeq(rest, ",") {
		key, value, _ := strings.Cut(pair, "=")
		if key != "path" && key != "abstract" {
			continue
		}
		name, err := dbus.UnescapeBusAddressValue(value)
		switch {
		case err != nil:
			return "", err
		case name == "":
			return "", errors.New("an empty socket name")
		case key == "abstract":
			return "@" + name, nil
		case name[0] != '/':
			return "", errors.New("a relative socket name")
		default:
			return name, nil
		}
	}
	return "", errors.New("no path in the address")
}

// ask makes one method call and waits for its reply or the end of ctx.
func (l *link) ask(ctx context.Context, path dbus.ObjectPath, method string, args ...any) *dbus.Call {
	// A peer that stops reading fills the socket, so the write must be bounded
	// too.
	if deadline, ok := ctx.Deadline(); ok {
		_ = l.sock.SetWriteDeadline(deadline)
	}
	// NoAutoStart: a bus without systemd must not try to start one.
	return l.conn.Object(destination, path).CallWithContext(ctx, method, dbus.FlagNoAutoStart, args...)
}

// close first unblocks a writer that is stuck on the socket, since godbus waits
// for it.
func (l *link) close() {
	_ = l.sock.Close()
	_ = l.conn.Close()
}
