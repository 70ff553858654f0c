// SPDX-License-Identifier: Apache-2.0

// Package asuser runs a function with the permissions that another user has on
// files. Trying an access covers modes, ACLs, mount options and security
// modules. It looks up no names and has no lasting effects.
package asuser

import (
	"errors"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"justnews/internal/lists"
)

// ErrNotRoot means that this process cannot act as another user.
var ErrNotRoot = errors.New("only root can check access as another user")

// Do calls f as the user with that UID and those groups, the primary one first.
// For the current user it just calls f.
//
// setfsuid(2) affects one thread, so f must not continue in other goroutines;
// the thread ends afterwards. The kernel drops root's file capabilities with
// the change.
func Do(uid int, gids []int, f func()) error {
	if uid == os.Geteuid() {
		f()
		return nil
	}
	if os.Geteuid() != 0 {
		return ErrNotRoot
	}
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked
		err := become(uid, gids)
		if err == nil {
			f()
		}
		failed <- err
	}()
	return <-failed
}

// become changes only the calling thread; Go's own Setgroups would change all
// threads of the process.
func become(uid int, gids []int) error {
	groups := lists.Map(gids, func(gid int) uint32 { return uint32(gid) })                                                         //nolint:gosec // a group's id
	_, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(unsafe.SliceData(groups))), 0) //nolint:gosec // the call takes an array
	if errno != 0 {
		return errno
	}
	if len(gids) > 0 {
		_, _ = unix.SetfsgidRetGid(gids[0])
	}
	_, _ = unix.SetfsuidRetUid(uid)
	// These calls return the previous value and no error, so call them again to
	// check.
	if now, _ := unix.SetfsuidRetUid(-1); now != uid {
		return unix.EPERM
	}
	return nil
}
