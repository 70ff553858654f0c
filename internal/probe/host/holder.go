// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/facts"
)

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
