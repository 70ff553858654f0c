// SPDX-License-Identifier: Apache-2.0

// Package hang mounts file systems that never answer, for tests.
package hang

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// How says what the server of the file system does.
type How int

// The servers.
const (
	// Deaf never reads a request: who asks waits, and can be killed.
	Deaf How = iota
	// Mute reads every request and answers only the first, the greeting: who asks
	// cannot even be killed.
	Mute
)

// Mount mounts a FUSE file system over a directory until it is unmounted. It
// needs root and /dev/fuse.
func Mount(dir string, how How) (unmount func(), err error) {
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: "/dev/fuse", Err: err}
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd)
	if err := unix.Mount("hang", dir, "fuse", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		_ = unix.Close(fd)
		return nil, &os.PathError{Op: "mount", Path: dir, Err: err}
	}
	if how == Mute {
		go serve(fd)
	}
	return func() {
		_ = unix.Mount("", dir, "", unix.MS_PRIVATE, "")
		_ = unix.Unmount(dir, unix.MNT_FORCE|unix.MNT_DETACH) // ends the connection, and who waits for it
		_ = unix.Close(fd)
	}, nil
}

// serve answers FUSE_INIT and reads what else there is.
func serve(fd int) {
	const initialize = 26 // FUSE_INIT
	request := make([]byte, 256<<10)
	for {
		n, err := unix.Read(fd, request)
		switch {
		case err == unix.EINTR || err == unix.ENOENT:
			continue
		case err != nil || n < 40:
			return
		}
		if binary.LittleEndian.Uint32(request[4:]) != initialize {
			continue
		}
		answer := make([]byte, 16+64)
		binary.LittleEndian.PutUint32(answer, uint32(len(answer)))
		copy(answer[8:16], request[8:16]) // which request it answers
		binary.LittleEndian.PutUint32(answer[16:], 7)
		binary.LittleEndian.PutUint32(answer[20:], 31)
		binary.LittleEndian.PutUint32(answer[36:], 1<<16) // the largest write
		if _, err := unix.Write(fd, answer); err != nil {
			return
		}
	}
}
