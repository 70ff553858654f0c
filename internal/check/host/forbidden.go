// SPDX-License-Identifier: Apache-2.0

package host

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"justnews/internal/facts"
)

// Forbidden returns the setting of a unit that keeps its processes from
// connecting to a server, "" where none does. A server is HOST:PORT, a URL or the
// path of a socket. A name may have addresses of both families.
func Forbidden(s facts.Sandbox, server string) string {
	if strings.HasPrefix(server, "/") {
		if !allowsFamily(s, "AF_UNIX") {
			return families(s)
		}
		return Hidden(s, server)
	}
	if s.PrivateNetwork {
		return "PrivateNetwork=yes"
	}
	if !allowsFamily(s, "AF_INET") && !allowsFamily(s, "AF_INET6") {
		return families(s)
	}
	why := ""
	for _, addr := range addresses(hostOf(server)) {
		if why = forbidsAddress(s, addr); why == "" {
			return ""
		}
	}
	return why
}

func forbidsAddress(s facts.Sandbox, addr netip.Addr) string {
	family := "AF_INET6"
	if addr.Is4() {
		family = "AF_INET"
	}
	if !allowsFamily(s, family) {
		return families(s)
	}
	covers := func(p netip.Prefix) bool { return p.Contains(addr) }
	if slices.ContainsFunc(s.IPAllow, covers) {
		return ""
	}
	if n := slices.IndexFunc(s.IPDeny, covers); n >= 0 {
		if s.IPDeny[n].Bits() == 0 {
			return "IPAddressDeny=any"
		}
		return "IPAddressDeny=" + s.IPDeny[n].String()
	}
	return ""
}

func allowsFamily(s facts.Sandbox, family string) bool {
	return slices.Contains(s.Families, family) == s.OnlyFamilies
}

func families(s facts.Sandbox) string {
	list := strings.Join(s.Families, " ")
	switch {
	case !s.OnlyFamilies:
		list = "~" + list
	case list == "":
		list = "none"
	}
	return "RestrictAddressFamilies=" + list
}

func hostOf(server string) string {
	if u, err := url.Parse(server); err == nil && u.Host != "" {
		return u.Hostname()
	}
	if host, _, err := net.SplitHostPort(server); err == nil {
		return host
	}
	return server
}

// addresses of a host, none of a name that has to be looked up.
func addresses(host string) []netip.Addr {
	if host == "localhost" {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return nil
	}
	return []netip.Addr{addr.Unmap().WithZone("")}
}
