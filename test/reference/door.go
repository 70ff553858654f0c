// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"net"
	"sync"
)

// door is the listener of one life. It tracks every connection, including hijacked ones, so
// that all of them end with the process.
type door struct {
	net.Listener
	server *Server
	gone   chan struct{} // closed when the life ends

	mu   sync.Mutex
	open map[*conn]struct{}
	shut bool
}

type conn struct {
	net.Conn
	door *door
	once sync.Once
}

func newDoor(l net.Listener, s *Server, gone chan struct{}) *door {
	return &door{Listener: l, server: s, gone: gone, open: map[*conn]struct{}{}}
}

// Accept returns the next connection, unless the server has to hang or reset there.
func (d *door) Accept() (net.Conn, error) {
	for {
		tcp, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: tcp, door: d}
		if !d.enter(c) {
			_ = tcp.Close()
			continue
		}
		if d.turned(resetAccept) {
			linger0(tcp)
			_ = c.Close()
			continue
		}
		d.hang()
		return c, nil
	}
}

// hang keeps a connection, and all later ones, unaccepted while hang-accept is in force.
func (d *door) hang() {
	for {
		changed := d.server.conduct.changes()
		if _, on := d.server.conduct.value(hangAccept); !on {
			return
		}
		select {
		case <-changed:
		case <-d.gone:
			return
		}
	}
}

func (d *door) turned(name string) (hit bool) {
	d.server.conduct.take("", func(s *spec) bool { return s.Name == name }, func(*spec) { hit = true })
	return hit
}

func (d *door) enter(c *conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return false
	}
	d.open[c] = struct{}{}
	d.server.ledger.connection(+1)
	return true
}

// slam closes the port and every connection.
func (d *door) slam() {
	_ = d.Close()
	d.mu.Lock()
	d.shut = true
	left := make([]*conn, 0, len(d.open))
	for c := range d.open {
		left = append(left, c)
	}
	d.mu.Unlock()
	for _, c := range left {
		_ = c.Close()
	}
}

// Close closes the connection and stops tracking it.
func (c *conn) Close() error {
	c.once.Do(func() {
		c.door.mu.Lock()
		delete(c.door.open, c)
		c.door.mu.Unlock()
		c.door.server.ledger.connection(-1)
	})
	return c.Conn.Close()
}
