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

// How says what the server of the file system does.
type How int

// The servers. Stuck and Failing are mounted over a file, which they take the
// place of, the others over a directory.
const (
	// Deaf never reads a request: who asks waits, and can be killed.
	Deaf How = iota
	// Mute reads every request and answers only the first, the greeting: who asks
	// cannot even be killed.
	Mute
	// Stuck is a file of the same size that can be opened, and whose content never
	// comes.
	Stuck
	// Failing is a file of the same size that can be opened, and whose content is EIO.
	Failing
	// Gone is a directory whose server has ended, as a network file system that is
	// lost: every access fails at once (ENOTCONN).
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
			// This ends the connection, and who waits for it.
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

// Apart calls f in a thread that ends with it, whatever f makes of that thread: in
// another namespace, of another user.
func Apart(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			// The first thread does not end, and what it is the process is to others.
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

// serve reads what is asked and answers as how says.
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

// answer returns an answer whose length and request are still to be filled in.
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
