// SPDX-License-Identifier: Apache-2.0

package host

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"justnews/test/reference/hang"
)

// inNetwork runs f in a network namespace that commands of ip(8) set up.
func inNetwork(t *testing.T, commands string, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root makes a network namespace")
	}
	_ = hang.Apart(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Logf("no network namespace here: %v", err)
			return nil
		}
		for line := range strings.Lines(strings.TrimSpace(commands)) {
			if out, err := exec.CommandContext(t.Context(), "ip", strings.Fields(line)...).CombinedOutput(); err != nil {
				t.Logf("ip %s: %v: %s", line, err, out)
				return nil
			}
		}
		f()
		return nil
	})
}

// An address may be this host's without standing at one of its interfaces, and a
// link-local one counts on its interface alone.
func TestServer_IsFoundAtEveryLocalAddress(t *testing.T) {
	const network = `
		link set lo up
		link add d0 type veth peer name d1
		link set d0 up
		link set d1 up
		addr add 10.9.8.7/24 dev d0
		addr add fe80::7/64 dev d0 nodad
		route add local 10.77.0.0/16 dev lo
		route add local 10.78.0.0/16 dev lo src 10.9.8.7
		route add 192.0.2.0/24 via 10.9.8.9`
	inNetwork(t, network, func() {
		for address, here := range map[string]bool{
			"10.9.8.7": true, "fe80::7%d0": true, "10.77.1.2": true, "10.78.1.2": true,
			"10.9.8.8": false, "192.0.2.1": false, "fe80::8%d0": false, "203.0.113.1": false,
		} {
			if got := Local(netip.MustParseAddr(address)); got != here {
				t.Errorf("%s is of this host: %v", address, got)
			}
			if here {
				serveAt(t, address)
			}
		}
	})
}

func serveAt(t *testing.T, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "[::]:0")
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = listener.Close() }()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	client, err := net.DialTimeout("tcp", net.JoinHostPort(address, port), 5*time.Second)
	if err != nil {
		t.Errorf("%s: %v", address, err)
		return
	}
	defer func() { _ = client.Close() }()
	server, err := listener.Accept()
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = server.Close() }()
	to, from := ends(t, client)
	if s := (Host{}).Server(to, from); !s.Local || !s.Accepted || s.UID != os.Geteuid() || s.Group == 0 {
		t.Errorf("%s: %+v", address, s)
	}
}
