// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"net"
	"net/netip"

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
