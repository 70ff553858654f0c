// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"context"
	"net"
	"net/netip"
	"strings"
)

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
