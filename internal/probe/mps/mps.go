// SPDX-License-Identifier: Apache-2.0

// Package mps collects facts about NVIDIA MPS: Look from the file system, /proc
// and the kernel's socket table, Ask from the control daemon. It starts
// nothing, judges nothing and repeats nothing.
//
// All obvious checks are unreliable. The pipe directory and its sockets outlive
// the daemon; pgrep -x never finds the name, of which the kernel keeps 15
// characters; the exit status of a query is 0 for an empty answer. Concurrent
// queries break each other (of 15, more than nine in ten fail), so all queries
// of a host go through one lock.
package mps

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"justnews/internal/facts"
	"justnews/internal/safefile"
)

// Program is where NVIDIA's packages put the control program, daemon and
// console in one.
const Program = "/usr/bin/nvidia-cuda-mps-control"

// defaultPipeDirectory is where a daemon listens by default
// (NVIDIA, Multi-Process Service, CUDA_MPS_PIPE_DIRECTORY).
const defaultPipeDirectory = "/tmp/nvidia-mps"

// queryTimeout bounds one query. A healthy daemon answers in about 2 ms; one
// that is stopped makes its console wait forever.
const queryTimeout = 3 * time.Second

// shortest is how long a query that its caller ends must have lasted to show that the daemon
// does not answer.
const shortest = time.Second

// lastChance is what a console gets at the end of its time, in case this process was
// stopped: the console was then, too, or its answer has not been read.
const lastChance = 50 * time.Millisecond

// Names in a pipe directory.
const (
	controlName = "control"
	lockName    = "control_lock"
)

// Turn is the lock around all queries of a host.
type Turn interface {
	Take(ctx context.Context) error
	Unlock()
}

// Prober looks at the MPS of one pipe directory. The zero values of Program,
// Timeout and Root are the constants above and /.
type Prober struct {
	PipeDirectory string
	Program       string
	Timeout       time.Duration
	Root          string // prefix of /proc, for tests
	Turn          Turn   // nil: queries are not serialized
}

func (p Prober) proc(path string) string { return p.Root + "/proc/" + path }

// Look returns what can be seen without querying the daemon.
func (p Prober) Look() facts.MPS {
	m := p.look()
	// The PID of a daemon that has exited may have been reused.
	for range 2 {
		if now := lock(filepath.Join(p.PipeDirectory, lockName)); now == m.Lock {
			break
		}
		m = p.look()
	}
	return m
}

func (p Prober) look() facts.MPS {
	m := facts.MPS{Directory: directory(p.PipeDirectory), Lock: lock(filepath.Join(p.PipeDirectory, lockName))}
	if info, err := safefile.Lstat(filepath.Join(p.PipeDirectory, controlName)); err == nil {
		m.Socket, m.SocketUID = info.Mode.Type() == fs.ModeSocket, info.UID
	}
	var errs []error
	sockets, err := p.sockets()
	errs = append(errs, err)
	own := names(p.PipeDirectory)
	for _, name := range own {
		m.Listeners += sockets.control[name]
		m.Connections += sockets.connections[name]
	}
	m.Elsewhere = sockets.elsewhere(own)
	processes, err := p.processes()
	errs = append(errs, err)
	for _, one := range processes {
		if m.Lock.Held && one.PID == m.Lock.PID {
			m.Daemon = &one
			continue
		}
		m.Others = append(m.Others, one)
	}
	if m.Daemon == nil && m.Lock.PID > 0 {
		// The process that holds the lock, whatever its name.
		if one, ok := p.process(m.Lock.PID); ok {
			m.Daemon = &one
		}
	}
	if err := errors.Join(errs...); err != nil {
		m.Err = err.Error()
	}
	return m
}

func directory(path string) facts.Directory {
	var d facts.Directory
	if info, err := safefile.Stat(path); err == nil {
		d.Exists, d.IsDir = true, info.Mode.IsDir()
		d.Mode, d.UID = safefile.Bits(info.Mode), info.UID
	}
	// Starting at the root: what is below an inaccessible directory cannot be
	// distinguished from what does not exist.
	for at := 0; at <= len(path); at++ {
		if at < len(path) && path[at] != '/' {
			continue
		}
		part := cmp.Or(path[:at], "/")
		err := unix.Faccessat(unix.AT_FDCWD, part, unix.X_OK, unix.AT_EACCESS)
		if errors.Is(err, unix.EACCES) {
			d.Blocked = cmp.Or(strings.TrimRight(part, "/"), "/")
			break
		}
		if err != nil {
			break
		}
	}
	return d
}

// lock queries the kernel for the holder of a running daemon's record lock. F_GETLK only
// needs an open file and has no side effects.
func lock(path string) facts.MPSLock {
	f, err := safefile.Open(path, safefile.NoFollow)
	if errors.Is(err, safefile.ErrNotRegular) {
		return facts.MPSLock{Exists: true, Err: path + " is not a regular file"}
	}
	if err != nil {
		l := facts.MPSLock{Exists: !errors.Is(err, fs.ErrNotExist)}
		if l.Exists {
			l.Err = err.Error()
		}
		return l
	}
	defer func() { _ = f.Close() }()
	l := facts.MPSLock{Exists: true}
	held := unix.Flock_t{Type: unix.F_WRLCK} // from the first byte to the last
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, &held); err != nil {
		l.Err = err.Error()
		return l
	}
	switch {
	case held.Type == unix.F_UNLCK:
	case held.Pid < 0:
		l.Err = path + " is locked by an open file (F_OFD_SETLK), which no control daemon does"
	default:
		l.Held, l.PID = true, int(held.Pid)
	}
	return l
}
