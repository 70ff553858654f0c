// SPDX-License-Identifier: Apache-2.0

package host

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/facts"
)

// listenState is TCP_LISTEN of include/net/tcp_states.h, as /proc/net prints it.
const listenState = "0A"

// Listener returns the sockets that listen on a TCP port, on any address of this network
// namespace. It is only an error if neither table can be read.
func (h Host) Listener(port int) (facts.Listener, error) {
	l := facts.Listener{Port: port}
	if port < 1 || port > 65535 {
		return l, fmt.Errorf("cannot look for a listener on port %d: out of range", port)
	}
	if h.Root == "" {
		if uids, err := diagListeners(port); err == nil {
			l.UIDs = sorted(uids)
			return l, nil
		}
		// No netlink in this sandbox, or a kernel without inet_diag.
	}
	err := h.eachListener(func(s listening) {
		if s.port == port {
			l.UIDs = append(l.UIDs, s.uid)
		}
	})
	if err != nil {
		return l, fmt.Errorf("cannot look for a listener on port %d: %w", port, err)
	}
	l.UIDs = sorted(l.UIDs)
	return l, nil
}

func sorted(uids []int) []int {
	slices.Sort(uids)
	return slices.Compact(uids)
}

type listening struct {
	port, uid int
	inode     string
}

// eachListener reads the kernel's tables of TCP sockets.
func (h Host) eachListener(each func(listening)) error {
	missing := 0
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		switch err := readTable(h.path(table), each); {
		case errors.Is(err, fs.ErrNotExist): // a kernel without IPv6 has no tcp6
			missing++
		case err != nil:
			return err
		}
	}
	if missing == 2 {
		return errors.New("no /proc/net/tcp")
	}
	return nil
}

// readTable reads one table of proc_net_tcp(5): after a heading, a line for
// each socket, fields 1 local address:port and 3 state in hexadecimal, fields 7
// and 9 the owner's UID and the inode in decimal.
func readTable(path string, each func(listening)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Scan() // the heading
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 {
			return fmt.Errorf("%s: a line of %d fields", path, len(fields))
		}
		if fields[3] != listenState {
			continue
		}
		port, err := strconv.ParseUint(fields[1][strings.LastIndexByte(fields[1], ':')+1:], 16, 16)
		uid, errUID := strconv.Atoi(fields[7])
		if err := errors.Join(err, errUID); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		each(listening{int(port), uid, fields[9]})
	}
	return lines.Err()
}

// Holders finds the processes that have a listening socket on the ports, by
// port. Without root it only sees processes of its own user.
func (h Host) Holders(ports []int) (map[int][]facts.Process, error) {
	sockets, err := h.sockets(ports)
	if err != nil || len(sockets) == 0 {
		return nil, err
	}
	dirs, err := filepath.Glob(h.path("/proc/[0-9]*"))
	if err != nil {
		return nil, err
	}
	found := map[int][]facts.Process{}
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		for port := range holds(dir, sockets) {
			found[port] = append(found[port], facts.Process{PID: pid, Name: comm(dir)})
		}
	}
	return found, nil
}

// holds returns the ports of a process's sockets.
func holds(dir string, sockets map[string]int) map[int]bool {
	ports := map[int]bool{}
	entries, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		return nil // exited, or another user's
	}
	for _, e := range entries {
		link, err := os.Readlink(filepath.Join(dir, "fd", e.Name()))
		if err != nil {
			continue
		}
		if port, ok := sockets[link]; ok {
			ports[port] = true
		}
	}
	return ports
}

func comm(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "comm"))
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(text))
}

// sockets returns the links of /proc/PID/fd that are listening sockets on the
// ports. It reads proc_net_tcp(5), which is fast enough for a preflight.
func (h Host) sockets(ports []int) (map[string]int, error) {
	sockets := map[string]int{}
	err := h.eachListener(func(s listening) {
		if slices.Contains(ports, s.port) {
			sockets["socket:["+s.inode+"]"] = s.port
		}
	})
	if err != nil {
		return nil, fmt.Errorf("cannot find the processes that hold ports: %w", err)
	}
	return sockets, nil
}
