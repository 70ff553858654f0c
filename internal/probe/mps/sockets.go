// SPDX-License-Identifier: Apache-2.0

package mps

import (
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
	text, err := os.ReadFile(p.proc("net/unix"))
	if err != nil {
		return s, err
	}
	for line := range strings.Lines(string(text)) {
		flags, state, path := unixSocket(line)
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
	return s, nil
}

// unixSocket reads one line: slot, references, protocol, flags, type, state,
// inode, and the path up to the end of the line.
func unixSocket(line string) (flags, state, path string) {
	var column [7]string
	rest := strings.TrimSuffix(line, "\n")
	for i := range column {
		word, more, found := strings.Cut(strings.TrimLeft(rest, " "), " ")
		if !found {
			return "", "", "" // a socket without a name
		}
		column[i], rest = word, more
	}
	return column[3], column[5], rest
}

// elsewhere lists the other directories in which a control daemon listens,
// sorted. Both sockets have to be there: "control" alone is anybody's name.
func (s sockets) elsewhere(own string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.control)), func(dir string) bool {
		return dir == own || s.privileged[dir] == 0
	})
}
