// SPDX-License-Identifier: Apache-2.0

package host

import (
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func ends(t testing.TB, c net.Conn) (server, client netip.AddrPort) {
	t.Helper()
	to, from := c.RemoteAddr().(*net.TCPAddr).AddrPort(), c.LocalAddr().(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(to.Addr().Unmap(), to.Port()), netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
}

func TestServer_IsTheProcessThatAcceptedTheConnection(t *testing.T) {
	for name, tc := range map[string]struct{ listen, dial string }{
		"IPv4":        {"127.0.0.1:0", "127.0.0.1"},
		"any address": {"0.0.0.0:0", "127.0.0.1"},
		"IPv6":        {"[::1]:0", "::1"},
		"IPv4 mapped": {"[::]:0", "127.0.0.1"},
		"unspecified": {"0.0.0.0:0", "0.0.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", tc.listen)
			if err != nil {
				t.Skipf("cannot listen on %s: %v", tc.listen, err)
			}
			defer func() { _ = listener.Close() }()
			_, port, _ := net.SplitHostPort(listener.Addr().String())
			client, err := net.Dial("tcp", net.JoinHostPort(tc.dial, port))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = client.Close() }()
			to, from := ends(t, client)
			if s := (Host{}).Server(to, from); !s.Local || s.Accepted || s.Group == 0 {
				t.Errorf("nobody has accepted it: %+v", s)
			}
			server, err := listener.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if s := (Host{}).Server(to, from); !s.Local || !s.Accepted || s.UID != os.Geteuid() || s.Group == 0 {
				t.Errorf("accepted: %+v", s)
			}
			_ = server.Close()
			_, _ = io.ReadAll(client)
			if s := (Host{}).Server(to, from); s.Accepted {
				t.Errorf("closed, and its owner would be 0: %+v", s)
			}
		})
	}
}

func TestServer_OnAnotherHostIsNotLocal(t *testing.T) {
	// TEST-NET-1 of RFC 5737: nobody has it, and nothing is sent.
	s := (Host{}).Server(netip.MustParseAddrPort("192.0.2.1:8014"), netip.MustParseAddrPort("192.0.2.2:40000"))
	if s.Local || s.Accepted || s.Group != 0 {
		t.Errorf("%+v", s)
	}
}

func TestServer_WithoutConnectionIsUnknown(t *testing.T) {
	s := (Host{}).Server(netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.1:2"))
	if !s.Local || s.Accepted || s.Group != 0 {
		t.Errorf("%+v", s)
	}
}

func TestServer_ControlGroupsIncludeThoseBelow(t *testing.T) {
	root := t.TempDir()
	top := filepath.Join(root, "sys/fs/cgroup")
	unit := filepath.Join(top, "system.slice/x.service")
	for _, dir := range []string{filepath.Join(unit, "worker/deep"), filepath.Join(top, "system.slice/y.service")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	h := Host{Root: root}
	if got := h.Groups("/system.slice/x.service"); got != nil {
		t.Errorf("no cgroup2: %v", got)
	}
	if err := os.WriteFile(filepath.Join(top, "cgroup.controllers"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var want []uint64
	for _, dir := range []string{unit, unit + "/worker", unit + "/worker/deep"} {
		var st unix.Stat_t
		if err := unix.Stat(dir, &st); err != nil {
			t.Fatal(err)
		}
		want = append(want, st.Ino)
	}
	if got := h.Groups("/system.slice/x.service"); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, group := range []string{"", "/system.slice/none.service", "/system.slice/../y.service"} {
		if got := h.Groups(group); len(got) > 0 {
			t.Errorf("%q: %v", group, got)
		}
	}
}

func BenchmarkServer(b *testing.B) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	to, from := ends(b, client)
	for b.Loop() {
		if s := (Host{}).Server(to, from); s.Group == 0 {
			b.Fatal(s)
		}
	}
}

// Where no connection has the addresses, the kernel answers with the socket that listens
// there: after an answer that was closed at once, that may be anybody.
func TestServer_OfAClosedConnectionIsNotTheListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	server := l.Addr().(*net.TCPAddr).AddrPort()
	client := netip.AddrPortFrom(server.Addr(), server.Port()^1)
	if s := (Host{}).Server(server, client); s.Accepted || s.Group != 0 || !s.Local {
		t.Errorf("%+v", s)
	}
}
