// SPDX-License-Identifier: Apache-2.0

// Package systemd asks the service manager about units over D-Bus: it reads
// properties, and starts or stops a unit where it is told to. It judges nothing.
//
// It speaks godbus directly. go-systemd's dbus package opens two connections,
// authenticates without a deadline and never comes back from a restart of the
// bus; a gate must not hang on a bus that accepts and then stays silent. What
// go-systemd knows about names on the bus is used from there.
package systemd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/godbus/dbus/v5"
)

var (
	// ErrNoSystemd says that systemd is not the service manager of this
	// machine (a container, another init): asking again is of no use.
	ErrNoSystemd = errors.New("systemd does not run here")
	// ErrUnreachable says that systemd runs but can't be asked now: no bus,
	// a bus that is silent, or a manager that does not answer in time.
	ErrUnreachable = errors.New("systemd cannot be asked")
	// ErrNoUnit says that a process belongs to no unit.
	ErrNoUnit = errors.New("no unit owns the process")
	// ErrClosed says that Close was called before.
	ErrClosed = errors.New("the connection to systemd was closed")
)

// Deadlines of one connect and of one call, the connect it may need included.
// A Get takes 0.2 to 0.4 ms; a daemon-reload keeps the manager from answering
// for about 0.1 s, a generator that hangs for up to 90 s.
const (
	connectTimeout = 2 * time.Second
	callTimeout    = 2 * time.Second
)

const (
	busAddress    = "unix:path=/run/dbus/system_bus_socket"
	privateSocket = "/run/systemd/private" // root only; answers without a bus daemon
	destination   = "org.freedesktop.systemd1"
	managerPath   = dbus.ObjectPath("/org/freedesktop/systemd1")
	managerIface  = "org.freedesktop.systemd1.Manager"
)

// Conn asks one service manager. It connects again by itself after the bus
// daemon was restarted. Many goroutines may use it at once.
type Conn struct {
	doors []door
	// root is "" or the directory that stands for / when looking for
	// /run/systemd/system and /proc.
	root string
	// byBroker: a start of justnews-mps.service is asked of our own D-Bus
	// service, because systemd does not take it from this user.
	byBroker bool

	turn chan struct{} // holds one token: whoever has it may change what follows
	now  *link         // nil: not connected
	shut bool
}

// Open connects to the system bus, at another address where the caller believes
// one ("": none); root falls back to systemd's own socket where there is no bus.
// ctx bounds only the connecting, at most 2 s: the
// connection lives until Close. The error wraps ErrNoSystemd or
// ErrUnreachable.
func Open(ctx context.Context, address string) (*Conn, error) {
	c, err := open(ctx, "", defaultDoors(os.Geteuid(), address))
	if err == nil {
		c.byBroker = os.Geteuid() != 0
	}
	return c, err
}

// New returns a Conn that connects when it is first asked, as Open does.
func New(address string) *Conn {
	return newConn("", defaultDoors(os.Geteuid(), address))
}

// OpenAddress connects to the bus at a D-Bus address such as
// "unix:path=/run/dbus/system_bus_socket" and to nothing else.
func OpenAddress(ctx context.Context, address string) (*Conn, error) {
	return open(ctx, "", []door{{address: address}})
}

func newConn(root string, doors []door) *Conn {
	return &Conn{doors: doors, root: root, turn: make(chan struct{}, 1)}
}

func open(ctx context.Context, root string, doors []door) (*Conn, error) {
	c := newConn(root, doors)
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if _, err := c.link(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// defaultDoors lists where the manager can be reached, best first. What runs
// as root takes no other address: whoever could set a variable
// would choose who answers.
func defaultDoors(euid int, address string) []door {
	if euid == 0 {
		return []door{{address: busAddress}, {address: "unix:path=" + privateSocket, direct: true}}
	}
	if address == "" {
		address = busAddress
	}
	return []door{{address: address}}
}

// Close ends the connection; every later call fails with ErrClosed.
func (c *Conn) Close() {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	c.shut = true
	if c.now != nil {
		c.now.close()
		c.now = nil
	}
}

// call asks one question and stores the answer in result. It returns within
// callTimeout. A question that met a dead connection is asked once more over a
// fresh one: only reads are asked here, so asking twice does no harm.
func (c *Conn) call(ctx context.Context, path dbus.ObjectPath, method string, result any, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var err error
	for range 2 {
		var l *link
		if l, err = c.link(ctx); err != nil {
			return err
		}
		reply := l.ask(ctx, path, method, args...)
		if err = reply.Err; err == nil {
			return reply.Store(result)
		}
		if _, answered := errors.AsType[dbus.Error](err); answered {
			return c.explain(err)
		}
		c.drop(l)
		if ctx.Err() != nil {
			break
		}
	}
	return c.unreachable(err)
}

// explain turns an answer that is an error into one of this package's words.
func (c *Conn) explain(err error) error {
	e, _ := errors.AsType[dbus.Error](err)
	switch e.Name {
	case "org.freedesktop.DBus.Error.ServiceUnknown",
		"org.freedesktop.DBus.Error.NameHasNoOwner",
		"org.freedesktop.DBus.Error.NoReply",
		"org.freedesktop.DBus.Error.Disconnected":
		// A bus without systemd on it, or a manager that just re-executes.
		return c.unreachable(err)
	case destination + ".NoUnitForPID":
		return fmt.Errorf("%w: %w", ErrNoUnit, err)
	}
	return fmt.Errorf("%s: %w", e.Name, err)
}

// unreachable says which of the two it is: no systemd at all, or none that
// answers. The test is sd_booted(3)'s.
func (c *Conn) unreachable(err error) error {
	if !booted(c.root) {
		return fmt.Errorf("%w: %w", ErrNoSystemd, err)
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}

// Booted reports whether systemd is the service manager of this machine
// (sd_booted(3)).
func Booted() bool { return booted("/") }

func booted(root string) bool {
	info, err := os.Lstat(filepath.Join(root, "/run/systemd/system"))
	return err == nil && info.IsDir()
}
