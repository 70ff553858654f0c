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

// sockets counts, by pipe directory, what the kernel's table of unix sockets
// has under the names of a control daemon. It shows what no view of the file
// system does: a daemon whose directory was deleted, a second one beside it,
// and one that PrivateTmp= hides.
type sockets struct {
	control     map[string]int // listen as DIR/control
	privileged  map[string]int // listen as DIR/control_privileged
	connections map[string]int // connected to either
}

// A daemon's own user is connected to its second socket, everybody else to the
// first.
const privilegedName = controlName + "_privileged"

// As /proc/net/unix writes them (unix(7), net/unix/af_unix.c).
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
	// Line by line: a busy host has a hundred thousand of them.
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
// sorted. Both sockets have to be there: "control" alone is anybody's name. So
// is the directory, and none of them is looked at: one that its owner serves
// (FUSE) could keep a caller for ever.
func (s sockets) elsewhere(own []string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.control)), func(dir string) bool {
		return slices.Contains(own, dir) || s.privileged[dir] == 0
	})
}

// names are those of a pipe directory: its own, and where that is or leads
// through a link, the one that a daemon may have been given instead.
func names(dir string) []string {
	if target, err := filepath.EvalSymlinks(dir); err == nil && target != dir {
		return []string{dir, target}
	}
	return []string{dir}
}
