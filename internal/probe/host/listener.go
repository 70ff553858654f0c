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

// Ports finds who listens on TCP ports, on any address of this network namespace: the users
// that own the sockets and, as far as this user can see them, the processes. A port without a
// listener has no entry. It is only an error if neither table of sockets can be read.
func (h Host) Ports(ports []int) (map[int]facts.Port, error) {
	found, sockets := map[int]facts.Port{}, map[string]int{}
	err := h.eachListener(func(s listening) {
		if !slices.Contains(ports, s.port) {
			return
		}
		sockets["socket:["+s.inode+"]"] = s.port // as links in /proc/PID/fd
		p := found[s.port]
		if n, known := slices.BinarySearch(p.UIDs, s.uid); !known {
			p.UIDs = slices.Insert(p.UIDs, n, s.uid)
		}
		found[s.port] = p
	})
	if err != nil {
		return nil, fmt.Errorf("cannot look for listeners: %w", err)
	}
	if len(sockets) == 0 {
		return found, nil
	}
	dirs, _ := filepath.Glob(h.path("/proc/[0-9]*")) // fails for a bad pattern only
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		for port := range holds(dir, sockets) {
			p := found[port]
			p.Processes = append(p.Processes, facts.Process{PID: pid, Name: comm(dir)})
			found[port] = p
		}
	}
	return found, nil
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
