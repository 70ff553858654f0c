// SPDX-License-Identifier: Apache-2.0

// Package systemd queries the service manager about units over D-Bus: it reads
// properties, and starts or stops a unit on request. It judges nothing.
//
// It uses godbus directly. go-systemd's dbus package opens two connections,
// authenticates without a deadline and does not recover from a restart of the
// bus; a gate must not hang on a bus that accepts a connection and never
// replies. Its escaping of bus names is used.
package systemd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"
)

var (
	// ErrNoSystemd means that systemd is not the service manager of this machine
	// (a container, another init): retrying is pointless.
	ErrNoSystemd = errors.New("systemd is not running here")
	// ErrUnreachable means that systemd is running but cannot be queried now: no
	// bus, a bus that does not reply, or a manager that does not answer in
	// time.
	ErrUnreachable = errors.New("systemd cannot be queried")
	// ErrNoUnit means that a process belongs to no unit.
	ErrNoUnit = errors.New("no unit owns the process")
	// ErrClosed means that Close was called before.
	ErrClosed = errors.New("the connection to systemd was closed")
)

// Deadlines of one connect and of one call, including a connect that it may
// need. A Get takes 0.2 to 0.4 ms; a daemon-reload keeps the manager from
// answering for about 0.1 s, a generator that hangs for up to 90 s.
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

	propertiesIface = "org.freedesktop.DBus.Properties"
)

// Conn queries one service manager. It reconnects automatically after a restart of the bus
// daemon. It is safe for concurrent use.
type Conn struct {
	doors []door
	// root is "" or the directory used as / when looking for
	// /run/systemd/system and /proc.
	root string
	// byBroker: justnews-mps.service is started through our own D-Bus service,
	// because systemd does not allow this user to.
	byBroker bool

	turn chan struct{} // holds one token, which protects what follows
	now  *link         // nil: not connected
	shut bool
}

// Open connects to the system bus, or to another address if the caller trusts
// one ("": none); root falls back to systemd's own socket if there is no bus.
// ctx only bounds connecting, at most 2 s: the connection lives until Close.
// The error wraps ErrNoSystemd or ErrUnreachable.
func Open(ctx context.Context, address string) (*Conn, error) {
	return New(address).opened(ctx)
}

// New returns a Conn that connects on its first use, as Open does.
func New(address string) *Conn { return newFor(os.Geteuid(), address) }

func newFor(euid int, address string) *Conn {
	c := newConn("", defaultDoors(euid, address))
	c.byBroker = euid != 0
	return c
}

// OpenAddress connects to the bus at a D-Bus address such as
// "unix:path=/run/dbus/system_bus_socket" only.
func OpenAddress(ctx context.Context, address string) (*Conn, error) {
	return open(ctx, "", []door{{address: address}})
}

func newConn(root string, doors []door) *Conn {
	return &Conn{doors: doors, root: root, turn: make(chan struct{}, 1)}
}

func open(ctx context.Context, root string, doors []door) (*Conn, error) {
	return newConn(root, doors).opened(ctx)
}

func (c *Conn) opened(ctx context.Context) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if _, err := c.link(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// defaultDoors lists the addresses of the manager, preferred ones first. Root
// uses no other address: otherwise anyone who can set a variable could choose who answers.
func defaultDoors(euid int, address string) []door {
	if euid == 0 {
		return []door{{address: busAddress}, {address: "unix:path=" + privateSocket, direct: true}}
	}
	return []door{{address: cmp.Or(address, busAddress)}}
}

// Close ends the connection; every later call fails with ErrClosed. It does nothing where
// there is none.
func (c *Conn) Close() {
	if c == nil {
		return
	}
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	c.shut = true
	if c.now != nil {
		c.now.close()
		c.now = nil
	}
}

// call makes one call and stores the reply in result. It returns within
// callTimeout. A call on a dead connection is repeated once over a new one,
// which is harmless since there are only reads.
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
			return keep(reply.Body, result)
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

// keep is dbus.Store, without its copy of a unit's properties by reflection.
func keep(body []any, result any) error {
	if props, ok := result.(*map[string]dbus.Variant); ok && len(body) == 1 {
		if all, ok := body[0].(map[string]dbus.Variant); ok {
			*props = all
			return nil
		}
	}
	return dbus.Store(body, result)
}

// explain turns an error reply into one of this package's errors.
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

// unreachable returns which of the two it is: no systemd at all, or one that
// does not answer. The test is that of sd_booted(3).
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

// Boot returns two times of this boot on the kernel's monotonic clock: when
// systemd had loaded its units, which is when the jobs of the boot are queued,
// and when the last of those jobs had ended, or 0 if it has not. A later
// daemon-reload changes neither.
func (c *Conn) Boot(ctx context.Context) (loaded, finished time.Duration, err error) {
	if loaded, err = c.moment(ctx, "UnitsLoadFinishTimestampMonotonic"); err == nil {
		finished, err = c.moment(ctx, "FinishTimestampMonotonic")
	}
	return loaded, finished, err
}

func (c *Conn) moment(ctx context.Context, property string) (time.Duration, error) {
	var v dbus.Variant
	if err := c.call(ctx, managerPath, propertiesIface+".Get", &v, managerIface, property); err != nil {
		return 0, fmt.Errorf("cannot ask for the time of the boot: %w", err)
	}
	usec, ok := v.Value().(uint64)
	if !ok {
		return 0, fmt.Errorf("cannot read property %s: type %s", property, v.Signature())
	}
	return timespan(usec), nil
}

// Units returns the names of the loaded units that match a pattern, sorted.
func (c *Conn) Units(ctx context.Context, pattern string) ([]string, error) {
	var rows [][]any
	if err := c.call(ctx, managerPath, managerIface+".ListUnitsByPatterns", &rows, []string{}, []string{pattern}); err != nil {
		return nil, fmt.Errorf("cannot list the units %s: %w", pattern, err)
	}
	var names []string
	for _, row := range rows {
		if len(row) > 0 {
			if name, ok := row[0].(string); ok {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}
