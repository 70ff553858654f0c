// SPDX-License-Identifier: Apache-2.0

package host

import (
	"encoding/binary"
	"net"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// Both ways of looking have to name the owner of a socket that listens, and
// nobody where a socket is only connected.
func TestSocket_NetlinkAndProcAgree(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Logf("left out: %v", err)
			continue
		}
		t.Cleanup(func() { _ = l.Close() })
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		for port, want := range map[int][]int{
			l.Addr().(*net.TCPAddr).Port:      {os.Getuid()},
			c.LocalAddr().(*net.TCPAddr).Port: nil,
		} {
			uids, err := diagListeners(port)
			if err != nil {
				t.Skipf("netlink cannot be asked here: %v", err)
			}
			table, err := listeners("/proc/net/tcp", port)
			if err != nil {
				t.Fatal(err)
			}
			table6, err := listeners("/proc/net/tcp6", port)
			if err != nil {
				t.Fatal(err)
			}
			if table = append(table, table6...); !slices.Equal(uids, want) || !slices.Equal(table, want) {
				t.Errorf("%s, port %d: netlink says %v, /proc %v, want %v", address, port, uids, table, want)
			}
		}
	}
}

func TestSocket_TruncatedNetlinkAnswerIsNoAnswer(t *testing.T) {
	message := func(kind, flags uint16, data []byte) []byte {
		b := make([]byte, unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN+len(data))
		binary.NativeEndian.PutUint32(b, uint32(unix.NLMSG_HDRLEN+len(data)))
		binary.NativeEndian.PutUint16(b[4:], kind)
		binary.NativeEndian.PutUint16(b[6:], flags)
		return append(b, data...)
	}
	errno := int32(unix.ENOENT)
	refused := binary.NativeEndian.AppendUint32(nil, uint32(-errno))
	for what, datagram := range map[string][]byte{
		"an error":           message(unix.NLMSG_ERROR, 0, refused),
		"an end with errno":  message(unix.NLMSG_DONE, 0, refused),
		"an interrupted one": message(sockDiagByFamily, unix.NLM_F_DUMP_INTR, make([]byte, diagMessageLen)),
		"a short one":        message(sockDiagByFamily, 0, make([]byte, diagMessageLen-4)),
		"another type":       message(99, 0, make([]byte, diagMessageLen)),
		"half a header":      make([]byte, 3),
	} {
		uids, last, err := diagAnswer(datagram, 0)
		if what == "half a header" {
			if last || len(uids) > 0 {
				t.Errorf("%s: %v, last %v", what, uids, last)
			}
			continue
		}
		if err == nil || last || len(uids) > 0 {
			t.Errorf("%s: %v, last %v, %v; want an error", what, uids, last, err)
		}
	}
	if _, last, err := diagAnswer(message(unix.NLMSG_DONE, 0, make([]byte, 4)), 0); !last || err != nil {
		t.Errorf("an end: last %v, %v", last, err)
	}
}

// The figure behind asking netlink first.
func BenchmarkListener(b *testing.B) {
	b.Run("netlink", func(b *testing.B) {
		for b.Loop() {
			if _, err := diagListeners(8014); err != nil {
				b.Skip(err)
			}
		}
	})
	b.Run("proc", func(b *testing.B) {
		for b.Loop() {
			if _, err := listeners("/proc/net/tcp", 8014); err != nil {
				b.Fatal(err)
			}
			_, _ = listeners("/proc/net/tcp6", 8014)
		}
	})
}

// listeners returns the owners of the listening sockets on a port in one table.
func listeners(path string, port int) (uids []int, err error) {
	err = readTable(path, func(s listening) {
		if s.port == port {
			uids = append(uids, s.uid)
		}
	})
	return uids, err
}
