// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"justnews/internal/facts"
)

// wire is a connection with the facts about the socket at its other end.
type wire struct {
	net.Conn
	look           func(server, client netip.AddrPort) facts.Server
	server, client netip.AddrPort
	found          facts.Server
}

// newWire looks it up as soon as the connection is established: a server may
// close it with its answer, and the kernel then no longer knows the socket.
func newWire(c net.Conn, look func(server, client netip.AddrPort) facts.Server) *wire {
	w := &wire{Conn: c, look: look, server: addrPort(c.RemoteAddr()), client: addrPort(c.LocalAddr())}
	w.found = look(w.server, w.client)
	return w
}

// end returns the facts about the other end. The control group is that of the
// listening socket, the owner that of the process that accepted the connection,
// which must have happened once there is an answer.
func (w *wire) end() facts.Server {
	if w == nil {
		return facts.Server{}
	}
	if !w.found.Accepted {
		now := w.look(w.server, w.client)
		if now.Accepted {
			w.found.UID, w.found.Accepted = now.UID, true
		}
		if w.found.Group == 0 {
			w.found.Group = now.Group
		}
	}
	return w.found
}

func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	at := tcp.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// dial connects to addr. The name localhost is 127.0.0.1, then ::1, without a
// resolver: RFC 6761 does not allow using one, and a changed /etc/hosts must
// not send a gate's requests elsewhere. All other names are resolved as they
// are in the URL.
func dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	host, port, err := net.SplitHostPort(addr)
	if err != nil || !isLocalhost(host) {
		return d.DialContext(ctx, network, addr)
	}
	conn, first := d.DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", port))
	if first == nil {
		return conn, nil
	}
	if conn, err := d.DialContext(ctx, "tcp6", net.JoinHostPort("::1", port)); err == nil {
		return conn, nil
	}
	return nil, first
}

func isLocalhost(host string) bool {
	h := strings.ToLower(strings.TrimSuffix(host, "."))
	return h == "localhost" || strings.HasSuffix(h, ".localhost")
}

// Addresses returns the addresses to which requests to a host are sent.
func Addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if isLocalhost(host) {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}
