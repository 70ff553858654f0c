// SPDX-License-Identifier: Apache-2.0

// Package asuser runs a function with the permissions that another user has on
// files. To try beats to compute: modes, ACLs, mount options and security
// modules are all asked. It looks up no names and changes nothing for good.
package asuser

import (
	"errors"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrNotRoot says that this process cannot act as another user.
var ErrNotRoot = errors.New("only root can try as another user")

// Do calls f as the user with that UID and those groups, the primary one first.
// As who runs already it just calls f.
//
// setfsuid(2) is of one thread, so that f must not go on in other goroutines;
// the thread ends with it. The kernel takes root's capabilities over files away
// with the change.
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

// become changes the calling thread alone; Go's own Setgroups would change all
// threads of the process.
func become(uid int, gids []int) error {
	groups := make([]uint32, len(gids))
	for i, gid := range gids {
		groups[i] = uint32(gid) //nolint:gosec // a group's id
	}
	_, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(unsafe.SliceData(groups))), 0) //nolint:gosec // the call takes an array
	if errno != 0 {
		return errno
	}
	if len(gids) > 0 {
		_, _ = unix.SetfsgidRetGid(gids[0])
	}
	_, _ = unix.SetfsuidRetUid(uid)
	// These calls return the former value and no error: ask again.
	if now, _ := unix.SetfsuidRetUid(-1); now != uid {
		return unix.EPERM
	}
	return nil
}
