// SPDX-License-Identifier: Apache-2.0

package host

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"justnews/internal/facts"
	"justnews/internal/safefile"
)

// linux/sock_diag.h, linux/inet_diag.h.
const (
	sockDiagByFamily = 20
	diagRequestLen   = 56 // struct inet_diag_req_v2
	diagMessageLen   = 72 // struct inet_diag_msg
	diagStateAt      = 1  // of idiag_state
	diagPortAt       = 4  // of id.idiag_sport, in both
	diagAddressAt    = 8  // of id.idiag_src, in both
	diagUIDAt        = 64 // of idiag_uid
	diagInodeAt      = 68 // of idiag_inode
	diagGroupID      = 21 // INET_DIAG_CGROUP_ID
	noCookie         = ^uint32(0)
)

// Server looks up the socket at the other end of an established connection by
// its addresses and ports. What the kernel does not report, or is not on this
// host, stays unknown.
func (Host) Server(server, client netip.AddrPort) facts.Server {
	// The kernel uses the same address at both ends of a local connection, unless
	// the client binds.
	s := facts.Server{Local: server.Addr() == client.Addr() || Local(server.Addr())}
	if !s.Local {
		return s
	}
	// A request for exactly that socket (sock_diag(7)), which needs no privileges.
	datagram, err := askKernel(unix.NETLINK_SOCK_DIAG, socketRequest(server, client))
	if err != nil {
		return s
	}
	answer, err := socketAnswer(datagram, server, client)
	if err != nil {
		return s
	}
	inode := binary.NativeEndian.Uint32(answer[diagInodeAt:])
	s.Accepted = inode != 0 // without one the owner is always reported as 0
	if s.Accepted {
		s.UID = int(binary.NativeEndian.Uint32(answer[diagUIDAt:]))
	}
	s.Group = groupOf(answer[diagMessageLen:])
	return s
}

// Local reports whether an address belongs to this host: loopback, unspecified,
// assigned to an interface, or delivered here by a route of type "local".
func Local(server netip.Addr) bool {
	if server = server.Unmap(); server.IsLoopback() || server.IsUnspecified() || deliveredHere(server) {
		return true
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range own {
		if ip, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(ip.IP); ok && addr.Unmap() == server.WithZone("") {
				return true
			}
		}
	}
	return false
}

