// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"bufio"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sockets counts, by pipe directory, the sockets with the names of a control
// daemon in the kernel's table of unix sockets. It shows what the file system
// does not: a daemon whose directory was deleted, a second daemon, and one
// that PrivateTmp= hides.
type sockets struct {
	control     map[string]int // listen as DIR/control
	privileged  map[string]int // listen as DIR/control_privileged
	connections map[string]int // connected to either
}

// The daemon's own user connects to its second socket, other users to the
// first.
const privilegedName = controlName + "_privileged"

// As in /proc/net/unix (unix(7), net/unix/af_unix.c).
const (
	accepting = "00010000" // flags: __SO_ACCEPTCON
	connected = "03"       // state: SS_CONNECTED
)

// sockets reads the table of the caller's network namespace.
func (p Prober) sockets() (sockets, error) {
	s := sockets{map[string]int{}, map[string]int{}, map[string]int{}}
	f, err := os.Open(p.proc("net/unix"))
	if err != nil {
		return s, err
	}
	defer func() { _ = f.Close() }()
	// Line by line: a busy host has a hundred thousand.
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		flags, state, path := unixSocket(lines.Text())
		if !filepath.IsAbs(path) {
			continue
		}
		dir, name := filepath.Dir(path), filepath.Base(path)
		switch {
		case name != controlName && name != privilegedName:
		case flags == accepting && name == controlName:
			s.control[dir]++
		case flags == accepting:
			s.privileged[dir]++
		case state == connected:
			s.connections[dir]++
		}
	}
	return s, lines.Err()
}

// unixSocket reads one line: slot, references, protocol, flags, type, state,
// inode, and the path up to the end of the line.
func unixSocket(line string) (flags, state, path string) {
	var column [7]string
	rest := line
	for i := range column {
		var found bool
		if column[i], rest, found = strings.Cut(strings.TrimLeft(rest, " "), " "); !found {
			return "", "", "" // a socket without a name
		}
	}
	return column[3], column[5], rest
}

// elsewhere lists the other directories in which a control daemon listens,
// sorted. Both sockets have to exist: any program may use "control" alone. The
// directories are not accessed: a file system served by its owner (FUSE) could
// block forever.
func (s sockets) elsewhere(own []string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.control)), func(dir string) bool {
		return slices.Contains(own, dir) || s.privileged[dir] == 0
	})
}

// names are the paths of a pipe directory: its own and, if that contains a
// link, the resolved one that a daemon may have been given instead.
func names(dir string) []string {
	if target, err := filepath.EvalSymlinks(dir); err == nil && target != dir {
		return []string{dir, target}
	}
	return []string{dir}
}
