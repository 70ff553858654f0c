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

// askKernel sends one request (netlink(7)) and passes each datagram of the answer
// to read, until that returns true or an error.
func askKernel(protocol int, request []byte, read func(datagram []byte) (last bool, err error)) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1}); err != nil {
		return err
	}
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	buf := make([]byte, 32<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		if last, err := read(buf[:n]); last || err != nil {
			return err
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
	local := false
	err := askKernel(unix.NETLINK_ROUTE, routeRequest(a), func(datagram []byte) (bool, error) {
		route, err := oneMessage(datagram, unix.RTM_NEWROUTE, unix.SizeofRtMsg)
		local = err == nil && route[rtmTypeAt] == unix.RTN_LOCAL
		return true, err
	})
	return err == nil && local
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

// linux/sock_diag.h, linux/inet_diag.h.
const (
	sockDiagByFamily = 20
	tcpListen        = 10 // TCP_LISTEN of include/net/tcp_states.h
	diagRequestLen   = 56 // struct inet_diag_req_v2
	diagMessageLen   = 72 // struct inet_diag_msg
	diagPortAt       = 4  // of id.idiag_sport, in both
	diagUIDAt        = 64 // of idiag_uid
)

// diagListeners asks the kernel for the listening sockets alone (sock_diag(7)).
// /proc/net/tcp also walks the table of all connections, which is sized by the
// machine's memory: 4 ms of system time per table (measured), for each of 17
// concurrent gates.
func diagListeners(port int) ([]int, error) {
	var uids []int
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		err := askKernel(unix.NETLINK_SOCK_DIAG, diagRequest(family), func(datagram []byte) (bool, error) {
			found, last, err := diagAnswer(datagram, port)
			uids = append(uids, found...)
			return last, err
		})
		if err != nil {
			return nil, err
		}
	}
	return uids, nil
}

// diagRequest is a dump of all listening TCP sockets of one family.
func diagRequest(family byte) []byte {
	b := make([]byte, unix.NLMSG_HDRLEN+diagRequestLen)
	binary.NativeEndian.PutUint32(b[0:], uint32(len(b))) //nolint:gosec // 72
	binary.NativeEndian.PutUint16(b[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	b[unix.NLMSG_HDRLEN], b[unix.NLMSG_HDRLEN+1] = family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(b[unix.NLMSG_HDRLEN+4:], 1<<tcpListen)
	return b
}

// diagAnswer reads one datagram: the owners of the sockets on the port, and
// whether it was the last.
func diagAnswer(datagram []byte, port int) (uids []int, last bool, err error) {
	messages, err := syscall.ParseNetlinkMessage(datagram)
	if err != nil {
		return nil, false, err
	}
	for _, m := range messages {
		switch {
		case m.Header.Flags&unix.NLM_F_DUMP_INTR != 0:
			return nil, false, errors.New("the table changed while it was read")
		case m.Header.Type == unix.NLMSG_ERROR, m.Header.Type == unix.NLMSG_DONE:
			// Both begin with an errno; DONE has one if the dump was aborted.
			if len(m.Data) >= 4 {
				if code := int32(binary.NativeEndian.Uint32(m.Data)); code < 0 { //nolint:gosec // an errno
					return nil, false, unix.Errno(-code)
				}
			}
			return uids, true, nil
		case m.Header.Type != sockDiagByFamily || len(m.Data) < diagMessageLen:
			return nil, false, fmt.Errorf("a message of type %d and %d bytes", m.Header.Type, len(m.Data))
		case int(binary.BigEndian.Uint16(m.Data[diagPortAt:])) == port:
			uids = append(uids, int(binary.NativeEndian.Uint32(m.Data[diagUIDAt:])))
		}
	}
	return uids, false, nil
}
