// SPDX-License-Identifier: Apache-2.0

// Package hang mounts file systems that never answer, or answer with errors, for
// tests.
package hang

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// How selects the behaviour of the file system's server.
type How int

// The servers. Stuck and Failing are mounted over a file, which they replace, the others over
// a directory.
const (
	// Deaf never reads a request: callers wait, but can be killed.
	Deaf How = iota
	// Mute reads every request but answers only the first, FUSE_INIT: callers cannot even be
	// killed.
	Mute
	// Stuck is a file of the same size that can be opened, but whose content is never
	// returned.
	Stuck
	// Failing is a file of the same size that can be opened, and whose content is EIO.
	Failing
	// Gone is a directory whose server has ended, like a lost network file system: every
	// access fails at once (ENOTCONN).
	Gone
)

// Mount mounts a FUSE file system over a path until it is unmounted. It needs
// root and /dev/fuse.
func Mount(path string, how How) (unmount func(), err error) {
	return MountFor(os.Getpid(), path, how)
}

// MountFor is Mount in the mount namespace of a process.
func MountFor(pid int, path string, how How) (unmount func(), err error) {
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: "/dev/fuse", Err: err}
	}
	mode, size := "40000", int64(0)
	if how == Stuck || how == Failing {
		mode = "100644"
		err := within(pid, func() error {
			info, err := os.Stat(path)
			if err == nil {
				size = info.Size()
			}
			return err
		})
		if err != nil {
			_ = unix.Close(fd)
			return nil, err
		}
	}
	options := fmt.Sprintf("fd=%d,rootmode=%s,user_id=0,group_id=0,allow_other", fd, mode)
	err = within(pid, func() error { return unix.Mount("hang", path, "fuse", unix.MS_NOSUID|unix.MS_NODEV, options) })
	if err != nil {
		_ = unix.Close(fd)
		return nil, &os.PathError{Op: "mount", Path: path, Err: err}
	}
	switch how {
	case Deaf:
	case Gone:
		_ = unix.Close(fd)
		fd = -1
	default:
		go serve(fd, how, uint64(size))
	}
	return func() {
		_ = within(pid, func() error {
			// This ends the connection, and all waiting calls.
			return errors.Join(unix.Mount("", path, "", unix.MS_PRIVATE, ""), unix.Unmount(path, unix.MNT_FORCE|unix.MNT_DETACH))
		})
		_ = unix.Close(fd)
	}, nil
}

// within calls f in the mount namespace of a process.
func within(pid int, f func() error) error {
	if pid == os.Getpid() {
		return f()
	}
	return Apart(func() error {
		ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", pid))
		if err != nil {
			return err
		}
		defer func() { _ = ns.Close() }()
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return err
		}
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNS); err != nil {
			return err
		}
		return f()
	})
}

// Apart calls f in a thread that ends with it, so f may change the thread's namespace or user.
func Apart(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			// The first thread must not end, and its attributes are the process's to others.
			err := Apart(f)
			runtime.UnlockOSThread()
			done <- err
			return
		}
		done <- f() // never unlocked
	}()
	return <-done
}

// Requests of FUSE (linux/fuse.h).
const (
	opGetattr = 3
	opOpen    = 14
	opRead    = 15
	opRelease = 18
	opInit    = 26
)

// header is the length of struct fuse_out_header.
const header = 16

// serve reads requests and answers as selected by how.
func serve(fd int, how How, size uint64) {
	request := make([]byte, 256<<10)
	for {
		n, err := unix.Read(fd, request)
		switch {
		case err == unix.EINTR || err == unix.ENOENT:
			continue
		case err != nil || n < 40:
			return
		}
		text, answered := answer(binary.LittleEndian.Uint32(request[4:]), how, size)
		if !answered {
			continue
		}
		binary.LittleEndian.PutUint32(text, uint32(len(text)))
		copy(text[8:header], request[8:16]) // which request it answers
		if _, err := unix.Write(fd, text); err != nil && !errors.Is(err, unix.ENOENT) {
			return
		}
	}
}

// answer returns an answer without its length and request ID.
func answer(op uint32, how How, size uint64) (text []byte, answered bool) {
	switch {
	case op == opInit:
		text = make([]byte, header+64)
		binary.LittleEndian.PutUint32(text[header:], 7)
		binary.LittleEndian.PutUint32(text[header+4:], 31)
		binary.LittleEndian.PutUint32(text[header+20:], 1<<16) // the largest write
		return text, true
	case how == Mute, how == Stuck && op == opRead:
		return nil, false
	case op == opGetattr:
		text = make([]byte, header+104)
		attr := text[header+16:]
		binary.LittleEndian.PutUint64(attr, 1)               // inode
		binary.LittleEndian.PutUint64(attr[8:], size)        // bytes
		binary.LittleEndian.PutUint32(attr[60:], 0o100_644)  // mode
		binary.LittleEndian.PutUint32(attr[64:], 1)          // names
		binary.LittleEndian.PutUint32(attr[80:], 4096)       // block size
		binary.LittleEndian.PutUint64(attr[32:], 1700000000) // mtime
		binary.LittleEndian.PutUint64(attr[40:], 1700000000) // ctime
		return text, true
	case op == opOpen:
		return make([]byte, header+16), true
	case op == opRelease:
		return make([]byte, header), true
	}
	failure := unix.ENOSYS
	if op == opRead {
		failure = unix.EIO
	}
	text = make([]byte, header)
	binary.LittleEndian.PutUint32(text[4:], uint32(-int32(failure)))
	return text, true
}
