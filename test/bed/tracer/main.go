// SPDX-License-Identifier: Apache-2.0

// Command tracer tries every way in which a process may read, write or take over another
// process of its user, and prints a line for each that works.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

func main() {
	pid, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	runtime.LockOSThread()
	proc := filepath.Join("/proc", os.Args[1])
	for _, attack := range []struct {
		name string
		try  func() error
	}{
		{"seize", func() error { return seize(pid) }},
		{"write mem", func() error { return opens(filepath.Join(proc, "mem"), os.O_RDWR) }},
		{"read environ", func() error { return opens(filepath.Join(proc, "environ"), os.O_RDONLY) }},
		{"read maps", func() error { return opens(filepath.Join(proc, "maps"), os.O_RDONLY) }},
		{"list fd", func() error { _, err := os.ReadDir(filepath.Join(proc, "fd")); return err }},
		{"follow exe", func() error { _, err := os.Readlink(filepath.Join(proc, "exe")); return err }},
		{"process_vm_writev", func() error { return write(pid) }},
		{"pidfd_getfd", func() error { return take(pid) }},
	} {
		if err := attack.try(); err != nil {
			fmt.Printf("refused: %s: %v\n", attack.name, err)
		} else {
			fmt.Printf("WORKS: %s\n", attack.name)
		}
	}
}

func opens(name string, flags int) error {
	f, err := os.OpenFile(name, flags, 0)
	if err == nil {
		// Some of these check the permission to trace only when they are used.
		_, err = f.Read(make([]byte, 1))
		_ = f.Close()
		if err != nil && flags == os.O_RDWR {
			err = nil // address 0 of mem is never mapped: it is enough that it was opened
		}
	}
	return err
}

func seize(pid int) error {
	if err := unix.PtraceSeize(pid); err != nil {
		return err
	}
	return unix.PtraceDetach(pid)
}

// write requests a write to an unmapped address: EFAULT means that it was allowed.
func write(pid int) error {
	data := []byte{0}
	local := []unix.Iovec{{Base: &data[0], Len: 1}}
	remote := []unix.RemoteIovec{{Base: 8, Len: 1}}
	_, err := unix.ProcessVMWritev(pid, local, remote, 0)
	if err == unix.EFAULT {
		return nil
	}
	return err
}

func take(pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err
	}
	_, err = unix.PidfdGetfd(fd, 2, 0)
	return err
}
