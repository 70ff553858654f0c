// SPDX-License-Identifier: Apache-2.0

package host

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/facts"
)

// listenState is TCP_LISTEN of include/net/tcp_states.h, as /proc/net prints it.
const listenState = "0A"

// Listener returns who listens on a TCP port, on any address of this network
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