// socketRequest requests the socket whose own address is server and whose peer
// is client.
func socketRequest(server, client netip.AddrPort) []byte {
	b := make([]byte, unix.NLMSG_HDRLEN+diagRequestLen)
	binary.NativeEndian.PutUint32(b[0:], uint32(len(b))) //nolint:gosec // 72
	binary.NativeEndian.PutUint16(b[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST)
	r := b[unix.NLMSG_HDRLEN:]
	r[0], r[1] = unix.AF_INET, unix.IPPROTO_TCP
	if server.Addr().Is6() {
		r[0] = unix.AF_INET6
	}
	binary.NativeEndian.PutUint32(r[4:], ^uint32(0)) // any state
	id := r[diagAddressAt:]
	binary.BigEndian.PutUint16(id[0:], server.Port())
	binary.BigEndian.PutUint16(id[2:], client.Port())
	copy(id[4:20], server.Addr().AsSlice())
	copy(id[20:36], client.Addr().AsSlice())
	// A link-local address belongs to an interface.
	binary.NativeEndian.PutUint32(id[36:], uint32(interfaceOf(server.Addr()))) //nolint:gosec // an index
	binary.NativeEndian.PutUint32(id[40:], noCookie)
	binary.NativeEndian.PutUint32(id[44:], noCookie)
	return b
}

// States of a socket that is not, or no longer, a connection (tcp_states.h).
const (
	tcpSynRecv    = 3
	tcpTimeWait   = 6
	tcpClose      = 7
	tcpListen     = 10
	tcpNewSynRecv = 12
)

// socketAnswer returns the inet_diag_msg of one answer, with its attributes. If
// no connection has these addresses, the kernel returns the current listener,
// which may be any process, so this is not an answer.
func socketAnswer(datagram []byte, server, client netip.AddrPort) ([]byte, error) {
	data, err := oneMessage(datagram, sockDiagByFamily, diagMessageLen)
	if err != nil {
		return nil, err
	}
	switch data[diagStateAt] {
	case tcpListen, tcpSynRecv, tcpTimeWait, tcpClose, tcpNewSynRecv:
		return nil, errors.New("the connection is gone")
	}
	own, peer := diagEnds(data)
	if !sameEnd(own, server) || !sameEnd(peer, client) {
		return nil, errors.New("another socket")
	}
	return data, nil
}

// diagEnds returns the two ends of a socket, its own first.
func diagEnds(m []byte) (own, peer netip.AddrPort) {
	size := 4
	if m[0] == unix.AF_INET6 {
		size = 16
	}
	at := func(address, port int) netip.AddrPort {
		a, _ := netip.AddrFromSlice(m[address : address+size])
		return netip.AddrPortFrom(a, binary.BigEndian.Uint16(m[port:]))
	}
	return at(diagAddressAt, diagPortAt), at(diagAddressAt+16, diagPortAt+2)
}

// sameEnd compares ends; the IPv4 connection of an IPv6 listener is mapped.
func sameEnd(a, b netip.AddrPort) bool {
	return a.Port() == b.Port() && a.Addr().Unmap() == b.Addr().Unmap().WithZone("")
}

// groupOf finds the control group among attributes, 0 where there is none.
func groupOf(attributes []byte) uint64 {
	for len(attributes) >= unix.SizeofRtAttr {
		length := int(binary.NativeEndian.Uint16(attributes))
		kind := binary.NativeEndian.Uint16(attributes[2:])
		if length < unix.SizeofRtAttr || length > len(attributes) {
			return 0
		}
		if kind == diagGroupID && length >= unix.SizeofRtAttr+8 {
			return binary.NativeEndian.Uint64(attributes[unix.SizeofRtAttr:])
		}
		attributes = attributes[min((length+3)&^3, len(attributes)):]
	}
	return 0
}

// maxGroups bounds how many control groups below a unit's are examined.
const maxGroups = 1000

// Groups returns the inode numbers of a unit's control group (its
// ControlGroup=) in the cgroup2 hierarchy, and of those below it, which a unit
// with Delegate= may have created. It returns none if there is no such
// hierarchy or group.
func (h Host) Groups(group string) []uint64 {
	var found []uint64
	for _, dir := range groupsBelow(h.groupDir(group)) {
		if info, err := safefile.Lstat(dir); err == nil {
			found = append(found, info.Ino)
		}
	}
	return found
}

// maxProcesses bounds how many processes of a unit are looked at.
const maxProcesses = 10_000

// Processes returns the processes of a unit's control group (its ControlGroup=) in the
// cgroup2 hierarchy, and of those below it.
func (h Host) Processes(group string) []int {
	pids := processes(h.groupDir(group))
	return pids[:min(len(pids), maxProcesses)]
}

// maxProcs is more than cgroup.procs can have, in bytes: 2^22 process ids at most.
const maxProcs = 32 << 20

// processes returns those of the control group in a directory and of the groups below it.
func processes(dir string) []int {
	var pids []int
	for _, dir := range groupsBelow(dir) {
		text, err := safefile.Read(filepath.Join(dir, "cgroup.procs"), maxProcs)
		if err != nil {
			continue // a removed group has no members
		}
		for line := range strings.Lines(string(text)) {
			if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// groupsBelow returns the directory of a control group and those below it, at most
// maxGroups; "" has none.
func groupsBelow(dir string) []string {
	if dir == "" {
		return nil
	}
	var found []string
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // a removed group has no members
		}
		if !d.IsDir() {
			return nil
		}
		found = append(found, path)
		if len(found) >= maxGroups {
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// groupDir returns the directory of a unit's control group in the cgroup2
// hierarchy, "" where there is no such hierarchy.
func (h Host) groupDir(group string) string {
	if group == "" || strings.Contains(group, "..") {
		return ""
	}
	for _, top := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		if _, err := os.Stat(h.path(top + "/cgroup.controllers")); err == nil {
			return h.path(top + group)
		}
	}
	return ""
}
