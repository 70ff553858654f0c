// SPDX-License-Identifier: Apache-2.0

package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// askKernel sends one request (netlink(7)) and returns the first datagram of the answer.
func askKernel(protocol int, request []byte) ([]byte, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1}); err != nil {
		return nil, err
	}
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, err
	}
	buf := make([]byte, 32<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		switch {
		case err == nil:
			return buf[:n], nil
		case !errors.Is(err, unix.EINTR):
			return nil, err
		}
	}
}

// oneMessage returns the only message of a datagram, which must have a type and
// a minimum length.
func oneMessage(datagram []byte, kind uint16, least int) ([]byte, error) {
	messages, err := syscall.ParseNetlinkMessage(datagram)
	if err != nil {
		return nil, err
	}
	if len(messages) != 1 {
		return nil, fmt.Errorf("%d messages", len(messages))
	}
	m := messages[0]
	switch {
	case m.Header.Type == unix.NLMSG_ERROR && len(m.Data) >= 4:
		return nil, unix.Errno(-int32(binary.NativeEndian.Uint32(m.Data))) //nolint:gosec // an errno
	case m.Header.Type != kind || len(m.Data) < least:
		return nil, fmt.Errorf("a message of type %d and %d bytes", m.Header.Type, len(m.Data))
	}
	return m.Data, nil
}

// rtmTypeAt is the offset of rtm_type in struct rtmsg (rtnetlink(7)).
const rtmTypeAt = 7

// deliveredHere reports whether the kernel delivers an address to this host.
// Unknown is false.
func deliveredHere(a netip.Addr) bool {
	datagram, err := askKernel(unix.NETLINK_ROUTE, routeRequest(a))
	if err != nil {
		return false
	}
	route, err := oneMessage(datagram, unix.RTM_NEWROUTE, unix.SizeofRtMsg)
	return err == nil && route[rtmTypeAt] == unix.RTN_LOCAL
}

func routeRequest(a netip.Addr) []byte {
	to := a.AsSlice()
	b := make([]byte, unix.NLMSG_HDRLEN+unix.SizeofRtMsg, 64)
	binary.NativeEndian.PutUint16(b[4:], unix.RTM_GETROUTE)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST)
	b[unix.NLMSG_HDRLEN], b[unix.NLMSG_HDRLEN+1] = unix.AF_INET, byte(a.BitLen()) //nolint:gosec // 32 or 128
	if a.Is6() {
		b[unix.NLMSG_HDRLEN] = unix.AF_INET6
	}
	attribute := func(kind uint16, value []byte) {
		b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofRtAttr+len(value))) //nolint:gosec // at most 20
		b = binary.NativeEndian.AppendUint16(b, kind)
		b = append(b, value...)
	}
	attribute(unix.RTA_DST, to)
	if i := interfaceOf(a); i != 0 {
		attribute(unix.RTA_OIF, binary.NativeEndian.AppendUint32(nil, uint32(i))) //nolint:gosec // an index
	}
	binary.NativeEndian.PutUint32(b, uint32(len(b))) //nolint:gosec // at most 64
	return b
}

// interfaceOf returns the index of the interface in an address's zone, 0 if it
// has none.
func interfaceOf(a netip.Addr) int {
	zone := a.Zone()
	if zone == "" {
		return 0
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return i.Index
	}
	i, err := strconv.Atoi(zone)
	if err != nil || i < 0 {
		return 0
	}
	return i
}
