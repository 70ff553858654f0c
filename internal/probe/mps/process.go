// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"bufio"
	"bytes"
	"cmp"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/facts"
	"justnews/internal/safefile"
)

// comm is the program's name as the kernel stores it: 15 characters
// (TASK_COMM_LEN).
const comm = "nvidia-cuda-mps"

// processes lists the processes of the control program that the caller can
// see; ProtectProc= hides those of other users.
func (p Prober) processes() ([]facts.MPSProcess, error) {
	entries, err := os.ReadDir(p.proc(""))
	if err != nil {
		return nil, err
	}
	var all []facts.MPSProcess
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if !p.named(pid) {
			continue
		}
		one, ok := p.process(pid)
		if ok && one.State != "Z" && !serves(one) {
			all = append(all, one)
		}
	}
	return all, nil
}

// named reports whether a process has the name of NVIDIA's programs.
func (p Prober) named(pid int) bool {
	name, err := os.ReadFile(p.proc(strconv.Itoa(pid) + "/comm"))
	return err == nil && strings.TrimSpace(string(name)) == comm
}

// serves reports whether a process is a server, which shares its first 15
// characters with the control program.
func serves(one facts.MPSProcess) bool {
	name := path.Base(strings.TrimSuffix(one.Exe, " (deleted)")) // after an upgrade
	if one.Exe == "" && len(one.Args) > 0 {
		name = path.Base(one.Args[0])
	}
	return name == "nvidia-cuda-mps-server"
}

// process reads a process from /proc. What the caller may not read is left
// empty; ok is false if there is no such process.
func (p Prober) process(pid int) (one facts.MPSProcess, ok bool) {
	dir := strconv.Itoa(pid)
	status, err := os.ReadFile(p.proc(dir + "/status"))
	if err != nil {
		return one, false
	}
	one = facts.MPSProcess{PID: pid, UID: -1}
	parent := ""
	for line := range strings.Lines(string(status)) {
		key, value, _ := strings.Cut(line, ":")
		f := strings.Fields(value)
		if len(f) == 0 {
			continue
		}
		switch key {
		case "State":
			one.State = f[0]
		case "PPid":
			parent = f[0]
		case "Uid": // real, effective, saved, file system
			if uid, err := strconv.Atoi(f[min(1, len(f)-1)]); err == nil {
				one.UID = uid
			}
		}
	}
	if name, err := os.ReadFile(p.proc(parent + "/comm")); err == nil && parent != "0" {
		one.Parent = strings.TrimSpace(string(name))
	}
	if line, err := begin(p.proc(dir+"/cmdline"), maxArgs); err == nil {
		one.Args = split(line)
	}
	// Not readable without permission to trace the process, as for other users'
	// processes.
	one.Exe, _ = os.Readlink(p.proc(dir + "/exe"))
	if environ, err := begin(p.proc(dir+"/environ"), maxEnviron); err == nil {
		one.PipeDirectory = pipeDirectory(split(environ))
	}
	if groups, err := os.ReadFile(p.proc(dir + "/cgroup")); err == nil {
		one.Unit = unit(string(groups))
	}
	return one, true
}

// states returns the states of the threads of a process, a letter each, as in proc(5).
func (p Prober) states(pid int) string {
	var all strings.Builder
	threads, _ := filepath.Glob(p.proc(strconv.Itoa(pid) + "/task/*/stat"))
	for _, name := range threads {
		text, _ := os.ReadFile(name)
		if _, rest, found := strings.Cut(string(text[bytes.LastIndexByte(text, ')')+1:]), " "); found && rest != "" {
			all.WriteString(rest[:1])
		}
	}
	return all.String()
}

// What is read of a process, in bytes. Anyone can start many with NVIDIA's name
// and megabytes of arguments, which are kept; the environment is not.
const (
	maxArgs    = 4 << 10
	maxEnviron = 4 << 20
)

func begin(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, most))
}

func split(zeroTerminated []byte) []string {
	var all []string
	for part := range bytes.SplitSeq(bytes.TrimRight(zeroTerminated, "\x00"), []byte{0}) {
		all = append(all, string(part))
	}
	return all
}

func pipeDirectory(environ []string) string {
	dir := ""
	for _, assignment := range environ {
		if value, ok := strings.CutPrefix(assignment, "CUDA_MPS_PIPE_DIRECTORY="); ok {
			dir = value
		}
	}
	return safefile.Canonical(cmp.Or(dir, defaultPipeDirectory))
}

// unit returns the system's unit in /proc/PID/cgroup, "" where it is in none.
// Names below it are chosen by whom it was delegated to, such as a user in
// user@UID.service.
func unit(groups string) string {
	for line := range strings.Lines(groups) {
		for part := range strings.SplitSeq(strings.TrimSpace(line), "/") {
			if strings.HasSuffix(part, ".service") || strings.HasSuffix(part, ".scope") {
				return part
			}
		}
	}
	return ""
}

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
